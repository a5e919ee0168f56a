package report_test

import (
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// largestWrite is a writer that notes its largest write.
type largestWrite int

func (n *largestWrite) Write(b []byte) (int, error) {
	*n = max(*n, largestWrite(len(b)))
	return len(b), nil
}

// TestPageRowByRow: a page of large rows is encoded row by row and not as a whole, which
// would hold it in memory several times.
func TestPageRowByRow(t *testing.T) {
	m := &matrix.Matrix{Schema: matrix.Schema}
	for range 50 {
		r := matrix.Row{Severity: matrix.Pass, Strategy: matrix.StrategyUnknown}
		for range 50 {
			r.Exchanges = append(r.Exchanges, matrix.Exchange{Step: "page", URL: strings.Repeat("x", 4096)})
		}
		m.Rows = append(m.Rows, r)
	}
	m.SetRows(m.Rows)
	format, ok := report.Matrices.Find("html")
	if !ok {
		t.Fatal("the page is missing")
	}
	var largest largestWrite
	if err := format.Render(&largest, m, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if largest > 2*matrix.MaxRow {
		t.Errorf("%d bytes are written at once", largest)
	}
}
