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
