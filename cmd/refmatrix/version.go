package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
)

// version is set by the release build (-ldflags "-X main.version=...").
var version = ""

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printed(fmt.Fprintln(cmd.OutOrStdout(), "refmatrix", toolVersion()))
		},
	}
}

func tool() matrix.Tool { return matrix.Tool{Name: "refmatrix", Version: toolVersion()} }

// toolVersion is the release's version, else the module's, else "devel".
func toolVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
