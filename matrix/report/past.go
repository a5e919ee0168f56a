package report

import (
	"encoding/json"
	"time"

	"refmatrix/matrix"
)

// Past is an older scan in numbers, for reports that look back.
type Past struct {
	Started    time.Time
	Rows       int
	Severities map[matrix.Severity]int
	Strategies map[matrix.Strategy]int
}

// pastOf counts the rows of m.
func pastOf(m *matrix.Matrix) Past {
	p := Past{Started: m.Started, Severities: map[matrix.Severity]int{}, Strategies: map[matrix.Strategy]int{}}
	for i := range m.Rows {
		p.add(m.Rows[i].Severity, m.Rows[i].Strategy)
	}
	return p
}

func (p *Past) add(severity matrix.Severity, strategy matrix.Strategy) {
	p.Rows++
	p.Severities[severity]++
	p.Strategies[strategy]++
}

// readPast counts the rows of a stored matrix.json.
func readPast(path string) (Past, error) {
	p := Past{Severities: map[matrix.Severity]int{}, Strategies: map[matrix.Strategy]int{}}
	head, err := readHead(path)
	if err != nil {
		return p, err
	}
	p.Started = head.Started
	return p, eachRow(path, func(decoder *json.Decoder) error {
		var row struct {
			Severity matrix.Severity
			Strategy matrix.Strategy
		}
		if err := decoder.Decode(&row); err != nil {
			return err
		}
		p.add(row.Severity, row.Strategy)
		return nil
	})
}
