package main

import (
	"github.com/spf13/cobra"

	"refmatrix/matrix/report"
)

// view are the flags of a command that prints one T in one of its formats.
type view[T any] struct {
	format  choice[report.Format[T]]
	noColor bool
	most    int // bytes of Markdown; 0 = the default
}

func viewOf[T any](formats report.Formats[T]) view[T] { return view[T]{format: oneFormat(formats)} }

func (v *view[T]) addFlags(cmd *cobra.Command) {
	v.format.addFlag(cmd, "format", "f", "text", v.format.list())
	cmd.Flags().BoolVar(&v.noColor, "no-color", false, "no colours (as NO_COLOR does)")
}

// print renders value on stdout.
func (v *view[T]) print(cmd *cobra.Command, value T) error {
	w := cmd.OutOrStdout()
	options := report.Options{
		Width:    width(w),
		Color:    colour(w, v.noColor),
		MaxBytes: v.most,
	}
	return printed(0, v.format.value.Render(w, value, options))
}
