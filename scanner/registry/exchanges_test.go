package registry

import (
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestExchangesKept: what a row keeps of its exchanges is bounded while it is probed, and
// what was left out is counted. Steps and statuses are all there.
func TestExchangesKept(t *testing.T) {
	const n = 1000
	for _, test := range []struct {
		name        string
		url, header int
		want        matrix.Omitted
	}{
		{"ordinary", 100, 100, matrix.Omitted{}},
		{"long headers", 100, 300, matrix.Omitted{Headers: n}},
		{"long addresses", 4096, 300, matrix.Omitted{Headers: n, Exchanges: n - matrix.MaxRow/(4096+len("page"))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var e exchanges
			for i := range n {
				e.add(matrix.Exchange{
					Step:    "page",
					URL:     strings.Repeat("x", test.url),
					Status:  200 + i,
					Headers: map[string]string{"Server": strings.Repeat("y", test.header)},
				})
			}
			whole, omitted := e.recorded()
			if omitted != test.want || len(whole)+omitted.Exchanges != n {
				t.Errorf("%d are whole and %+v is left out, want %+v", len(whole), omitted, test.want)
			}
			size := 0
			for i := range e.all {
				size += textOf(&e.all[i])
				if x := &e.all[i]; x.Step != "page" || x.Status != 200+i || (len(x.URL) == test.url) != (i < len(whole)) {
					t.Fatalf("exchange %d is %s %d with an address of %d bytes", i, x.Step, x.Status, len(x.URL))
				}
			}
			if most := matrix.MaxRow + n*len("page"); size > most {
				t.Errorf("%d bytes are kept, over %d", size, most)
			}
		})
	}
}
