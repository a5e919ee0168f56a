package report

import (
	"fmt"
	"slices"

	"refmatrix/matrix"
)

// registryLine is a line of the matrix by registry: a registry, or one of its images that
// differs. The cells of an image are those of a registry that has this image alone.
type registryLine struct {
	matrix.Registry
	image bool
	more  int // not a registry or an image: so many further images differ
}

// registryLines returns the lines of the matrix, worst first. Below a registry stand the images
// whose verdict is not that of most of its images, limit of them at most or one more.
func registryLines(m *matrix.Matrix, limit int) []registryLine {
	rows := rowsByRegistry(m)
	var out []registryLine
	for _, registry := range matrix.WorstFirst(m.Registries) {
		out = append(out, registryLine{Registry: *registry})
		differing := differingRows(rows[registry.Name])
		named := len(differing)
		if named > limit+1 { // in place of the line that says how many more, the last one is named
			named = limit
		}
		for _, r := range differing[:named] {
			line := registryLine{Registry: matrix.RollUp([]matrix.Row{*r})[0], image: true}
			line.Name = r.Image
			out = append(out, line)
		}
		if more := len(differing) - named; more > 0 {
			out = append(out, registryLine{more: more})
		}
	}
	return out
}

// rowsByRegistry returns the rows of m by the names of their registries.
func rowsByRegistry(m *matrix.Matrix) map[string][]*matrix.Row {
	rows := map[string][]*matrix.Row{}
	for i := range m.Rows {
		r := &m.Rows[i]
		rows[r.Registry] = append(rows[r.Registry], r)
	}
	return rows
}

// differingRows returns the rows whose verdict is not that of most of them, the most severe
// first. Of verdicts that are equally frequent the mildest is that of most, because what is
// worse is worth a line.
func differingRows(rows []*matrix.Row) []*matrix.Row {
	verdicts := groupBy(rows, verdictOf)
	if len(verdicts) < 2 {
		return nil
	}
	rank := func(r *matrix.Row) int { return slices.Index(matrix.Severities, r.Severity) }
	most := slices.MaxFunc(verdicts, func(a, b []*matrix.Row) int {
		if by := len(a) - len(b); by != 0 {
			return by
		}
		return rank(a[0]) - rank(b[0])
	})
	usual := verdictOf(most[0])
	out := slices.DeleteFunc(slices.Clone(rows), func(r *matrix.Row) bool { return verdictOf(r) == usual })
	slices.SortStableFunc(out, func(a, b *matrix.Row) int { return rank(a) - rank(b) })
	return out
}

// verdictOf is the verdict on an image in short: "warn, referrers-tag (not-found)". Images that
// pass have the same, whether something is listed or not.
func verdictOf(r *matrix.Row) string {
	text := fmt.Sprintf("%s, %s", r.Severity, r.Strategy)
	if r.Severity != matrix.Pass {
		text += fmt.Sprintf(" (%s)", r.Reason)
	}
	if r.Unexpected {
		text += ", expected " + r.Expect
	}
	return text
}
