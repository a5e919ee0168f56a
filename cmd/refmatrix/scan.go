package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
)

// scanFlags are the flags of scan.
type scanFlags struct {
	selection
	output
	profiles
	depth       choice[probe.Depth]
	write       bool
	links       bool
	concurrency int
	rate        float64
	timeout     time.Duration
	deadline    time.Duration
	baseline    string
	failOn      choice[[]matrix.Gate]
	keep        int
	progress    choice[string]
	verbose     bool
}

// probeDepth is the choice of how much is probed.
func probeDepth() choice[probe.Depth] { return oneOf(probe.Depths...) }

// linksHelp is the help of --links.
const linksHelp = "read what is attached to each image and its platforms; on for entries with require:"

func newScan() *cobra.Command {
	f := scanFlags{
		output:   newOutput(),
		depth:    probeDepth(),
		failOn:   gates(),
		progress: oneOf("auto", "bar", "plain", "none"),
	}
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Probe the inventory, print the table, write the reports",
		Long: `Probe every registry and image of the inventory, print the table on stdout and
write the reports into a directory.

Exit status: 0 finished, --fail-on found nothing; 1 finished, --fail-on found something,
or --deadline left images unmeasured; 2 the command line, the inventory or a proxy
variable is wrong and nothing was probed; 3 a report could not be written,
or refmatrix has a bug and wrote what was measured until then; 130 interrupted, with
everything measured so far written.

--fail-on is a list with commas between its words. It replaces the default. +change adds
to the default, and never alone turns it off.
  fail, warn, info  a row is at or above that severity
  unexpected        a row is not what its expect: says; one that could not be measured
                    is not either, unless it expects unknown
  missing           an image lacks a kind that its require: names, wholly or on some
                    platforms; what is not known is not missing
  unmeasured        a row has no verdict, for whatever reason
  change            something differs from --baseline: support, strategy, reason,
                    severity, push strategy, version, expectation, rows that came or
                    went; or a row that had a verdict is not measured now because of
                    credentials or permission; or the 4th scan in a row, and every 4th
                    after it, ended without a verdict for a row
  lost              a link of --baseline is gone although the image's digest is the same;
                    it counts in every scan until the link is back or the digest moves

That a row is not measured for another reason, or is measured again, is listed and is
not a change. A row that is measured again is compared with its last verdict. What
differs only because another version of refmatrix measured before is one line, and is
not a change. Scans over a part (--only, --selector, --shard) are compared with the last
one of the same part.

Folders and files get the modes that the umask leaves of 0777 and 0666.`,
		Example: `  refmatrix scan -i inventory.yaml
  refmatrix scan --only 'harbor-*' -l env=prod --probe full
  refmatrix scan -f json -o - | jq '.rows[] | select(.severity == "fail")'
  refmatrix scan --baseline latest --fail-on +change`,
		Args: arguments(0, 0, "no argument: name the inventory with -i"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addFlags(cmd)
	return cmd
}

func (f *scanFlags) addFlags(cmd *cobra.Command) {
	f.selection.addFlags(cmd)
	f.output.addFlags(cmd, "reports", "table,csv,markdown,json")
	f.profiles.addFlags(cmd)
	flags := cmd.Flags()
	f.depth.addFlag(cmd, "probe", "", "standard", "how much to ask: "+f.depth.list())
	flags.BoolVar(&f.write, "write-probe", false, "push and delete an artifact where the inventory has writeProbe")
	flags.BoolVar(&f.links, "links", false, linksHelp)
	flags.IntVar(&f.concurrency, "concurrency", scanner.DefaultConcurrency, "images probed at once")
	flags.Float64Var(&f.rate, "rate", 0, "requests per second over everything, 0 = unlimited")
	flags.DurationVar(&f.timeout, "timeout", 0, "timeout of one request, instead of the inventory's")
	flags.DurationVar(&f.deadline, "deadline", 0, "end the whole scan after this time, 0 = none")
	flags.StringVar(&f.shard, "shard", "", "probe only shard `I/N` of the registries")
	flags.StringVar(&f.baseline, "baseline", "", "compare with this matrix.json `FILE`, "+
		"or latest for the last one of the same selection in the output directory's history/")
	f.failOn.addFlag(cmd, "fail-on", "", matrix.DefaultGates, "exit 1 on a list of: "+f.failOn.list())
	flags.IntVar(&f.keep, "keep", 0, "keep this many scans in history/, 0 = all")
	f.progress.addFlag(cmd, "progress", "", "auto", f.progress.list())
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print every row as it finishes, and where the time went")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print errors and what --fail-on found, and nothing else")
}

// plan is what the flags come to, everything checked before the first request.
type plan struct {
	inv      *inventory.Inventory
	sink     *sink
	baseline store.Reference
}

func (f *scanFlags) plan(cmd *cobra.Command) (*plan, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	p := &plan{}
	var err error
	if p.inv, err = f.load(cmd); err != nil {
		return nil, err
	}
	if f.write {
		f.warnUnwritable(cmd, p.inv)
	}
	if err := f.cut(cmd, p.inv); err != nil {
		return nil, err
	}
	if p.sink, err = f.open(cmd.OutOrStdout(), true); err != nil {
		return nil, err
	}
	if f.quiet && p.sink.dir != nil {
		p.sink.shown = nil // the reports are in the directory
	}
	p.baseline, err = f.chooseBaseline(cmd, p.sink)
	return p, err
}

