package report

import "refmatrix/matrix"

// MaxScans is how many scans a report that looks back shows, the newest among
// them: a year of weeks.
const MaxScans = 52

// Options are what a rendering depends on beside what is rendered. The zero value
// renders a matrix by registry, with every row, within MaxMarkdown.
type Options struct {
	Width   int                 // columns of the terminal; 0 = unlimited
	Color   bool                // the terminal shows colours
	History []matrix.ScanCounts // older scans, oldest first, for reports that look back

	By       Line   // what a line is; "" = of the table and of Markdown a registry, of CSV that is printed an image
	Rows     RowsIn // which rows of registries the Markdown matrix shows
	MaxBytes int    // of Markdown; 0 = MaxMarkdown
	Series   Series // which series metrics have
}

// maxBytes returns the bound of a Markdown report.
func (o Options) maxBytes() int {
	if o.MaxBytes == 0 {
		return MaxMarkdown
	}
	return o.MaxBytes
}

// Line is what a line of a matrix is.
type Line string

// The lines.
const (
	ByRegistry Line = "registry"
	ByImage    Line = "image" // every row, in the inventory's order
)

// RowsIn says which rows the matrix of a Markdown report shows.
type RowsIn string

// The choices of rows. The zero value is AllRows.
const (
	AllRows     RowsIn = "all"
	ProblemRows RowsIn = "problems" // those that do not pass
	NoRows      RowsIn = "none"
)

// MaxMarkdown bounds a Markdown report in bytes, because GitHub drops a step summary over
// 1 MiB.
const MaxMarkdown = 900 << 10

// LeastMarkdown is the smallest bound that may be chosen: what a scan of a fleet that meets every
// reason needs to name each thing to do.
const LeastMarkdown = 16 << 10

// Series says which series metrics have.
type Series string

// The choices of series. The zero value is FewSeries.
const (
	FewSeries Series = "auto" // those of single rows up to MaxRowSeries rows
	AllSeries Series = "all"
)

// MaxRowSeries is the number of rows up to which metrics have series for every row.
const MaxRowSeries = 5000
