package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
)

// The exit statuses, as every subcommand's help promises them.
const (
	exitGate        = 1   // --fail-on found something
	exitUsage       = 2   // the command line, the inventory or a proxy variable is wrong
	exitInternal    = 3   // a report could not be written, or a bug of ours
	exitInterrupted = 130 // stopped by a signal
)

// failure is an error with its exit status. An empty message exits silently.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func usage(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

func internal(err error) error { return &failure{exitInternal, err} }

// printed takes the result of a write on stdout.
func printed(_ int, err error) error {
	if err != nil {
		return internal(err)
	}
	return nil
}

// warn prints a line on stderr that stops nothing.
func warn(cmd *cobra.Command, text string) {
	fmt.Fprintf(cmd.ErrOrStderr(), "refmatrix: warning: %s\n", matrix.Printable(text))
}
