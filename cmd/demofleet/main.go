// Command demofleet runs real registry implementations on loopback, and with
// --difficult some that answer in unusual or wrong ways, filled and with an
// inventory written for them, until it is stopped or the command it was given
// has ended.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"refmatrix/cmd/demofleet/fleet"
)

func main() {
	status, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demofleet:", err)
	}
	os.Exit(status)
}

// names is a repeatable flag of registry names.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

func (n *names) Set(value string) error {
	*n = append(*n, value)
	return nil
}

func run() (status int, err error) {
	var o fleet.Options
	flag.StringVar(&o.Dir, "dir", "demo", "folder for the inventory and what it names")
	flag.IntVar(&o.BasePort, "base-port", 0, "first of the ports, 0 = any free ones")
	flag.Var((*names)(&o.Upgraded), "upgrade", "give this go-containerregistry the referrers API (repeatable)")
	flag.Var((*names)(&o.Stopped), "stop", "let this registry refuse connections (repeatable)")
	flag.Var((*names)(&o.Without), "without", "leave this registry out (repeatable)")
	flag.BoolVar(&o.Difficult, "difficult", false, "add registries that answer in unusual or wrong ways, labelled group: difficult")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: demofleet [flags] [-- command args...]\n\nWith a command, runs it once the fleet is ready, with REFMATRIX_DEMO_INVENTORY\nset, and exits with its status; without, runs until it is interrupted.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f, err := fleet.Start(ctx, o)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	inventory, err := f.WriteInventory()
	if err != nil {
		return 1, err
	}
	if flag.NArg() > 0 {
		return child(ctx, inventory, flag.Args())
	}
	for _, r := range f.Registries() {
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%-28s %-30s %-23s %s", r.Name, r.Kind, r.URL, r.About)))
	}
	fmt.Println("inventory", inventory)
	fmt.Println("ready")
	<-ctx.Done()
	return 0, nil
}

// child runs a command against the fleet and returns its exit status.
func child(ctx context.Context, inventory string, args []string) (int, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the command is the caller's own
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "REFMATRIX_DEMO_INVENTORY="+inventory)
	err := cmd.Run()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		return exited.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
