package report

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// maxTableDiffering bounds the images below a registry that differ from its other images.
const maxTableDiffering = 3

// leastName is how narrow the names of registries may get before other columns do.
const leastName = 24

// clientsMinWidth is how many columns the terminal has for the columns of clients to be shown.
const clientsMinWidth = 160

// registryColumn is a column of the matrix by registry that shows a cell.
type registryColumn struct {
	key      string
	minWidth int
	least    int
	noWrap   bool
}

// tableColumns are the columns after the severity and the name.
var tableColumns = slices.Concat([]registryColumn{
	{key: "counts"},
	{key: "referrers", noWrap: true},
	{key: "strategy", noWrap: true},
	{key: "reason", least: len("(unexpected)")},
	{key: "software", minWidth: 100},
	{key: "filter", minWidth: 120, noWrap: true},
	{key: "tag_schema", minWidth: 120, noWrap: true},
	{key: "push", minWidth: 120, noWrap: true},
	{key: "cosign_tags", minWidth: 180, noWrap: true},
	{key: "absent_subject", minWidth: 220, noWrap: true},
	{key: "pagination", minWidth: 220, noWrap: true},
	{key: "coverage", minWidth: 240},
	{key: "lost", minWidth: 120, noWrap: true},
}, tableClients())

func tableClients() []registryColumn {
	var out []registryColumn
	for _, key := range clientKeys() {
		out = append(out, registryColumn{key: key, minWidth: clientsMinWidth})
	}
	return out
}

// tableRegistries writes the matrix by registry.
func tableRegistries(p *lines, m *matrix.Matrix, o Options) {
	columns := []gridColumn[registryLine]{
		{
			title:    "SEV",
			noWrap:   true,
			severity: true,
			value:    func(l *registryLine) string { return strings.ToUpper(string(l.Severity)) },
		},
		{title: "REGISTRY", value: lineName, least: leastName},
	}
	for _, c := range tableColumns {
		cell := registryCellOf(c.key)
		columns = append(columns, gridColumn[registryLine]{
			minWidth: c.minWidth,
			least:    c.least,
			noWrap:   c.noWrap,
			title:    strings.ToUpper(cell.title),
			value: func(l *registryLine) string {
				if l.more > 0 || l.image && c.key == "counts" {
					return ""
				}
				return cell.value(&l.Registry)
			},
		})
	}
	drawn := registryLines(m, maxTableDiffering)
	p.line("%s", grid(columns, drawn, o))
	tableMatrixNotes(p, drawn, o)
}

// lineName is the name of a line, an image set in below its registry.
func lineName(l *registryLine) string {
	switch {
	case l.more > 0:
		return fmt.Sprintf("└ and %d more", l.more)
	case l.image:
		return "└ " + l.Name
	}
	return l.Name
}

// tableMatrixNotes explains the marks of the matrix, if there are any.
func tableMatrixNotes(p *lines, drawn []registryLine, o Options) {
	if o.Width > 0 && o.Width < clientsMinWidth {
		return
	}
	for i := range drawn {
		for _, key := range clientKeys() {
			if strings.HasSuffix(registryCellOf(key).value(&drawn[i].Registry), differsMark) {
				p.wrapped("", differsNote)
				return
			}
		}
	}
}
