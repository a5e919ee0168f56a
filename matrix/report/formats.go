// Package report renders what was measured: one file a format, and a table of
// formats for each thing that can be rendered.
//
// Formats stand on ground that none of them owns, and take nothing from one
// another. What a row shows is in cells.go, and what was measured besides in
// capabilities.go; a format picks from both by key. A text report is written by
// lines, which escapes every text for its medium; escape.go lists the rules.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
)

// Options are what a rendering depends on beside what is rendered.
type Options struct {
	Width   int                 // columns of the terminal; 0 = unlimited
	Color   bool                // the terminal shows colours
	History []matrix.ScanCounts // older scans, oldest first, for reports that look back
}

// Format is one way to render a T.
type Format[T any] struct {
	Name   string                                         // as --format takes it
	Alias  string                                         // another name for it; "" = none
	File   string                                         // its name in the output directory; "" = it is only printed
	Render func(w io.Writer, rendered T, o Options) error // keeps no state between calls

	Archived  bool // a scan is kept in the history as this format renders it
	LooksBack bool // it shows older scans, Options.History
}

// Formats lists the formats of a T, in the order that help names them.
type Formats[T any] []Format[T]

// Matrices are the formats of a matrix. A new one is a file with a function,
// and an entry here.
var Matrices = Formats[*matrix.Matrix]{
	{Name: "table", Alias: "text", Render: table},
	{Name: "csv", File: "matrix.csv", Render: csvRecords},
	{Name: "markdown", File: "matrix.md", Render: markdown},
	{Name: "json", File: "matrix.json", Render: matrixJSON, Archived: true},
	{Name: "html", File: "matrix.html", Render: htmlPage, LooksBack: true},
	{Name: "junit", File: "matrix.junit.xml", Render: junit},
	{Name: "prometheus", Alias: "openmetrics", File: "refmatrix.prom", Render: prometheus},
}

// Diffs are the formats of what changed between two scans.
var Diffs = Formats[matrix.Diff]{
	{Name: "text", Alias: "table", Render: diffText},
	{Name: "markdown", Render: diffMarkdown},
	{Name: "json", Render: indentedJSON[matrix.Diff]},
}

// Assessments are the formats of what happens to links that move.
var Assessments = Formats[migration.Assessment]{
	{Name: "text", Alias: "table", Render: assessmentText},
	{Name: "markdown", Render: assessmentMarkdown},
	{Name: "json", Render: indentedJSON[migration.Assessment]},
}

// Explanations are the formats of the rows of one registry with all that
// explains them.
var Explanations = Formats[[]Explanation]{
	{Name: "text", Alias: "table", Render: explanationText},
	{Name: "json", Render: explanationJSON},
}

// Names returns the names that --format takes, without the aliases.
func (f Formats[T]) Names() []string {
	var names []string
	for i := range f {
		names = append(names, f[i].Name)
	}
	return names
}

// Find returns the format called name, which may be an alias. The error lists
// the names there are.
func (f Formats[T]) Find(name string) (Format[T], error) {
	for i := range f {
		if name != "" && (f[i].Name == name || f[i].Alias == name) {
			return f[i], nil
		}
	}
	return Format[T]{}, fmt.Errorf("unknown format %q: choose %s", name, choices(f.Names()))
}

// Parse reads a list of names, "table,csv" or "all", and returns each format
// once.
func (f Formats[T]) Parse(list string) ([]Format[T], error) {
	var out []Format[T]
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		if name == "all" {
			return f, nil
		}
		format, err := f.Find(name)
		if err != nil {
			return nil, fmt.Errorf("unknown format %q: choose %s", name, choices(append(f.Names(), "all")))
		}
		if !slices.ContainsFunc(out, func(have Format[T]) bool { return have.Name == format.Name }) {
			out = append(out, format)
		}
	}
	return out, nil
}

// choices writes names as a sentence does: "text, markdown or json".
func choices(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
