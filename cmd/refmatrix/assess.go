package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
	"refmatrix/matrix/report"
	"refmatrix/scanner"
	"refmatrix/scanner/probe"
)

// assessFlags are the flags of assess.
type assessFlags struct {
	selection
	view[migration.Assessment]
	from, to string
	write    bool
}

func newAssess() *cobra.Command {
	f := assessFlags{view: viewOf(report.Assessments)}
	cmd := &cobra.Command{
		Use:   "assess --from SOURCE --to TARGET",
		Short: "Say what happens to the links of SOURCE when its images move to TARGET",
		Long: `Pre-migration: for each image of SOURCE, which signatures, SBOMs and
attestations are attached to it and how, what TARGET supports, and what therefore
happens to them with each copy tool. SOURCE and TARGET are names of the
inventory, which are probed, or matrix.json files of a --probe full scan; of a
file with several registries, FILE#NAME takes one. There is one TARGET.

Artifacts attached to single platforms of an image are not probed: such an image
is named, and the command printed for it takes them along.

Exit status: 0 nothing is lost; 1 links are lost, or it cannot be told; 2 there
is nothing to compare.`,
		Example: `  refmatrix assess --from harbor-prod --to ecr-prod -f markdown
  refmatrix assess --from reports/matrix.json#harbor-prod --to new/matrix.json`,
		Args: arguments(0, 0, "no argument: name the registries with --from and --to"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.view.addFlags(cmd)
	f.addInventoryFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the `SOURCE`: a name of the inventory, or a matrix.json[#NAME]")
	flags.StringVar(&f.to, "to", "", "the `TARGET`: a name of the inventory, or a matrix.json[#NAME]")
	flags.BoolVar(&f.write, "write-probe", false,
		"push to TARGET and delete again, where the inventory has writeProbe for it")
	return cmd
}

func (f *assessFlags) run(cmd *cobra.Command) error {
	if f.from == "" || f.to == "" {
		return usage("assess needs --from and --to, each a name of the inventory or a matrix.json")
	}
	if f.from == f.to {
		return usage("--from and --to are both %s: name two registries", f.from)
	}
	source, err := f.matrixOf(cmd, f.from, false)
	if err != nil {
		return err
	}
	target, err := f.matrixOf(cmd, f.to, f.write)
	if err != nil {
		return err
	}
	a, err := migration.Assess(source, target)
	if err != nil {
		return usage("%s", matrix.Printable(err.Error())) // it holds what a file calls itself
	}
	if err := f.print(cmd, a); err != nil {
		return err
	}
	if !a.Safe() {
		return &failure{exitGate, nil}
	}
	return nil
}

// matrixOf reads a stored matrix (FILE, or FILE#NAME for one registry of it), or
// probes one registry of the inventory in full. It pushes to it if write is set.
func (s *selection) matrixOf(cmd *cobra.Command, name string, write bool) (*matrix.Matrix, error) {
	file, registry, picked := strings.Cut(name, "#")
	if strings.HasSuffix(strings.TrimSuffix(file, ".gz"), ".json") || file == "-" {
		m, err := readMatrix(cmd, file)
		if err != nil || !picked {
			return m, err
		}
		m.Rows = slices.DeleteFunc(m.Rows, func(r matrix.Row) bool { return r.Registry != registry })
		if len(m.Rows) == 0 {
			return nil, usage("%s holds no registry %q", file, registry)
		}
		return m, nil
	}
	if err := checkProxies(); err != nil {
		return nil, err
	}
	inv, err := s.load(cmd)
	if err != nil {
		return nil, err
	}
	if !keepOnly(inv, name) {
		return nil, usage("%q is neither a registry of %s nor a .json file", name, inv.Path)
	}
	if write {
		s.warnUnwritable(cmd, inv)
	}
	m, err := scanner.Scan(cmd.Context(), inv, scanner.Options{
		Tool:  tool(),
		Probe: probe.Options{Depth: probe.Full, Write: write},
	})
	if err != nil {
		return nil, internal(err)
	}
	if cmd.Context().Err() != nil {
		return nil, &failure{exitInterrupted, errors.New("interrupted")}
	}
	return m, nil
}
