package main

import (
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	o := output{formats: matrixFormats()}
	cmd := &cobra.Command{
		Use:   "report [matrix.json]",
		Short: "Render a stored matrix.json again in any format",
		Long:  `Render a stored matrix.json (default reports/matrix.json, - for stdin) in any format.`,
		Example: `  refmatrix report
  refmatrix report reports/matrix.json -f markdown -o - >> "$GITHUB_STEP_SUMMARY"
  refmatrix report history.json -f all -o rendered`,
		Args: arguments(0, 1, "one matrix.json at the most"),
		RunE: func(cmd *cobra.Command, args []string) error { return runReport(cmd, args, &o) },
	}
	o.addFlags(cmd, "-", "table")
	return cmd
}

func runReport(cmd *cobra.Command, args []string, o *output) error {
	path := "reports/matrix.json"
	if len(args) == 1 {
		path = args[0]
	}
	m, err := readMatrix(cmd, path)
	if err != nil {
		return err
	}
	return o.emit(cmd, m, false)
}