// check refuses flag values and proxies that make no sense.
func (f *scanFlags) check() error {
	if err := f.checkBaselineGates(); err != nil {
		return err
	}
	switch {
	case f.concurrency < 1:
		return usage("--concurrency must be 1 or more")
	case f.rate < 0 || math.IsNaN(f.rate) || math.IsInf(f.rate, 0):
		return usage("--rate must be a number and not negative; 0 means no limit")
	case f.timeout < 0 || f.deadline < 0:
		return usage("--timeout and --deadline must not be negative")
	case f.keep < 0:
		return usage("--keep must not be negative")
	}
	return checkProxies()
}

// chooseBaseline decides what the scan is compared with before it joins the history,
// and refuses a file that is not a matrix before anything is requested.
func (f *scanFlags) chooseBaseline(cmd *cobra.Command, s *sink) (store.Reference, error) {
	switch {
	case f.baseline == "":
		return store.Reference{}, nil
	case f.baseline == "latest" && s.dir == nil:
		return store.Reference{}, usage("--baseline latest needs an output directory")
	case f.baseline == "latest":
		r, err := s.history.Latest(matrix.Scope{Shard: f.shard, Selection: f.asFlags()})
		if err != nil {
			return r, &failure{exitUsage, err}
		}
		warnSkipped(cmd, r.Skipped)
		return r, nil
	}
	r, err := store.FileReference(f.baseline)
	if err != nil {
		return r, &failure{exitUsage, fmt.Errorf("--baseline: %w", err)}
	}
	return r, nil
}

func (f *scanFlags) run(cmd *cobra.Command) (err error) {
	stop, err := f.profiles.start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	f.verbose = f.verbose && !f.quiet
	p, err := f.plan(cmd)
	if err != nil {
		return err
	}
	f.warnOpenFiles(cmd)
	m, bug := f.measure(cmd, p)
	// Before the reports are written: the baseline may be one of those that they replace.
	d, unread := difference(p.baseline, m)
	if err := errors.Join(bug, f.store(cmd, p, m), unread); err != nil {
		return internal(err)
	}
	return f.status(cmd, m, d)
}

// difference returns what changed since the baseline, nil without one, and writes into m
// what only a baseline shows: the scans in a row without a verdict, and the lost links.
func difference(baseline store.Reference, m *matrix.Matrix) (*matrix.Diff, error) {
	b, err := baseline.Read()
	if err != nil || b.Matrix == nil {
		return nil, err
	}
	m.CountUnmeasured(b.Matrix)
	m.FindLosses(b.Matrix, b.Known...)
	d := matrix.Compare(b.Matrix, m, b.Known...)
	return &d, nil
}

// warnOpenFiles warns that fewer images are probed at once than asked for.
func (f *scanFlags) warnOpenFiles(cmd *cobra.Command) {
	if most := scanner.MaxConcurrency(f.concurrency); most < f.concurrency && !f.quiet {
		warn(cmd, fmt.Sprintf("probing %d images at once and not %d, for this process may open few files: "+
			"raise ulimit -n", most, f.concurrency))
	}
}

// measure scans the inventory and shows the progress.
func (f *scanFlags) measure(cmd *cobra.Command, p *plan) (*matrix.Matrix, error) {
	stderr := cmd.ErrOrStderr()
	shown := newProgress(f.progressMode(stderr), stderr, p.inv, f.verbose)
	defer shown.stop()
	return scanner.Scan(cmd.Context(), p.inv, scanner.Options{
		Tool:        tool(),
		Concurrency: f.concurrency,
		Rate:        f.rate,
		Timeout:     f.timeout,
		Deadline:    f.deadline,
		Shard:       f.shard,
		Selection:   f.asFlags(),
		Probe:       probe.Options{Depth: f.depth.value, Write: f.write, Links: f.links},
		Progress:    shown.event,
	})
}

// store writes the reports of m and says so on stderr.
func (f *scanFlags) store(cmd *cobra.Command, p *plan, m *matrix.Matrix) error {
	stderr := cmd.ErrOrStderr()
	written, err := p.sink.write(m)
	if err != nil {
		return err
	}
	if p.sink.dir != nil && f.keep > 0 {
		switch err := p.sink.history.Prune(f.keep, m.Started); {
		case errors.Is(err, store.ErrLinkedHistory):
			if !f.quiet {
				warn(cmd, "--keep: "+err.Error())
			}
		case err != nil:
			return err
		}
	}
	if f.verbose {
		printTimes(stderr, m)
	}
	if !f.quiet {
		printOutcome(stderr, m, p.inv, written)
	}
	return nil
}

func (f *scanFlags) progressMode(stderr io.Writer) string {
	switch {
	case f.quiet:
		return "none"
	case f.progress.value != "auto":
		return f.progress.value
	case terminal(stderr):
		return "bar"
	}
	return "plain"
}
