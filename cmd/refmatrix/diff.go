package main

import (
	"os"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
)

// diffFlags are the flags of diff.
type diffFlags struct {
	view[matrix.Diff]
	failOn choice[[]matrix.Gate]
}

func newDiff() *cobra.Command {
	f := diffFlags{view: viewOf(report.Diffs), failOn: diffGates()}
	cmd := &cobra.Command{
		Use:   "diff [OLD NEW | DIR]",
		Short: "Say what changed between two matrix.json",
		Long: `Say what changed between two matrix.json: registries and images that came and
went, strategies that changed, and what could not be measured, which is told
apart from a change. It names the links that are gone or new on an image whose
digest is the same. Without files it compares the newest scan in the history/
of DIR (default reports) with the last one before it of the same selection, and
what could not be measured then with what was known before.

What needs the same to be done is one group, which names its registries; a registry that is
gone or new with all of its images is one change. The JSON has every image.

Exit status: 0, whatever changed; 1 with --fail-on change if a change counts, and
with --fail-on lost if a link is lost, as refmatrix scan --help says; 2 there are no
two scans to compare.`,
		Example: `  refmatrix diff -f markdown
  refmatrix diff reports/history/20261116T060000.000Z.json.gz reports/matrix.json`,
		Args: arguments(0, 2, "an output directory, or an OLD and a NEW matrix.json"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.view.addFlags(cmd)
	addMaxBytes(cmd, &f.view.most)
	f.failOn.addFlag(cmd, "fail-on", "", "never", "exit 1 on a list of: "+f.failOn.list())
	return cmd
}

func (f *diffFlags) run(cmd *cobra.Command, args []string) error {
	if err := checkMaxBytes(f.view.most); err != nil {
		return err
	}
	older, newer, err := toCompare(cmd, args)
	if err != nil {
		return err
	}
	d := matrix.Compare(older.Matrix, newer, older.Known...)
	if err := f.print(cmd, d); err != nil {
		return err
	}
	if d.FoundBy(f.failOn.value) {
		return &failure{exitGate, nil}
	}
	return nil
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
			return store.Baseline{}, nil,
				usage("diff %s: name the newer matrix.json too, or an output directory alone", dir)
		}
	}
	older, newer, err := store.OpenHistory(dir).LastTwo()
	if err != nil {
		return older, nil, &failure{exitUsage, err}
	}
	warnSkipped(cmd, older.Skipped)
	if newer == nil {
		return older, nil,
			usage("%s/history holds no two scans to compare: scan again, or name two matrix.json", dir)
	}
	return older, newer, nil
}
