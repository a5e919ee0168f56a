package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
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

// readPast counts the rows of a stored matrix.json one at a time, so that a
// year of large scans is never in memory.
func readPast(path string) (Past, error) {
	p := Past{Severities: map[matrix.Severity]int{}, Strategies: map[matrix.Strategy]int{}}
	file, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer file.Close()
	decoder := json.NewDecoder(bufio.NewReaderSize(file, 64<<10))
	if _, err := decoder.Token(); err != nil {
		return p, err
	}
	schema := ""
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return p, err
		}
		switch key {
		case "schema":
			err = decoder.Decode(&schema)
		case "started":
			err = decoder.Decode(&p.Started)
		case "rows":
			err = p.readRows(decoder)
		default:
			err = decoder.Decode(new(json.RawMessage))
		}
		if err != nil {
			return p, err
		}
	}
	if schema != matrix.Schema {
		return p, fmt.Errorf("has the schema %q", schema)
	}
	return p, nil
}

func (p *Past) readRows(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		var row struct {
			Severity matrix.Severity
			Strategy matrix.Strategy
		}
		if err := decoder.Decode(&row); err != nil {
			return err
		}
		p.add(row.Severity, row.Strategy)
	}
	_, err := decoder.Token()
	return err
}
