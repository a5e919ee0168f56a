// Command refmatrix probes OCI registries for the referrers API and reports
// what it measured. Flags go in here and an exit status comes out; the work is
// done by the scanner and matrix packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
)

// version is set by the release build (-ldflags "-X main.version=...").
var version = ""

// The exit statuses, as every subcommand's help promises them.
const (
	exitGate        = 1   // a row stands at or above --fail-on
	exitUsage       = 2   // the command line or the inventory is wrong
	exitInternal    = 3   // a report could not be written
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

// arguments bounds how many arguments a command has, and says what it takes
// where there are more or fewer.
func arguments(least, most int, wanted string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("%s takes %s", cmd.Name(), wanted)
		}
		return nil
	}
}

// knownCommand refuses what is no command, and names the one that was meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	mend := "refmatrix --help lists them"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		mend = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage("unknown command %q: %s", args[0], mend)
}

// printed takes what a write on stdout gives.
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

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes the command line and gives its exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal finds the default handler again and ends at once.
	context.AfterFunc(ctx, stop)
	// net/http logs what a server sends unasked, in the server's own words.
	log.SetOutput(io.Discard)
	// SIGPIPE keeps its default: a reader of stdout that leaves early (| head) ends
	// the process, as with any other filter.
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	status := exitUsage // what cobra refuses is the command line
	var f *failure
	if errors.As(err, &f) {
		status = f.status
	}
	if message := err.Error(); message != "" {
		fmt.Fprintf(stderr, "refmatrix: %s\n", message)
	}
	return status
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "refmatrix",
		Short: "Measure where the OCI referrers API works, over every registry you own",
		Long: `refmatrix reads an inventory of OCI registries, probes them all at once under
rate limits, and says for every registry and image whether the OCI 1.1 referrers
API works there, which linking strategy follows (referrers API or referrers tag
schema), why, and what to do about it.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       toolVersion(),
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2 // letters that differ
	root.SetVersionTemplate("refmatrix {{.Version}}\n")
	root.AddCommand(newScan(), newValidate(), newExplain(), newReport(), newDiff(), newMerge(), newAssess(), newInit(), newVersion(), newMan())
	return root
}

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
