package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// problem is the rows that do not pass for the same reason.
type problem struct {
	severity matrix.Severity
	reason   matrix.Reason
	rows     []*matrix.Row
	mends    []mend
}

// mend is the rows of a problem that ask for the same to be done. The reason
// alone does not say what: remedies name products and versions.
type mend struct {
	remedy []string
	rows   []*matrix.Row
	seen   []sighting
}

// sighting is the rows of a mend that read the same.
type sighting struct {
	detail string
	rows   []*matrix.Row
}

// problems gathers what does not pass, the gravest first, each in the matrix's
// order. Every report that groups rows groups them by this.
func problems(rows []matrix.Row) []problem {
	var failing []*matrix.Row
	for _, severity := range matrix.Severities {
		for i := range rows {
			if r := &rows[i]; r.Severity == severity && severity != matrix.Pass {
				failing = append(failing, r)
			}
		}
	}
	var out []problem
	for _, same := range alike(failing, func(r *matrix.Row) string { return string(r.Severity) + "\x00" + string(r.Reason) }) {
		p := problem{severity: same[0].Severity, reason: same[0].Reason, rows: same}
		for _, same := range alike(same, func(r *matrix.Row) string { return strings.Join(r.Remedy, "\x00") }) {
			m := mend{remedy: same[0].Remedy, rows: same}
			for _, same := range alike(same, func(r *matrix.Row) string { return r.Detail }) {
				m.seen = append(m.seen, sighting{same[0].Detail, same})
			}
			p.mends = append(p.mends, m)
		}
		out = append(out, p)
	}
	return out
}

// alike parts rows into those with the same key, in the order they come.
func alike(rows []*matrix.Row, key func(*matrix.Row) string) [][]*matrix.Row {
	var out [][]*matrix.Row
	index := map[string]int{}
	for _, r := range rows {
		at, ok := index[key(r)]
		if !ok {
			at = len(out)
			index[key(r)] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], r)
	}
	return out
}

// places lists registry and image of rows, most of them at the most.
func places(rows []*matrix.Row, most int) []string {
	var out []string
	for i, r := range rows {
		if i == most {
			return append(out, fmt.Sprintf("and %d more", len(rows)-most))
		}
		out = append(out, r.Registry+" "+r.Image)
	}
	return out
}

// summaryLines are the closing lines of the table.
func summaryLines(m *matrix.Matrix) []string {
	s := m.Summary
	out := []string{fmt.Sprintf("%s of %s: %s", matrix.Quantity(s.Rows, "image"), matrix.Quantity(s.Registries, "registry"), SeverityCounts(s))}
	var strategies []string
	for _, strategy := range matrix.Strategies {
		strategies = append(strategies, fmt.Sprintf("%s %d", strategy, countStrategy(m.Rows, strategy)))
	}
	out = append(out, "strategy: "+strings.Join(strategies, ", "))
	if codes := findingCounts(m.Rows); len(codes) > 0 {
		out = append(out, "findings: "+strings.Join(codes, ", ")+"; the Markdown report and refmatrix explain say what each means")
	}
	if s.Unexpected > 0 {
		out = append(out, unexpectedWords(s.Unexpected))
	}
	if m.Shard != "" {
		out = append(out, "shard "+m.Shard+": the other shards hold the rest of the inventory")
	}
	if !m.Complete {
		out = append(out, "not complete: images of the inventory are missing here")
	}
	return out
}

// Meanings of the words that reports count by, for those who meet them first.
var (
	severityMeaning = map[matrix.Severity]string{
		matrix.Fail: "the registry, the network or the sign-in broke",
		matrix.Warn: "no usable referrers API: clients fall back to tags",
		matrix.Info: "could not be measured; image, account or limits to check",
		matrix.Pass: "the referrers API works",
	}
	strategyMeaning = map[matrix.Strategy]string{
		matrix.ReferrersAPI:    "link by the referrers API",
		matrix.ReferrersTag:    "link by the referrers tag schema (sha256-… tags)",
		matrix.StrategyUnknown: "not known from this scan",
	}
)

// unexpectedWords says how many rows are not as the inventory expects.
func unexpectedWords(n int) string {
	if n == 1 {
		return "1 image is not as the inventory expects"
	}
	return fmt.Sprintf("%d images are not as the inventory expects", n)
}

// findingCounts words how many rows have each finding, the most frequent
// first: "filter-ignored 4".
func findingCounts(rows []matrix.Row) []string {
	counts := map[string]int{}
	for i := range rows {
		for _, f := range rows[i].Findings {
			counts[f.Code]++
		}
	}
	var out []string
	for _, code := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	}) {
		out = append(out, fmt.Sprintf("%s %d", code, counts[code]))
	}
	return out
}

// SeverityCounts words s from the gravest severity to the mildest, the one
// order of all reports: "1 fail, 8 warn, 0 info, 8 pass".
func SeverityCounts(s matrix.Summary) string {
	var words []string
	for _, severity := range matrix.Severities {
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

// Bounds of a problem in the table: the reports hold the rest.
const (
	shownPlaces  = 8
	shownDetails = 3
	shownMends   = 6
)

// problem writes what is wrong, and for each mend where, and what to do.
func (l *lines) problem(p problem, o Options) {
	l.line("\n%s %s (%d)", severityWord(p.severity, o), p.reason, len(p.rows))
	for i, m := range p.mends {
		if i == shownMends {
			l.text("  ", "and "+matrix.Quantity(len(p.mends)-i, "other remedy")+", in the reports")
			break
		}
		if i == 0 || !slices.Equal(m.details(), p.mends[i-1].details()) {
			l.details(m)
		}
		l.items("  at: ", places(m.rows, shownPlaces))
		if len(m.remedy) > 0 {
			l.text("  do: ", m.remedy[0])
		}
	}
}

// details gives what was seen of the rows of m, each answer once.
func (m mend) details() []string {
	var out []string
	for _, s := range m.seen {
		out = append(out, s.detail)
	}
	return out
}

func (l *lines) details(m mend) {
	for i, detail := range m.details() {
		if i == shownDetails {
			l.text("  ", "and "+matrix.Quantity(len(m.seen)-i, "other answer")+", in the reports")
			return
		}
		l.text("  ", detail)
	}
}

// severityWord is the severity in capitals, in its colour where there are
// colours.
func severityWord(severity matrix.Severity, o Options) verbatim {
	word := clean(strings.ToUpper(string(severity)))
	if o.Color {
		word = severityColors[severity].Sprint(word)
	}
	return verbatim(word)
}
