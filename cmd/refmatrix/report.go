package main

import (
	"github.com/spf13/cobra"

	"refmatrix/matrix/report"
)

// reportFlags are the flags of report.
type reportFlags struct {
	output
	schema bool
}

func newReport() *cobra.Command {
	f := reportFlags{output: newOutput()}
	cmd := &cobra.Command{
		Use:   "report [matrix.json]",
		Short: "Render a stored matrix.json again in any format",
		Long: `Render a stored matrix.json (default reports/matrix.json, - for stdin) in any format.
It may be under gzip, as the scans in history/ are, which are kept without exchanges.`,
		Example: `  refmatrix report
  refmatrix report reports/matrix.json -f markdown -o - >> "$GITHUB_STEP_SUMMARY"
  refmatrix report reports/history/20261116T060000.000Z.json.gz -f all -o rendered`,
		Args: arguments(0, 1, "one matrix.json at the most"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.output.addFlags(cmd, "-", "table")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "print the JSON Schema of matrix.json and render nothing")
	return cmd
}

func (f *reportFlags) run(cmd *cobra.Command, args []string) error {
	if f.schema {
		return printed(cmd.OutOrStdout().Write(report.Schema()))
	}
	path := "reports/matrix.json"
	if len(args) == 1 {
		path = args[0]
	}
	m, err := readMatrix(cmd, path)
	if err != nil {
		return err
	}
	return f.emit(cmd, m, false)
}
