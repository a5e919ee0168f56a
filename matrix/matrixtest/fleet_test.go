package matrixtest_test

import (
	"reflect"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/matrixtest"
	"refmatrix/matrix/store"
)

// TestFleet: rows are copies of those of the example, with an image, digests and links of
// their own, registry by registry, and the same in every call.
func TestFleet(t *testing.T) {
	example, err := store.ReadFile("../../reports/example/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	n := 3 * len(example.Rows)
	m, err := matrixtest.Fleet(example, n)
	if err != nil {
		t.Fatal(err)
	}
	again, err := matrixtest.Fleet(example, n)
	if err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("another fleet: %v", err)
	}
	if len(m.Rows) != n || m.Summary.Rows != n || m.Summary.Registries != example.Summary.Registries {
		t.Errorf("%d rows, summary %+v", len(m.Rows), m.Summary)
	}
	of := map[string][]*matrix.Row{}
	for i := range example.Rows {
		r := &example.Rows[i]
		of[r.Registry] = append(of[r.Registry], r)
	}
	seen := map[string]int{} // the row of each image and digest
	unique := func(text string, row int) {
		if other, ok := seen[text]; ok && other != row && text != "" {
			t.Errorf("%s is in the rows %d and %d", text, other, row)
		}
		seen[text] = row
	}
	position := map[string]int{}
	for i := range m.Rows {
		r := &m.Rows[i]
		if i > 0 && m.Rows[i-1].Registry != r.Registry && position[r.Registry] > 0 {
			t.Errorf("the rows of %s do not stand together", r.Registry)
		}
		from := of[strings.TrimSuffix(r.Registry, "-0000")]
		likeRow(t, r, from[position[r.Registry]%len(from)])
		position[r.Registry]++
		unique(r.Registry+" "+r.Image, i)
		unique(r.Digest, i)
		if r.Links != nil {
			for _, link := range r.Links.Items {
				unique(link.Digest, i)
			}
		}
	}
}

// likeRow checks that r is a copy of from.
func likeRow(t *testing.T, r, from *matrix.Row) {
	t.Helper()
	if r.Strategy != from.Strategy || len(r.Exchanges) != len(from.Exchanges) || len(r.Findings) != len(from.Findings) {
		t.Errorf("%s %s is not like %s %s", r.Registry, r.Image, from.Registry, from.Image)
	}
}
