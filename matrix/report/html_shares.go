package report

import (
	"fmt"
	"strconv"

	"refmatrix/matrix"
)

// share is a bar whose parts are shares of all rows.
type share struct {
	Title, Note string
	Total       int
	Parts       []part
}

// part is one value of a share: its text, and its rectangle in a viewBox of
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
	{
		title:  "Severity",
		key:    "severity",
		values: texts(matrix.Severities),
		means:  func(value string) string { return severityMeaning[matrix.Severity(value)] },
		count:  func(c matrix.ScanCounts, value string) int { return c.Severities[matrix.Severity(value)] },
	},
	{
		title:  "Strategy",
		key:    "strategy",
		values: texts(matrix.Strategies),
		means:  func(value string) string { return strategyMeaning[matrix.Strategy(value)] },
		count:  func(c matrix.ScanCounts, value string) int { return c.Strategies[matrix.Strategy(value)] },
	},
}

// Sizes of a bar in units of its viewBox: the page stretches it.
const (
	barWidth = 1000.0
	barGap   = 3.0
	barLeast = 8.0 // a single failure among thousands of rows must be seen
)

// shares returns the bars of now, with what changed since the last of the scans.
func shares(now matrix.ScanCounts, scans []matrix.ScanCounts) []share {
	var out []share
	for _, t := range tallies {
		s := share{Title: t.title, Total: now.Rows}
		for _, value := range t.values {
			n := t.count(now, value)
			p := part{
				Key:     t.key,
				Name:    value,
				Means:   t.means(value),
				Class:   "c-" + value,
				Count:   n,
				Percent: percent(n, now.Rows),
			}
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

// Alt is the bar as text, for those who do not see it.
func (s share) Alt() string {
	text := s.Title + " by share:"
	for i, p := range s.Parts {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %s %d", p.Name, p.Count)
		if p.Percent != "" {
			text += " (" + p.Percent + ")"
		}
	}
	return text
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
