package report

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// problem is the rows that do not pass for the same reason.
type problem struct {
	severity matrix.Severity
	reason   matrix.Reason
	rows     []*matrix.Row
	fixes    []fix
}

// fix is the rows of a problem that need the same to be done. The reason alone
// does not say what: remedies name products and versions.
type fix struct {
	remedy  []string
	rows    []*matrix.Row
	answers []answer
}

// answer is the rows of a fix that read the same, but for addresses and ids.
type answer struct {
	detail string
	rows   []*matrix.Row
}

// problems returns what does not pass, the most severe first, each in the
// matrix's order. Every report that groups rows groups them by this.
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
	byReason := groupBy(failing, func(r *matrix.Row) string { return string(r.Severity) + "\x00" + string(r.Reason) })
	for _, same := range byReason {
		p := problem{
			severity: same[0].Severity,
			reason:   same[0].Reason,
			rows:     same,
		}
		for _, same := range groupBy(same, func(r *matrix.Row) string { return strings.Join(r.Remedy, "\x00") }) {
			p.fixes = append(p.fixes, newFix(same))
		}
		out = append(out, p)
	}
	return out
}

func newFix(rows []*matrix.Row) fix {
	f := fix{
		remedy: rows[0].Remedy,
		rows:   rows,
	}
	for _, same := range groupBy(rows, func(r *matrix.Row) string { return withoutIDs(r.Detail, r.URL) }) {
		f.answers = append(f.answers, answer{same[0].Detail, same})
	}
	return f
}

// details returns what was seen of the rows of f, each answer once.
func (f fix) details() []string {
	var out []string
	for _, a := range f.answers {
		out = append(out, a.detail)
	}
	return out
}

// repeatsDetails reports whether the fix at index reads like the one before it,
// so that its details need not be written again.
func (p problem) repeatsDetails(index int) bool {
	return index > 0 && slices.Equal(p.fixes[index].details(), p.fixes[index-1].details())
}

// groupBy parts rows into those with the same key, in the order they come.
func groupBy(rows []*matrix.Row, key func(*matrix.Row) string) [][]*matrix.Row {
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

// rowNames lists registry and image of rows, limit of them at most.
func (m medium) rowNames(rows []*matrix.Row, limit int) []markup {
	var out []markup
	for i, r := range rows {
		if i == limit {
			return append(out, m.sprintf("and %d more", len(rows)-limit))
		}
		out = append(out, m.sprintf("%s %s", nameText(r.Registry), nameText(r.Image)))
	}
	return out
}
