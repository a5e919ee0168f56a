package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
)

// TestReference: a baseline is decided once. Scans that are kept after that are
// neither it nor what was known before it.
func TestReference(t *testing.T) {
	path, h := keepAll(t, past{day: 1, measured: "a=referrers-tag"}, past{day: 2, measured: "a=unknown"})
	r, err := h.Latest(matrix.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, later := range []past{{day: 3, measured: "a=referrers-api"}, {day: 4, measured: "a=referrers-api"}} {
		if _, err := open(t, path).Write(day(later.day), []store.File{document(later.matrix())}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := r.Read()
	if err != nil || b.Matrix.Started.Day() != 2 || len(b.Known) != 1 || b.Known[0].Strategy != matrix.ReferrersTag {
		t.Errorf("%+v %v", b, err)
	}
	if b, err := (store.Reference{}).Read(); b.Matrix != nil || err != nil {
		t.Errorf("of none: %+v %v", b, err)
	}
}

// TestFileReference: a file is judged when it is chosen, and again when it is read.
func TestFileReference(t *testing.T) {
	path := filepath.Join(t.TempDir(), "matrix.json")
	if _, err := store.FileReference(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: %v", err)
	}
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(withRow(`"requests":-1`))
	if _, err := store.FileReference(path); err == nil || !strings.Contains(err.Error(), "rows[0].requests") {
		t.Errorf("an invalid one: %v", err)
	}
	write(withRow(`"requests":1`))
	r, err := store.FileReference(path)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.Read(); err != nil || len(b.Matrix.Rows) != 1 {
		t.Errorf("%+v %v", b, err)
	}
	write("{")
	if _, err := r.Read(); err == nil || !strings.Contains(err.Error(), "read the baseline: "+path) {
		t.Errorf("one that was damaged meanwhile: %v", err)
	}
}
