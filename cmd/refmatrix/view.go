package main

import (
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix/report"
)

// view are the flags of a command that prints one T in one of its formats.
type view[T any] struct {
	formats report.Formats[T]
	format  string
	noColor bool
}

func (v *view[T]) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&v.format, "format", "f", "text", "one of "+strings.Join(v.formats.Names(), ", "))
	cmd.Flags().BoolVar(&v.noColor, "no-color", false, "no colours (as NO_COLOR does)")
}

func (v *view[T]) options(cmd *cobra.Command) report.Options {
	w := cmd.OutOrStdout()
	return report.Options{Width: width(w), Color: colour(w, v.noColor)}
}

// check refuses a format before anything is read or probed.
func (v *view[T]) check() error {
	if _, err := v.formats.Find(v.format); err != nil {
		return &failure{exitUsage, err}
	}
	return nil
}

// print renders value on stdout.
func (v *view[T]) print(cmd *cobra.Command, value T) error {
	f, err := v.formats.Find(v.format)
	if err != nil {
		return &failure{exitUsage, err}
	}
	return printed(0, f.Render(cmd.OutOrStdout(), value, v.options(cmd)))
}
