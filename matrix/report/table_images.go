package report

import (
	"strings"

	"refmatrix/matrix"
)

// imageColumns are the columns of the table of images, from left to right.
var imageColumns = newImageColumns([]imageColumn{
	{key: "severity", gridColumn: gridColumn[matrix.Row]{
		noWrap:   true,
		severity: true,
		title:    "SEV",
		value:    func(r *matrix.Row) string { return strings.ToUpper(string(r.Severity)) },
	}},
	{key: "registry"},
	{key: "image"},
	{key: "strategy", gridColumn: gridColumn[matrix.Row]{noWrap: true}},
	{key: "reason", gridColumn: gridColumn[matrix.Row]{value: func(r *matrix.Row) string {
		if r.Unexpected {
			return string(r.Reason) + " (unexpected)"
		}
		return string(r.Reason)
	}}},
	{key: "status", gridColumn: gridColumn[matrix.Row]{minWidth: 100, noWrap: true, right: true}},
	{key: "confidence", gridColumn: gridColumn[matrix.Row]{minWidth: 140, noWrap: true}},
	{key: "software", gridColumn: gridColumn[matrix.Row]{minWidth: 120}},
	{key: "filter", gridColumn: gridColumn[matrix.Row]{minWidth: 160, noWrap: true}},
	{key: "tag_schema", gridColumn: gridColumn[matrix.Row]{minWidth: 160, noWrap: true}},
	{key: "push", gridColumn: gridColumn[matrix.Row]{minWidth: 180, noWrap: true}},
	{key: "requests", gridColumn: gridColumn[matrix.Row]{
		minWidth: 180,
		noWrap:   true,
		right:    true,
		value:    func(r *matrix.Row) string { return numberOrNone(r.Requests) },
	}},
	{key: "duration_ms", gridColumn: gridColumn[matrix.Row]{minWidth: 110, noWrap: true, right: true}},
})

// imageColumn is a column that shows the cell of a row. Its title and value are those of the
// cell where they are left out.
type imageColumn struct {
	key string
	gridColumn[matrix.Row]
}

func newImageColumns(columns []imageColumn) []gridColumn[matrix.Row] {
	var out []gridColumn[matrix.Row]
	for _, c := range columns {
		out = append(out, c.gridColumn.of(cellOf(c.key)))
	}
	return out
}
