package report

import "refmatrix/matrix"

// MaxScans is how many scans a report that looks back shows, the newest among
// them: a year of weeks.
const MaxScans = 52

// Options are what a rendering depends on beside what is rendered.
type Options struct {
	Width   int                 // columns of the terminal; 0 = unlimited
	Color   bool                // the terminal shows colours
	History []matrix.ScanCounts // older scans, oldest first, for reports that look back
}
