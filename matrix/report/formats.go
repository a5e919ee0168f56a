// Package report renders a matrix: one file a format, all behind Renderer,
// and the directory that reports are kept in.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Options are what a rendering depends on beside the matrix.
type Options struct {
	Width   int    // columns of the terminal; 0 = unlimited
	Color   bool   // the terminal shows colours
	History []Past // older scans, oldest first, for reports that look back
}

// Renderer writes a matrix to w. It keeps no state between calls.
type Renderer interface {
	Render(w io.Writer, m *matrix.Matrix, o Options) error
}

// Format is one way to render a matrix.
type Format struct {
	Name string // as --format takes it
	File string // its name in the output directory; "" for one that is only printed
	Renderer
}

// Formats lists every format. A new one is a file with a Renderer, and a line
// here.
var Formats = []Format{
	{"table", "", table{}},
	{"csv", "matrix.csv", csvTable{}},
	{"markdown", "matrix.md", markdown{}},
	{"json", "matrix.json", document{}},
	{"html", "matrix.html", htmlRenderer{}},
	{"junit", "matrix.junit.xml", junit{}},
	{"openmetrics", "refmatrix.prom", openMetrics{}},
}

// Parse reads a list of format names, "table,csv" or "all", each taken once.
func Parse(list string) ([]Format, error) {
	var out []Format
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		if name == "all" {
			return Formats, nil
		}
		i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
		if i < 0 {
			var known []string
			for _, f := range Formats {
				known = append(known, f.Name)
			}
			return nil, fmt.Errorf("unknown format %q: choose %s or all", name, strings.Join(known, ", "))
		}
		if !slices.ContainsFunc(out, func(f Format) bool { return f.Name == name }) {
			out = append(out, Formats[i])
		}
	}
	return out, nil
}
