package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// gates is the choice of what ends a scan with exit status 1.
func gates() choice[[]matrix.Gate] {
	c := choice[[]matrix.Gate]{
		parse:   matrix.ParseGates,
		several: true,
		alone:   string(matrix.GateNever),
		adds:    "+",
	}
	for _, gate := range matrix.Gates {
		c.allowed = append(c.allowed, string(gate))
	}
	return c
}

// diffGates is the choice of what ends a diff with exit status 1.
func diffGates() choice[[]matrix.Gate] {
	c := choice[[]matrix.Gate]{several: true, allowed: []string{string(matrix.GateNever)}}
	for _, gate := range matrix.BaselineGates {
		c.allowed = append(c.allowed, string(gate))
	}
	c.parse = func(text string) ([]matrix.Gate, bool) {
		chosen, ok := matrix.ParseGates(text)
		needsScan := func(gate matrix.Gate) bool { return !slices.Contains(matrix.BaselineGates, gate) }
		return chosen, ok && !strings.HasPrefix(text, "+") && !slices.ContainsFunc(chosen, needsScan)
	}
	return c
}

// checkBaselineGates refuses words of --fail-on that need a baseline, unless there is one.
func (f *scanFlags) checkBaselineGates() error {
	for _, gate := range matrix.BaselineGates {
		if f.baseline == "" && slices.Contains(f.failOn.value, gate) {
			return usage("--fail-on %s needs --baseline FILE or --baseline latest", gate)
		}
	}
	return nil
}

// status prints what changed since the baseline, or with -q what the gates found, and
// turns it into the exit status.
func (f *scanFlags) status(cmd *cobra.Command, m *matrix.Matrix, d *matrix.Diff) error {
	interrupted := cmd.Context().Err() != nil
	found := matrix.FindByGates(f.failOn.value, m, d)
	if err := f.printFound(cmd, found, d, interrupted); err != nil {
		return internal(err)
	}
	switch {
	case interrupted:
		return &failure{exitInterrupted, errors.New("interrupted: what was measured so far is written")}
	case len(f.failOn.value) == 0:
		return nil
	case !m.Complete:
		return &failure{exitGate, errors.New("--deadline ended the scan before every image was measured")}
	case !found.Empty():
		return &failure{exitGate, nil}
	}
	return nil
}

// printFound prints on stderr what changed since the baseline, if there is one. With -q
// it prints what the gates found instead, because that is an error's text.
func (f *scanFlags) printFound(cmd *cobra.Command, found matrix.Found, d *matrix.Diff, interrupted bool) error {
	stderr := cmd.ErrOrStderr()
	options := report.Options{Width: width(stderr), Color: colour(stderr, f.noColor)}
	switch {
	case f.quiet && interrupted:
		return nil
	case f.quiet:
		return report.Found(stderr, found, options)
	case d == nil:
		return nil
	}
	text, _ := report.Diffs.Find("text")
	return text.Render(stderr, *d, options)
}
