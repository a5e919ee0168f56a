package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// htmlColumn is a column of the page's matrix. Its lines are registries, and the images of
// one that is unfolded.
type htmlColumn struct {
	Key    string   `json:"key"`               // of registryCells
	Marked bool     `json:"marked"`            // its cells have a colour by their value
	List   []string `json:"clients,omitempty"` // clients of the library that the column is about

	group    string // heading above the first column of several
	width    int    // least width in pixels; what is left is shared in proportion
	minWidth int    // shown if the window is this many pixels wide
}

// htmlColumns are the columns from left to right. All but the minor ones are there at 1366
// pixels, the usual width of a small laptop.
var htmlColumns = slices.Concat([]htmlColumn{
	{Key: "registry", width: 168},
	{Key: "severity", width: 60, Marked: true},
	{Key: "referrers", width: 88, Marked: true},
	{Key: "strategy", width: 82},
	{Key: "counts", width: 62},
	{Key: "reason", width: 116, minWidth: 1000},
	{Key: "software", width: 98, minWidth: 1180},
	{Key: "filter", width: 76, minWidth: 1180, group: "Capabilities"},
	{Key: "absent_subject", width: 72, minWidth: 1300},
	{Key: "tag_schema", width: 66, minWidth: 1180},
	{Key: "push", width: 72, minWidth: 1180},
	{Key: "pagination", width: 76, minWidth: 1500},
	{Key: "content_type", width: 70, minWidth: 1700},
	{Key: "malformed_digest", width: 78, minWidth: 1700},
	{Key: "head", width: 64, minWidth: 1700},
	{Key: "cosign_tags", width: 66, minWidth: 1700},
}, clientColumns(), []htmlColumn{
	{Key: "coverage", width: 100, minWidth: 1600, group: "Links"},
	{Key: "links", width: 50, minWidth: 1600},
	{Key: "lost", width: 44, minWidth: 900, Marked: true},
})

func clientColumns() []htmlColumn {
	var out []htmlColumn
	for _, key := range clientKeys() {
		out = append(out, htmlColumn{
			Key:      key,
			Marked:   true,
			List:     strings.Split(registryCellOf(key).title, ", "),
			width:    76,
			minWidth: 760,
		})
	}
	out[0].group = "Clients: reading, then pushing if that differs"
	return out
}

// Title is the heading of the column.
func (c htmlColumn) Title() string { return registryCellOf(c.Key).title }

// Group is the heading above the column, "" if it belongs to the column before.
func (c htmlColumn) Group() string { return c.group }

// Class is the class of the column's cells.
func (c htmlColumn) Class() string { return strings.NewReplacer(":", "-", "_", "-").Replace(c.Key) }

// On paper a column is as wide as paperScale of its width, and minor if it is so at 1366 pixels.
const (
	paperScale = 0.78
	laptop     = 1366
)

// columnStyle is the part of the page's style that follows from the columns: their widths,
// and what hides a column.
func columnStyle() string {
	var out strings.Builder
	for _, c := range htmlColumns {
		class := c.Class()
		fmt.Fprintf(&out, ".matrix col.%s { width: %dpx; }\n", class, c.width)
		fmt.Fprintf(&out, "@media print { .matrix col.%s { width: %.0fpx; } }\n", class, paperScale*float64(c.width))
		if c.minWidth > 0 {
			fmt.Fprintf(&out, "@media screen and (width < %dpx) { .matrix .%s { display: none; } }\n", c.minWidth, class)
		}
		if c.minWidth > laptop {
			fmt.Fprintf(&out, "@media print { .matrix .%s { display: none; } }\n", class)
		}
	}
	return out.String()
}

// shownColumns returns the columns that some registry has a value for.
func shownColumns(registries []matrix.Registry) []htmlColumn {
	return slices.DeleteFunc(slices.Clone(htmlColumns), func(c htmlColumn) bool {
		return c.Key != "registry" && isEmpty(registries, registryCellOf(c.Key).value)
	})
}

// firstWord is what a value's colour goes by: the outcome of a client before what it pushes.
var firstWord = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*`)

// markClass returns the class of a value that has a colour.
func markClass(value string) string {
	if word := firstWord.FindString(value); word != "" {
		return " is-" + word
	}
	return ""
}
