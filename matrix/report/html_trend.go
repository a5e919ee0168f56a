package report

import (
	"fmt"
	"slices"
	"time"

	"refmatrix/matrix"
)

// trend is how the scans went over time.
type trend struct {
	From, To string
	Charts   []trendChart
	Header   []string
	Scans    []trendScan
}

// trendChart is one picture, a column a scan.
type trendChart struct {
	Title   string
	Highest int
	ViewBox string
	Columns []trendColumn
}

type trendColumn struct {
	Text  string
	Parts []columnPart
}

type columnPart struct{ Class, X, Y, Height string }

// trendScan is a column in numbers.
type trendScan struct {
	Start  string
	Rows   int
	Counts []int
}

// Sizes of the pictures in units of their viewBox.
const (
	trendHeight = 100.0
	trendStep   = 10
	trendBar    = 8   // of trendStep; the template draws this width
	minColumns  = 16  // a young history does not fill the picture
	minPart     = 1.5 // of trendHeight, so that one failure is seen
)

// olderScans returns the scans of history that are older than m, oldest first: as
// many as are shown beside m.
func olderScans(m *matrix.Matrix, history []matrix.ScanCounts) []matrix.ScanCounts {
	var out []matrix.ScanCounts
	for _, scan := range history {
		if scan.Started.Before(m.Started) {
			out = append(out, scan)
		}
	}
	slices.SortStableFunc(out, func(a, b matrix.ScanCounts) int { return a.Started.Compare(b.Started) })
	return out[max(0, len(out)-MaxScans+1):]
}

// newTrend draws the scans, the newest last; nil if there is only that one.
func newTrend(scans []matrix.ScanCounts) *trend {
	if len(scans) < 2 {
		return nil
	}
	first, last := scans[0].Started, scans[len(scans)-1].Started
	p := &trend{From: day(first, last), To: day(last, first)}
	highest := 1
	for _, scan := range scans {
		highest = max(highest, scan.Rows)
		numbers := trendScan{Start: scanTime(scan.Started), Rows: scan.Rows}
		for _, t := range tallies {
			for _, value := range t.values {
				numbers.Counts = append(numbers.Counts, t.count(scan, value))
			}
		}
		p.Scans = append(p.Scans, numbers)
	}
	for _, t := range tallies {
		p.Header = append(p.Header, t.values...)
		width := float64(max(len(scans), minColumns) * trendStep)
		chart := trendChart{
			Title:   t.title,
			Highest: highest,
			ViewBox: fmt.Sprintf("0 0 %g %g", width, trendHeight),
		}
		for i, scan := range scans {
			// The first stands above the date on the left, the last above that on the right.
			x := float64(i) * (width - trendBar) / float64(len(scans)-1)
			chart.Columns = append(chart.Columns, t.column(scan, x, highest))
		}
		p.Charts = append(p.Charts, chart)
	}
	return p
}

// day is the date of a scan, with the time if the other began on the same.
func day(t, other time.Time) string {
	const date = "2006-01-02"
	if t.UTC().Format(date) == other.UTC().Format(date) {
		return t.UTC().Format(date + " 15:04 UTC")
	}
	return t.UTC().Format(date)
}

// column stacks the counts of one scan at x from the bottom, the most severe
// undermost, because there all scans have the same ground to be compared on.
func (t tally) column(scan matrix.ScanCounts, x float64, highest int) trendColumn {
	c := trendColumn{Text: scan.Started.UTC().Format("2006-01-02 15:04")}
	y := trendHeight
	for _, value := range t.values {
		n := t.count(scan, value)
		c.Text += fmt.Sprintf(", %s %d", value, n)
		if n == 0 {
			continue
		}
		height := min(y, max(minPart, trendHeight*float64(n)/float64(highest)))
		y -= height
		c.Parts = append(c.Parts, columnPart{
			Class:  "c-" + value,
			X:      decimal(x),
			Y:      decimal(y),
			Height: decimal(height),
		})
	}
	return c
}
