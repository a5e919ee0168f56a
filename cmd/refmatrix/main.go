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
	"strings"
	"syscall"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"refmatrix/matrix"
)

func main() {
	limitMemory(memlimit.FromCgroup)
	paceCollector()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes the command line and returns its exit status.
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
	return exitStatus(execute(ctx, root), stderr)
}

// execute runs the command; a panic in it is an error as well.
func execute(ctx context.Context, root *cobra.Command) (err error) {
	defer func() {
		if bug := matrix.FromPanic(recover()); bug != nil {
			err = internal(bug)
		}
	}()
	return root.ExecuteContext(ctx)
}

// exitStatus prints err, if there is one, and returns the exit status that it means. Of
// a panic it prints one line and the stack, whatever the flags say: who reports the
// bug needs both.
func exitStatus(err error, stderr io.Writer) int {
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
	if bug := (*matrix.Panicked)(nil); errors.As(err, &bug) {
		fmt.Fprint(stderr, bug.Stack())
	}
	return status
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "refmatrix",
		Short: "Measure where the OCI referrers API works, over every registry you own",
		Long: `refmatrix reads an inventory of OCI registries, probes them concurrently,
within each registry's rate limits, and reports for every registry and image
whether the OCI 1.1 referrers API works there, which linking strategy follows
(referrers API or referrers tag schema), why, and what to do about it.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       toolVersion(),
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SuggestionsMinimumDistance = 2 // letters that differ
	root.SetVersionTemplate("refmatrix {{.Version}}\n")
	root.SetFlagErrorFunc(cleanFlagError)
	cobra.EnableCommandSorting = false // the order of use, not of the alphabet
	addGroup(root, "start", "Start:", newInit(), newValidate(), newScan(), newExplain())
	addGroup(root, "read", "Read results:", newReport(), newDiff())
	addGroup(root, "move", "Move images:", newAssess())
	addGroup(root, "fleet", "Large fleets:", newMerge())
	root.AddCommand(newVersion(), newMan())
	return root
}

// addGroup adds commands that --help lists under one title.
func addGroup(root *cobra.Command, id, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: id, Title: title})
	for _, command := range commands {
		command.GroupID = id
		root.AddCommand(command)
	}
}

// knownCommand refuses what is not a command, and names the one that was meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	fix := "refmatrix --help lists them"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		fix = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usage("unknown command %q: %s", args[0], fix)
}

// arguments bounds how many arguments a command has. The error says what it
// takes.
func arguments(least, most int, wanted string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("%s takes %s", cmd.Name(), wanted)
		}
		return nil
	}
}
