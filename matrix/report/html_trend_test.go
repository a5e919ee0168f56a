package report

import (
	"testing"
	"time"

	"refmatrix/matrix"
)

// TestTrendEnds: the first scan stands above the date on the left and the last
// above that on the right, and two scans of one day are told by their times.
func TestTrendEnds(t *testing.T) {
	start := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	for _, one := range []struct {
		name     string
		scans    int
		step     time.Duration
		from, to string
		right    string // where the last column begins
	}{
		{"two on a day", 2, time.Hour, "2026-11-16 06:00 UTC", "2026-11-16 07:00 UTC", "152.0"},
		{"two weeks", 2, 7 * 24 * time.Hour, "2026-11-16", "2026-11-23", "152.0"},
		{"a year", 52, 7 * 24 * time.Hour, "2026-11-16", "2027-11-08", "512.0"},
	} {
		t.Run(one.name, func(t *testing.T) {
			var scans []matrix.ScanCounts
			for i := range one.scans {
				m := &matrix.Matrix{Started: start.Add(time.Duration(i) * one.step), Rows: []matrix.Row{{Severity: matrix.Fail, Strategy: matrix.StrategyUnknown}}}
				scans = append(scans, m.ScanCounts())
			}
			p := newTrend(scans)
			columns := p.Charts[0].Columns
			first, last := columns[0].Parts[0].X, columns[len(columns)-1].Parts[0].X
			if p.From != one.from || p.To != one.to || first != "0.0" || last != one.right {
				t.Errorf("from %q at %s to %q at %s, want from %q at 0.0 to %q at %s", p.From, first, p.To, last, one.from, one.to, one.right)
			}
		})
	}
}
