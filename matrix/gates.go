package matrix

import (
	"slices"
	"strings"
)

// Gate is a word of scan --fail-on: what ends a scan with exit status 1.
type Gate string

// The gates. Never is the absence of all others and is written alone.
const (
	GateNever      Gate = "never"
	GateFail       Gate = "fail"       // a row is fail
	GateWarn       Gate = "warn"       // a row is warn or worse
	GateInfo       Gate = "info"       // a row is info or worse
	GateUnexpected Gate = "unexpected" // a row is not what its expect: says
	GateMissing    Gate = "missing"    // an image lacks a kind that its require: names; see Row.Missing
	GateUnmeasured Gate = "unmeasured" // a row has no verdict, for whatever reason
	GateChange     Gate = "change"     // Diff.Significant
	GateLost       Gate = "lost"       // a link of the baseline is gone; see FindLosses
)

// DefaultGates is --fail-on if it is not written.
const DefaultGates = "fail,unexpected,missing"

// Gates lists every word of --fail-on in the order in which help shows them.
var Gates = []Gate{
	GateNever, GateFail, GateWarn, GateInfo, GateUnexpected, GateMissing, GateUnmeasured, GateChange, GateLost,
}

// BaselineGates lists the gates that find nothing without a baseline.
var BaselineGates = []Gate{GateChange, GateLost}

// rowGates holds, of each gate that judges single rows, what it finds in one: a label for
// the reader, "" if the row passes the gate.
var rowGates = map[Gate]func(*Row) string{
	GateFail:       severityFrom(Fail),
	GateWarn:       severityFrom(Warn),
	GateInfo:       severityFrom(Info),
	GateUnexpected: labelIf("unexpected", func(r *Row) bool { return r.Unexpected }),
	GateMissing:    labelIf("missing", func(r *Row) bool { return len(r.Missing()) > 0 }),
	GateUnmeasured: labelIf("unmeasured", func(r *Row) bool { return !r.Measured() }),
	GateLost:       labelIf("lost", func(r *Row) bool { return len(r.Lost) > 0 }),
}

func severityFrom(floor Severity) func(*Row) string {
	return func(r *Row) string {
		if r.Severity.AtLeast(floor) {
			return string(r.Severity)
		}
		return ""
	}
}

func labelIf(label string, holds func(*Row) bool) func(*Row) string {
	return func(r *Row) string {
		if holds(r) {
			return label
		}
		return ""
	}
}

// ParseGates returns the gates that text chooses: words with commas between them. A "+"
// before the first adds all of them to DefaultGates, never alone chooses no gate. It
// reports false if a word is unknown, or if never has company.
func ParseGates(text string) ([]Gate, bool) {
	text, adds := strings.CutPrefix(strings.TrimSpace(text), "+")
	var out []Gate
	if adds {
		out, _ = ParseGates(DefaultGates)
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if adds {
			word = strings.TrimPrefix(word, "+")
		}
		gate := Gate(word)
		if !slices.Contains(Gates, gate) {
			return nil, false
		}
		if !slices.Contains(out, gate) {
			out = append(out, gate)
		}
	}
	if slices.Contains(out, GateNever) {
		return nil, len(out) == 1
	}
	return out, true
}

// FoundBy reports whether one of the gates finds something in a diff: a change that counts, or
// a link that is lost. Gates that need a scan find nothing.
func (d Diff) FoundBy(gates []Gate) bool {
	isLoss := func(c Change) bool { return c.Kind == LinksLost }
	return slices.Contains(gates, GateChange) && d.Significant() ||
		slices.Contains(gates, GateLost) && slices.ContainsFunc(d.Changes, isLoss)
}

// Found is what the gates of a scan found.
type Found struct {
	Rows   []FoundRow // in the matrix's order
	Change *Diff      // the significant changes, nil if there are none or change is not a gate
}

// FoundRow is a row that did not pass a gate.
type FoundRow struct {
	*Row
	Labels []string // why: the row's severity, unexpected, missing, unmeasured, lost
}

// Empty reports whether every gate was passed.
func (f Found) Empty() bool { return len(f.Rows) == 0 && f.Change == nil }

// FindByGates returns what gates find in m, and in d, which is nil without a baseline.
func FindByGates(gates []Gate, m *Matrix, d *Diff) Found {
	var found Found
	for i := range m.Rows {
		if labels := labelsOf(&m.Rows[i], gates); labels != nil {
			found.Rows = append(found.Rows, FoundRow{&m.Rows[i], labels})
		}
	}
	if d != nil && d.Significant() && slices.Contains(gates, GateChange) {
		only := d.OnlySignificant()
		found.Change = &only
	}
	return found
}

// labelsOf returns why r does not pass gates, each label once, the severity first.
func labelsOf(r *Row, gates []Gate) []string {
	var out []string
	for _, gate := range Gates {
		find, ofRows := rowGates[gate]
		if !ofRows || !slices.Contains(gates, gate) {
			continue
		}
		if label := find(r); label != "" && !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}
