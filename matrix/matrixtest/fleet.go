// Package matrixtest makes large matrices for tests and benchmarks, as httptest makes
// servers.
package matrixtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// copiesPerRegistry is how many copies of a row of the example stand in one registry.
const copiesPerRegistry = 10

// digests are hexadecimal digests, in tags of the tag schema and in texts too.
var digests = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// Fleet returns a scan with n rows, copies of the rows of example in turn. Each row has its
// own registry or image, digests and times, also in its findings, links and exchanges: text
// that repeats would be compressed better than that of a real fleet. The rows of a registry
// stand together, as they do in the order of an inventory. Equal arguments return equal
// matrices. The error is of a row that cannot be encoded.
func Fleet(example *matrix.Matrix, n int) (*matrix.Matrix, error) {
	m := *example
	m.Rows = make([]matrix.Row, n)
	for i := range m.Rows {
		row, err := copyOf(&example.Rows[i%len(example.Rows)], i, i/len(example.Rows))
		if err != nil {
			return nil, fmt.Errorf("copy the row of %s: %w", row.Registry, err)
		}
		m.Rows[i] = row
	}
	order := map[string]int{} // of the registries
	for i := range m.Rows {
		if _, ok := order[m.Rows[i].Registry]; !ok {
			order[m.Rows[i].Registry] = len(order)
		}
	}
	slices.SortStableFunc(m.Rows, func(a, b matrix.Row) int { return order[a.Registry] - order[b.Registry] })
	m.SetRows(m.Rows)
	return &m, nil
}

// copyOf returns the nth copy of a row, which is row i of a fleet.
func copyOf(r *matrix.Row, i, n int) (out matrix.Row, err error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return *r, err
	}
	text := digests.ReplaceAllStringFunc(string(encoded), func(digest string) string {
		return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d %s", i, digest)))
	})
	registry := fmt.Sprintf("%s-%04d", r.Registry, n/copiesPerRegistry)
	if u, err := url.Parse(r.URL); err == nil && u.Host != "" {
		text = strings.ReplaceAll(text, u.Host, registry+".example.com")
	}
	repository, _, _ := strings.Cut(r.Image, ":")
	text = strings.ReplaceAll(text, repository, fmt.Sprintf("%s-%04d", repository, n))
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return *r, err
	}
	out.Registry = registry
	varyTimes(&out, rand.New(rand.NewPCG(uint64(n), uint64(len(text)))))
	return out, nil
}

// varyTimes changes the times of a row by up to a half.
func varyTimes(r *matrix.Row, random *rand.Rand) {
	vary := func(ms *float64) { *ms = math.Round(*ms*(0.5+random.Float64())*10) / 10 }
	vary(&r.DurationMS)
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		vary(&x.MS)
		if x.Phases != nil {
			vary(&x.Phases.DNS)
			vary(&x.Phases.Connect)
			vary(&x.Phases.TLS)
			vary(&x.Phases.FirstByte)
		}
	}
}
