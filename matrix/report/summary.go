package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
)

// problem is a set of rows that do not pass for the same reason, and so need
// the same mend.
type problem struct {
	severity matrix.Severity
	reason   matrix.Reason
	rows     []*matrix.Row
}

// groups gathers what does not pass by severity and reason, the gravest
// first, each in the matrix's order.
func groups(rows []matrix.Row) []problem {
	var out []problem
	index := map[matrix.Reason]int{}
	for _, severity := range matrix.Severities[:len(matrix.Severities)-1] {
		for i := range rows {
			r := &rows[i]
			if r.Severity != severity {
				continue
			}
			at, ok := index[r.Reason]
			if !ok {
				at = len(out)
				index[r.Reason] = at
				out = append(out, problem{severity: severity, reason: r.Reason})
			}
			out[at].rows = append(out[at].rows, r)
		}
	}
	return out
}

// details gives the distinct details of the rows in the order they come.
func (p problem) details() []string {
	var out []string
	for _, r := range p.rows {
		if !slices.Contains(out, r.Detail) {
			out = append(out, r.Detail)
		}
	}
	return out
}

// places lists registry and image of the rows, most of them at the most.
func (p problem) places(most int) []string {
	var out []string
	for i, r := range p.rows {
		if i == most {
			return append(out, fmt.Sprintf("and %d more", len(p.rows)-most))
		}
		out = append(out, r.Registry+" "+r.Image)
	}
	return out
}

// summaryLines are the closing lines of the table.
func summaryLines(m *matrix.Matrix) []string {
	s := m.Summary
	out := []string{fmt.Sprintf("%d rows of %d registries: %s", s.Rows, s.Registries, severityCounts(s))}
	var strategies []string
	for _, strategy := range matrix.Strategies {
		strategies = append(strategies, fmt.Sprintf("%s %d", strategy, countStrategy(m.Rows, strategy)))
	}
	out = append(out, "strategy: "+strings.Join(strategies, ", "))
	if s.Unexpected > 0 {
		out = append(out, fmt.Sprintf("%d rows differ from what the inventory expects", s.Unexpected))
	}
	if m.Shard != "" {
		out = append(out, "shard "+clean(m.Shard))
	}
	if !m.Complete {
		out = append(out, "not complete: images of the inventory are missing here")
	}
	return out
}

func severityCounts(s matrix.Summary) string {
	var words []string
	for _, severity := range slices.Backward(matrix.Severities) {
		words = append(words, fmt.Sprintf("%d %s", s.Count(severity), severity))
	}
	return strings.Join(words, ", ")
}

func countStrategy(rows []matrix.Row, strategy matrix.Strategy) int {
	n := 0
	for i := range rows {
		if rows[i].Strategy == strategy {
			n++
		}
	}
	return n
}

// lines writes a text report line by line and keeps the first error.
type lines struct {
	w     io.Writer
	width int // 0 = unlimited
	err   error
}

func (l *lines) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

// text writes words wrapped to the width, the first line behind lead and the
// others indented as far.
func (l *lines) text(lead, words string) {
	room := l.width - len(lead)
	if l.width == 0 || room < leastColumn {
		l.line("%s%s", lead, words)
		return
	}
	for part := range strings.SplitSeq(text.WrapSoft(words, room), "\n") {
		l.line("%s%s", lead, strings.TrimRight(part, " "))
		lead = strings.Repeat(" ", len(lead))
	}
}

// shownPlaces and shownDetails bound a group: the reports hold the rest.
const (
	shownPlaces  = 8
	shownDetails = 3
)

// group writes one problem: what, where, and what to do.
func (l *lines) group(g problem, o Options) {
	word := strings.ToUpper(string(g.severity))
	if o.Color {
		word = severityColors[g.severity].Sprint(word)
	}
	l.line("\n%s %s (%d)", word, g.reason, len(g.rows))
	for i, detail := range g.details() {
		if i == shownDetails {
			l.text("  ", "and other details, in the reports")
			break
		}
		l.text("  ", clean(detail))
	}
	l.text("  at: ", clean(strings.Join(g.places(shownPlaces), "; ")))
	if len(g.rows[0].Remedy) > 0 {
		l.text("  do: ", clean(g.rows[0].Remedy[0]))
	}
}
