package main

import (
	"errors"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// mergeFlags are the flags of merge.
type mergeFlags struct {
	output
	order string // the inventory whose order the rows take
}

func newMerge() *cobra.Command {
	f := mergeFlags{output: newOutput()}
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join matrix.json files of shards or of separate networks",
		Long: `Join matrix.json files of shards or of separate networks into one matrix. Where
two files hold the same registry and image, the newer measurement stays and the
other is named on stderr. A merge of some shards can be merged again with the
others. Of the inventory only the names are read: no secret has to be there.

Exit status: 0 everything is there; 1 shards are missing or a file is of a scan
that was ended early, with what is there written; 2 the files do not go together;
3 a report could not be written.`,
		Example: `  refmatrix merge shard-*/matrix.json -i inventory.yaml -o reports -f all`,
		Args:    arguments(1, math.MaxInt, "the matrix.json files to join"),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.output.addFlags(cmd, "reports", "table,csv,markdown,json")
	cmd.Flags().StringVarP(&f.order, "inventory", "i", "", "inventory `FILE` whose order the rows take")
	return cmd
}

func (f *mergeFlags) run(cmd *cobra.Command, paths []string) error {
	var parts []matrix.Part
	for _, path := range paths {
		m, err := readMatrix(cmd, path)
		if err != nil {
			return err
		}
		parts = append(parts, matrix.Part{Name: path, Matrix: m})
	}
	names, err := namesOf(cmd, f.order)
	if err != nil {
		return &failure{exitUsage, err}
	}
	joined, warnings, err := matrix.Merge(parts, names)
	if err != nil {
		return &failure{exitUsage, err}
	}
	for _, warning := range warnings {
		warn(cmd, warning)
	}
	if err := f.emit(cmd, joined, true); err != nil {
		return err
	}
	if !joined.Complete {
		return &failure{exitGate, errors.New("not complete: what is there is written")}
	}
	return nil
}

// namesOf returns the names of an inventory in its order, none if path is "".
func namesOf(cmd *cobra.Command, path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	var from io.Reader = cmd.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	return inventory.Names(from, path, os.LookupEnv)
}
