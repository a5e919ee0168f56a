package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages into a directory",
		Args:  arguments(1, 1, "one argument: the directory to write to"),
		RunE:  func(cmd *cobra.Command, args []string) error { return writeManPages(cmd.Root(), args[0]) },
	}
}

func writeManPages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return internal(fmt.Errorf("write the man pages: %w", err))
	}
	// A fixed date keeps the pages the same from build to build.
	date := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	header := &doc.GenManHeader{
		Title:   "REFMATRIX",
		Section: "1",
		Source:  "refmatrix " + toolVersion(),
		Date:    &date,
	}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return internal(fmt.Errorf("write the man pages: %w", err))
	}
	return nil
}
