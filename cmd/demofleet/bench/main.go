// Bench measures a scan against a bare client that makes the same requests,
// and against other clients where they are installed, side by side in one run.
// It prints every goal and ratio with its figure and exits 0 whatever falls short.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// options are the flags of a measurement.
type options struct {
	refmatrix string
	before    string
	rounds    int
	most      int
	write     string
	latency   time.Duration
	inFlight  int
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
	flags.IntVar(&o.rounds, "rounds", 3, "interleaved rounds of each comparison")
	flags.IntVar(&o.most, "most", 10_000, "registries of the largest fleet")
	flags.StringVar(&o.write, "write", "", "write the report and its picture into this folder")
	flags.DurationVar(&o.latency, "latency", 50*time.Millisecond, "latency of the simulated registries")
	flags.IntVar(&o.inFlight, "in-flight", 64, "requests in flight")
	if err := flags.Parse(args); err != nil {
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
	for _, part := range []func() error{b.start, b.againstFloor, b.requests, b.mixedFleet, b.firstRow, b.peers, b.memory, b.dead, b.growth} {
		if err := part(); err != nil {
			return err
		}
	}
	if o.write == "" {
		return nil
	}
	return b.writeReport()
}
