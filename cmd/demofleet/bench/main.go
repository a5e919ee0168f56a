// Bench measures a scan against a bare client that makes the same requests,
// and against other clients where they are installed, side by side in one run.
// It prints every goal and ratio with its figure and exits 0 whatever falls short.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the flags of a measurement.
type options struct {
	refmatrix string
	before    string
	parts     string
	manifest  string
	rounds    int
	most      int
	write     string
	latency   time.Duration
	inFlight  int
}

// parts of a measurement, in their order.
var parts = []struct {
	name string
	run  func(*bench) error
}{
	{"floor", (*bench).againstFloor},
	{"requests", (*bench).requests},
	{"mixed", (*bench).mixedFleet},
	{"first-row", (*bench).firstRow},
	{"peers", (*bench).peers},
	{"memory", (*bench).memory},
	{"dead", (*bench).dead},
	{"growth", (*bench).growth},
	{"tokens", (*bench).liveTokens},
	{"passwords", (*bench).distinctPasswords},
	{"manifest", (*bench).shippedManifest},
	{"crowd", (*bench).crowd},
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = part.name
	}
	return names
}

// choose returns which parts a list with commas names, all of them for "".
func choose(list string) (map[string]bool, error) {
	chosen := map[string]bool{}
	for _, name := range strings.Split(cmp.Or(list, strings.Join(partNames(), ",")), ",") {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("unknown part %q: choose from %s", name, strings.Join(partNames(), ", "))
		}
		chosen[name] = true
	}
	return chosen, nil
}

// measure runs the chosen parts.
func (b *bench) measure(chosen map[string]bool) error {
	for _, part := range parts {
		if !chosen[part.name] {
			continue
		}
		if err := part.run(b); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "sim":
			return simulate(args[1:])
		case "floor":
			return floor(args[1:])
		}
	}
	var o options
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.StringVar(&o.refmatrix, "refmatrix", "../../bin/refmatrix", "the built command")
	flags.StringVar(&o.before, "before", "", "an earlier build of the command, to compare with it alone")
	flags.StringVar(&o.parts, "parts", "", "measure only these parts, with commas: "+strings.Join(partNames(), ","))
	flags.StringVar(&o.manifest, "manifest", "../../deploy/cronjob.yaml", "the CronJob whose command line is measured")
	flags.IntVar(&o.rounds, "rounds", 3, "interleaved rounds of each comparison")
	flags.IntVar(&o.most, "most", 10_000, "registries of the largest fleet")
	flags.StringVar(&o.write, "write", "", "write the report and its picture into this folder")
	flags.DurationVar(&o.latency, "latency", 50*time.Millisecond, "latency of the simulated registries")
	flags.IntVar(&o.inFlight, "in-flight", 64, "requests in flight")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(o.parts)
	if err != nil {
		return err
	}
	binary, err := filepath.Abs(o.refmatrix)
	if err != nil {
		return err
	}
	o.refmatrix = binary
	dir, err := os.MkdirTemp("", "refmatrix-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir}
	defer b.close()
	b.say("%s, %s, %d CPUs, %d ms latency, %d in flight, median of %d interleaved rounds\n", runtime.Version(), cpuModel(), runtime.NumCPU(), o.latency.Milliseconds(), o.inFlight, o.rounds)
	if o.before != "" {
		return errors.Join(b.start(), b.againstBefore())
	}
	if err := errors.Join(b.start(), b.measure(chosen)); err != nil {
		return err
	}
	if o.write == "" {
		return nil
	}
	return b.writeReport()
}
