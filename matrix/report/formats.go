// Package report renders what was measured: one file a format, and a table of
// formats for each thing that can be rendered.
//
// Formats stand on ground that none of them owns, and take nothing from one
// another. What a row shows is in cells.go, and what was measured besides in
// capabilities.go; a format picks from both by key. A text report is written by
// lines, which escapes every text for its medium; escape.go lists the rules.
package report

import (
	"refmatrix/matrix"
	"refmatrix/matrix/migration"
)

// Matrices are the formats of a matrix. A new one is a file with a function,
// and an entry here.
var Matrices = Formats[*matrix.Matrix]{
	{Name: "table", Alias: "text", Render: table},
	{
		Name:       "csv",
		File:       "matrix.csv",
		Render:     matrixRecords,
		ByRegistry: &File[*matrix.Matrix]{Name: "registries.csv", Render: registryRecords},
	},
	{Name: "markdown", File: "matrix.md", Render: markdown},
	{Name: "json", File: "matrix.json", Render: matrixJSON, Archive: archivedJSON},
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
