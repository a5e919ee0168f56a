package matrix

import "time"

// ScanCounts is a scan in numbers, for reports that look back on older ones.
type ScanCounts struct {
	Started    time.Time
	Rows       int
	Severities map[Severity]int
	Strategies map[Strategy]int
}

// NewScanCounts returns the counts of a scan that began at started, of no rows
// yet.
func NewScanCounts(started time.Time) ScanCounts {
	return ScanCounts{Started: started, Severities: map[Severity]int{}, Strategies: map[Strategy]int{}}
}

// Add counts one row.
func (c *ScanCounts) Add(severity Severity, strategy Strategy) {
	c.Rows++
	c.Severities[severity]++
	c.Strategies[strategy]++
}

// ScanCounts returns the rows of m in numbers.
func (m *Matrix) ScanCounts() ScanCounts {
	c := NewScanCounts(m.Started)
	for i := range m.Rows {
		c.Add(m.Rows[i].Severity, m.Rows[i].Strategy)
	}
	return c
}

// ScanCounts returns the counts of s, of a scan that began at started. It returns false if
// the numbers cannot be those of rows: versions up to 0.1.0 counted no strategies, and a
// newer one may count severities or strategies that this one does not know.
func (s Summary) ScanCounts(started time.Time) (ScanCounts, bool) {
	c := NewScanCounts(started)
	c.Rows = s.Rows
	for _, severity := range Severities {
		c.Severities[severity] = s.Count(severity)
	}
	for _, strategy := range Strategies {
		c.Strategies[strategy] = s.Strategies[strategy]
	}
	return c, s.Strategies != nil && sumTo(c.Severities, s.Rows) && sumTo(c.Strategies, s.Rows)
}

// sumTo reports whether counts are of all of n rows, each counted once.
func sumTo[K comparable](counts map[K]int, n int) bool {
	left := n
	for _, count := range counts {
		if count < 0 || count > left {
			return false
		}
		left -= count
	}
	return left == 0
}
