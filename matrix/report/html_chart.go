package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"refmatrix/matrix"
)

// share is a bar whose parts are shares of all rows.
type share struct {
	Title, Note string
	Total       int
	Parts       []part
}

// part is one value of a share: its words, and its rectangle in a viewBox of
// barWidth.
type part struct {
	Key, Name, Class, Percent, Delta string
	Means                            string
	Count                            int
	X, Width                         string
}

// tally counts the rows of a scan by one quality.
type tally struct {
	title, key string
	values     []string
	means      func(value string) string
	count      func(matrix.ScanCounts, string) int
}

var tallies = []tally{
	{"Severity", "severity", severityNames(), func(value string) string { return severityMeaning[matrix.Severity(value)] }, func(p matrix.ScanCounts, value string) int {
		return p.Severities[matrix.Severity(value)]
	}},
	{"Strategy", "strategy", strategyNames(), func(value string) string { return strategyMeaning[matrix.Strategy(value)] }, func(p matrix.ScanCounts, value string) int {
		return p.Strategies[matrix.Strategy(value)]
	}},
}

func severityNames() []string {
	var out []string
	for _, s := range matrix.Severities {
		out = append(out, string(s))
	}
	return out
}

func strategyNames() []string {
	var out []string
	for _, s := range matrix.Strategies {
		out = append(out, string(s))
	}
	return out
}

// Sizes of a bar in units of its viewBox: the page stretches it.
const (
	barWidth = 1000.0
	barGap   = 3.0
	barLeast = 8.0 // a single failure among thousands of rows must be seen
)

// shares gives the bars of now, with what changed since the last of the scans.
func shares(now matrix.ScanCounts, scans []matrix.ScanCounts) []share {
	var out []share
	for _, t := range tallies {
		s := share{Title: t.title, Total: now.Rows}
		for _, value := range t.values {
			n := t.count(now, value)
			p := part{Key: t.key, Name: value, Means: t.means(value), Class: "c-" + value, Count: n, Percent: percent(n, now.Rows)}
			if len(scans) > 0 {
				last := scans[len(scans)-1]
				p.Delta = delta(n - t.count(last, value))
				s.Note = "change since " + day(last.Started, now.Started)
			}
			s.Parts = append(s.Parts, p)
		}
		s.measure()
		out = append(out, s)
	}
	return out
}

// measure lays the parts side by side, none thinner than barLeast.
func (s *share) measure() {
	var seen []int
	for i := range s.Parts {
		if s.Parts[i].Count > 0 {
			seen = append(seen, i)
		}
	}
	if len(seen) == 0 {
		return
	}
	room := barWidth - barGap*float64(len(seen)-1)
	widths := make([]float64, len(seen))
	excess, widest := -room, 0
	for j, i := range seen {
		widths[j] = max(barLeast, room*float64(s.Parts[i].Count)/float64(s.Total))
		excess += widths[j]
		if widths[j] > widths[widest] {
			widest = j
		}
	}
	widths[widest] -= excess
	x := 0.0
	for j, i := range seen {
		s.Parts[i].X, s.Parts[i].Width = decimal(x), decimal(widths[j])
		x += widths[j] + barGap
	}
}

// Alt words the bar for those who do not see it.
func (s share) Alt() string {
	text := s.Title + " by share:"
	for i, p := range s.Parts {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %s %d (%s)", p.Name, p.Count, p.Percent)
	}
	return text
}

// percent rounds, but never to none or all where that is not so.
func percent(n, total int) string {
	if total == 0 || n == 0 {
		return "0%"
	}
	switch rounded := (200*n + total) / (2 * total); {
	case rounded == 0:
		return "<1%"
	case rounded == 100 && n < total:
		return ">99%"
	default:
		return strconv.Itoa(rounded) + "%"
	}
}

