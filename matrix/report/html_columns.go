package report

import (
	"fmt"
	"strings"

	"refmatrix/matrix"
)

// htmlColumn is a cell as the page's table shows it.
type htmlColumn struct {
	Key      string
	width    string // a track of the rows' grid (CSS, grid-template-columns)
	minWidth int    // shown if the window is this many pixels wide
	style    string // class of its cells: soft for what matters less, number for what stands right
}

// htmlColumns are the table's columns from left to right.
var htmlColumns = []htmlColumn{
	{"severity", "62px", 0, ""},
	{"registry", "minmax(0, 1.5fr)", 0, ""},
	{"image", "minmax(0, 1.7fr)", 0, ""},
	{"strategy", "104px", 0, ""},
	{"confidence", "82px", 1081, "soft"},
	{"reason", "minmax(0, 1.35fr)", 0, ""},
	{"status", "46px", 0, "number"},
	{"software", "minmax(0, 1fr)", 0, "soft"},
	{"filter", "78px", 1600, "soft"},
	{"tag_schema", "86px", 1600, "soft"},
	{"push", "102px", 1600, "soft"},
	{"findings", "74px", 1081, "number"},
	{"duration_ms", "64px", 1081, "number"},
}

// Title is the heading of the column.
func (c htmlColumn) Title() string { return cellOf(c.Key).title }

// Class is the class of the column's cells.
func (c htmlColumn) Class() string {
	class := c.Key
	if c.style != "" {
		class += " " + c.style
	}
	if c.minWidth > 0 {
		class += " minor"
	}
	return class
}

// columnStyle is the part of the page's style that follows from the columns: the
// tracks of a row, and what hides a column. The others take the place of a
// hidden one.
func columnStyle() string {
	var out, tracks strings.Builder
	out.WriteString(".matrix {")
	for _, c := range htmlColumns {
		fmt.Fprintf(&out, " --%s: %s;", c.Key, c.width)
		fmt.Fprintf(&tracks, " var(--%s)", c.Key)
	}
	fmt.Fprintf(&out, " }\n.matrix tr[id], .matrix > thead > tr { grid-template-columns:%s; }\n", tracks.String())
	const hidden = " { .matrix { --%[2]s: ; } .matrix .%[2]s { display: none; } }\n"
	for _, c := range htmlColumns {
		if c.minWidth > 0 {
			fmt.Fprintf(&out, "@media not all and (min-width: %[1]dpx)"+hidden, c.minWidth, c.Key)
		}
		fmt.Fprintf(&out, ".without-%[1]s { --%[1]s: ; } .without-%[1]s .%[1]s { display: none !important; }\n", c.Key)
	}
	return out.String()
}

// emptyColumns returns the keys of the columns that are empty in every row. The
// registry stays, because it holds the link that unfolds the row.
func emptyColumns(rows []matrix.Row) []string {
	var out []string
	for _, c := range columnCells() {
		if c.key != "registry" && isEmpty(rows, c.value) {
			out = append(out, c.key)
		}
	}
	return out
}

// columnCells returns the cells of the columns.
func columnCells() []*rowCell {
	var out []*rowCell
	for _, c := range htmlColumns {
		out = append(out, cellOf(c.Key))
	}
	return out
}

// numericColumns returns the keys of the columns that sort as numbers.
func numericColumns() []string {
	var out []string
	for _, c := range htmlColumns {
		if c.style == "number" {
			out = append(out, c.Key)
		}
	}
	return out
}
