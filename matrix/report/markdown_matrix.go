package report

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// markdownColumn is a column of a table; show is nil if the cell is shown as it is.
type markdownColumn[T any] struct {
	key  string
	show func(*T) markup
}

// markdownRegistries are those of the matrix of registries. A column that is empty in every
// registry is left out, here and in the matrix of images.
var markdownRegistries = append([]markdownColumn[matrix.Registry]{
	{"severity", func(r *matrix.Registry) markup { return severityMark(r.Severity) }},
	{"registry", nil},
	{"counts", nil},
	{"referrers", nil},
	{"strategy", nil},
	{"unexpected", nil},
	{"software", nil},
	{"filter", nil},
	{"pagination", nil},
	{"absent_subject", nil},
	{"tag_schema", nil},
	{"cosign_tags", nil},
	{"push", nil},
	{"links", nil},
	{"coverage", nil},
	{"lost", nil},
}, markdownClients()...)

func markdownClients() (out []markdownColumn[matrix.Registry]) {
	for _, key := range clientKeys() {
		out = append(out, markdownColumn[matrix.Registry]{key: key})
	}
	return out
}

// markdownImages are those of the matrix of images.
var markdownImages = []markdownColumn[matrix.Row]{
	{"severity", func(r *matrix.Row) markup { return severityMark(r.Severity) }},
	{"registry", nil},
	{"image", nil},
	{"strategy", nil},
	{"reason", func(r *matrix.Row) markup {
		if r.Unexpected {
			return markdownCell.escape(string(r.Reason) + " (expected " + r.Expect + ")")
		}
		return markdownCell.escape(r.Reason)
	}},
	{"confidence", nil},
	{"software", nil},
	{"filter", nil},
	{"tag_schema", nil},
	{"push", nil},
}

func severityMark(severity matrix.Severity) markup {
	if severity == matrix.Fail || severity == matrix.Warn {
		return markdownCell.sprintf("**%s**", severity)
	}
	return markdownCell.escape(severity)
}

// tableSection is a table with a line for each of shown. all decides which columns are empty.
func tableSection[T any](all []T, shown []*T, cells []cell[T], columns []markdownColumn[T]) markdownSection {
	var head []any
	body := make([][]any, len(shown))
	for _, column := range columns {
		c, show := cellIn(cells, column.key), column.show
		if isEmpty(all, c.value) {
			continue
		}
		if show == nil {
			show = func(one *T) markup { return c.show(one, markdownCell) }
		}
		head = append(head, c.title)
		for i, one := range shown {
			body[i] = append(body[i], show(one))
		}
	}
	s := markdownSection{head: written(func(p *lines) { p.tableHead(head...) })}
	for _, row := range body {
		s.items = append(s.items, written(func(p *lines) { p.tableRow(row...) }))
	}
	return s
}

// matrixSections returns the matrix, and the images if they are not the matrix themselves.
func matrixSections(m *matrix.Matrix, o Options) (registries, images []markdownSection) {
	rows := imageSection(m, o.Rows)
	if o.By == ByImage {
		rows.head = "\n## Matrix\n\n" + severityLegend() + rows.head
		return []markdownSection{rows}, nil
	}
	rows.head = "\n## Images\n\n" + rows.head
	table := tableSection(m.Registries, matrix.WorstFirst(m.Registries), registryCells, markdownRegistries)
	if strings.Contains(strings.Join(table.items, ""), markdownCell.text(differsMark)) {
		table.head = written(func(p *lines) { p.line("%s.\n", differsNote) }) + table.head
	}
	table.head = "\n## Registries\n\n" + severityLegend() + table.head
	table.noun, table.files = "registry", "registries.csv and "+inJSON
	return []markdownSection{table, differingSection(m)}, []markdownSection{rows}
}

// severityLegend says what the severities mean.
func severityLegend() string {
	return written(func(p *lines) {
		var parts []string
		for _, severity := range matrix.Severities {
			parts = append(parts, fmt.Sprintf("%s: %s", severity, severityMeaning[severity]))
		}
		p.line("%s.\n", strings.Join(parts, "; "))
	})
}

// imageSection is a table with a line for every image that in chooses, in the inventory's order.
func imageSection(m *matrix.Matrix, in RowsIn) markdownSection {
	var shown []*matrix.Row
	for i := range m.Rows {
		r := &m.Rows[i]
		if in == ProblemRows && r.Severity == matrix.Pass || in == NoRows {
			continue
		}
		shown = append(shown, r)
	}
	s := tableSection(m.Rows, shown, rowCells, markdownImages)
	s.noun, s.files = "image", "matrix.csv and "+inJSON
	return s
}

// differingSection lists the registries whose images differ in their verdicts, worst first.
func differingSection(m *matrix.Matrix) markdownSection {
	s := markdownSection{
		head:  "\n### Images that differ\n\n",
		noun:  "registry",
		which: " whose images differ",
		files: "matrix.csv and " + inJSON,
	}
	rows := rowsByRegistry(m)
	for _, registry := range matrix.WorstFirst(m.Registries) {
		if verdicts := groupBy(rows[registry.Name], verdictOf); len(verdicts) > 1 {
			s.items = append(s.items, written(func(p *lines) { markdownDiffering(p, verdicts) }))
		}
	}
	return s
}

// maxDifferingImages bounds the images that are named of one registry with one verdict.
const maxDifferingImages = 5

// markdownDiffering writes the verdicts on the images of one registry, the most frequent first.
func markdownDiffering(p *lines, verdicts [][]*matrix.Row) {
	slices.SortStableFunc(verdicts, func(a, b []*matrix.Row) int { return len(b) - len(a) })
	parts := []markup{p.medium.sprintf("%s: %s", verdictOf(verdicts[0][0]), matrix.Quantity(len(verdicts[0]), "image"))}
	for _, same := range verdicts[1:] {
		var images []string
		for _, r := range same {
			images = append(images, r.Image)
		}
		parts = append(parts, p.medium.sprintf("%s: %s", verdictOf(same[0]), someNames(p.medium, images, maxDifferingImages)))
	}
	p.line("- %s: %s", nameText(verdicts[0][0].Registry), join(parts, "; "))
}