func delta(n int) string {
	switch {
	case n > 0:
		return fmt.Sprintf("+%d", n)
	case n < 0:
		return fmt.Sprintf("\u2212%d", -n)
	}
	return "±0"
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// past is how the scans went over time.
type past struct {
	From, To string
	Charts   []pastChart
	Head     []string
	Scans    []pastScan
}

// pastChart is one picture, a column a scan.
type pastChart struct {
	Title   string
	Highest int
	ViewBox string
	Columns []pastColumn
}

type pastColumn struct {
	Words string
	Parts []columnPart
}

type columnPart struct{ Class, X, Y, Height string }

// pastScan is a column in numbers.
type pastScan struct {
	Start  string
	Rows   int
	Counts []int
}

// Sizes of the pictures in units of their viewBox.
const (
	pastHeight   = 100.0
	pastStep     = 10
	pastBar      = 8   // of pastStep; the template draws this width
	leastColumns = 16  // a young history does not fill the picture
	leastPart    = 1.5 // of pastHeight, so that one failure is seen
	mostScans    = 52  // a year of weeks; older scans are in the history folder
)

// pastScans gives the scans of history that are older than m, oldest first.
func pastScans(m *matrix.Matrix, history []matrix.ScanCounts) []matrix.ScanCounts {
	var out []matrix.ScanCounts
	for _, scan := range history {
		if scan.Started.Before(m.Started) {
			out = append(out, scan)
		}
	}
	slices.SortStableFunc(out, func(a, b matrix.ScanCounts) int { return a.Started.Compare(b.Started) })
	return out[max(0, len(out)-mostScans+1):]
}

// newPast draws the scans, the newest last; nil where there is only that one.
func newPast(scans []matrix.ScanCounts) *past {
	if len(scans) < 2 {
		return nil
	}
	first, last := scans[0].Started, scans[len(scans)-1].Started
	p := &past{From: day(first, last), To: day(last, first)}
	highest := 1
	for _, scan := range scans {
		highest = max(highest, scan.Rows)
		numbers := pastScan{Start: scanTime(scan.Started), Rows: scan.Rows}
		for _, t := range tallies {
			for _, value := range t.values {
				numbers.Counts = append(numbers.Counts, t.count(scan, value))
			}
		}
		p.Scans = append(p.Scans, numbers)
	}
	for _, t := range tallies {
		p.Head = append(p.Head, t.values...)
		width := float64(max(len(scans), leastColumns) * pastStep)
		chart := pastChart{Title: t.title, Highest: highest, ViewBox: fmt.Sprintf("0 0 %g %g", width, pastHeight)}
		for i, scan := range scans {
			// The first stands above the date on the left, the last above that on the right.
			x := float64(i) * (width - pastBar) / float64(len(scans)-1)
			chart.Columns = append(chart.Columns, t.column(scan, x, highest))
		}
		p.Charts = append(p.Charts, chart)
	}
	return p
}

// day is the date of a scan, with the time where the other began on the same.
func day(t, other time.Time) string {
	const date = "2006-01-02"
	if t.UTC().Format(date) == other.UTC().Format(date) {
		return t.UTC().Format(date + " 15:04 UTC")
	}
	return t.UTC().Format(date)
}

// column stacks the counts of one scan at x from the bottom, the gravest
// undermost, where all scans have the same ground to be compared on.
func (t tally) column(scan matrix.ScanCounts, x float64, highest int) pastColumn {
	c := pastColumn{Words: scan.Started.UTC().Format("2006-01-02 15:04")}
	y := pastHeight
	for _, value := range t.values {
		n := t.count(scan, value)
		c.Words += fmt.Sprintf(", %s %d", value, n)
		if n == 0 {
			continue
		}
		height := min(y, max(leastPart, pastHeight*float64(n)/float64(highest)))
		y -= height
		c.Parts = append(c.Parts, columnPart{Class: "c-" + value, X: decimal(x), Y: decimal(y), Height: decimal(height)})
	}
	return c
}
