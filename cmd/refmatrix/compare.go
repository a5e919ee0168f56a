package main

import (
	"errors"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
	"refmatrix/scanner/inventory"
)

func newDiff() *cobra.Command {
	v := view[matrix.Diff]{formats: report.Diffs}
	var failOn string
	cmd := &cobra.Command{
		Use:   "diff [OLD NEW | DIR]",
		Short: "Say what changed between two matrix.json",
		Long: `Say what changed between two matrix.json: registries and images that came and
went, strategies that changed, and what could not be measured, which is told
apart from a change. Without files it compares the newest scan in the history/
of DIR (default reports) with the last one before it of the same selection, and
what could not be measured then with what was known before.

Exit status: 0, whatever changed; 1 with --fail-on change where anything did,
and that a registry could not be reached, or can be again, is no change; 2 there
are no two scans to compare.`,
		Example: `  refmatrix diff -f markdown
  refmatrix diff reports/history/20261116T060000.000Z.json reports/matrix.json`,
		Args: arguments(0, 2, "an output directory, or an OLD and a NEW matrix.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if failOn != "never" && failOn != "change" {
				return usage("--fail-on %q: choose never or change", failOn)
			}
			if err := v.check(); err != nil {
				return err
			}
			older, newer, err := toCompare(cmd, args)
			if err != nil {
				return err
			}
			d := matrix.Compare(older.Matrix, newer, older.Known...)
			if err := v.print(cmd, d); err != nil {
				return err
			}
			if failOn == "change" && d.Substance() {
				return &failure{exitGate, nil}
			}
			return nil
		},
	}
	v.addFlags(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", "never", "exit 1 on: never or change")
	return cmd
}

// toCompare reads the two files named, or takes the last two scans of a
// directory's history.
func toCompare(cmd *cobra.Command, args []string) (store.Baseline, *matrix.Matrix, error) {
	if len(args) == 2 {
		older, err := readMatrix(cmd, args[0])
		if err != nil {
			return store.Baseline{}, nil, err
		}
		newer, err := readMatrix(cmd, args[1])
		return store.Baseline{Matrix: older}, newer, err
	}
	dir := "reports"
	if len(args) == 1 {
		dir = args[0]
		if info, err := os.Stat(dir); err == nil && !info.IsDir() {
			return store.Baseline{}, nil, usage("diff %s: name the newer matrix.json too, or an output directory alone", dir)
		}
	}
	older, newer, err := store.OpenHistory(dir).LastTwo()
	if err != nil {
		return older, nil, &failure{exitUsage, err}
	}
	warnSkipped(cmd, older.Skipped)
	if newer == nil {
		return older, nil, usage("%s/history holds no two scans to compare: scan again, or name two matrix.json", dir)
	}
	return older, newer, nil
}

func newMerge() *cobra.Command {
	var o output
	var order string
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join matrix.json files of shards or of separate networks",
		Long: `Join matrix.json files of shards or of separate networks into one matrix. Where
two files hold the same registry and image, the newer measurement stays and the
other is told on stderr. A merge of some shards can be merged again with the
others. Of the inventory only the names are read: no secret has to be there.

Exit status: 0 everything is there; 1 shards are missing or a file is of a scan
that was ended early, with what is there written; 2 the files do not go together;
3 a report could not be written.`,
		Example: `  refmatrix merge shard-*/matrix.json -i inventory.yaml -o reports -f all`,
		Args:    arguments(1, math.MaxInt, "the matrix.json files to join"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var parts []matrix.Part
			for _, path := range args {
				m, err := readMatrix(cmd, path)
				if err != nil {
					return err
				}
				parts = append(parts, matrix.Part{Name: path, Matrix: m})
			}
			names, err := namesOf(cmd, order)
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
			if err := o.emit(cmd, joined, true); err != nil {
				return err
			}
			if !joined.Complete {
				return &failure{exitGate, errors.New("not complete: what is there is written")}
			}
			return nil
		},
	}
	o.addFlags(cmd, "reports", "table,csv,markdown,json")
	cmd.Flags().StringVarP(&order, "inventory", "i", "", "inventory `FILE` whose order the rows take")
	return cmd
}

// namesOf gives the names of an inventory in its order, none where path is "".
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
