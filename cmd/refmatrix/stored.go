package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
)

// readMatrix reads a stored matrix, "-" from stdin.
func readMatrix(cmd *cobra.Command, path string) (*matrix.Matrix, error) {
	read := store.ReadFile
	if path == "-" {
		read = func(string) (*matrix.Matrix, error) { return store.Read(cmd.InOrStdin()) }
	}
	m, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: refmatrix scan writes one", err)
	}
	if err != nil {
		return nil, &failure{exitUsage, err}
	}
	return m, nil
}

// warnSkipped warns about files in history/ that are not scans, in one line.
func warnSkipped(cmd *cobra.Command, skipped []string) {
	if n := len(skipped); n == 1 {
		warn(cmd, "skipped in the history: "+skipped[0])
	} else if n > 1 {
		warn(cmd, fmt.Sprintf("skipped %d files in the history, such as %s", n, skipped[0]))
	}
}
