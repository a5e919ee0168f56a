package main

import (
	"github.com/spf13/cobra"

	"refmatrix/matrix/report"
)

// view are the flags of a command that prints one comparison.
type view struct {
	format  string
	noColor bool
}

func (v *view) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&v.format, "format", "f", "table", "table, markdown or json")
	cmd.Flags().BoolVar(&v.noColor, "no-color", false, "no colours (as NO_COLOR does)")
}

func (v *view) options(cmd *cobra.Command) report.Options {
	w := cmd.OutOrStdout()
	return report.Options{Width: width(w), Color: colour(w, v.noColor)}
}

// check refuses a format before anything is read or probed.
func (v *view) check() error {
	switch v.format {
	case "table", "markdown", "json":
		return nil
	}
	return usage("--format %q: choose table, markdown or json", v.format)
}
