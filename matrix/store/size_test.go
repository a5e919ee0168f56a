package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"refmatrix/matrix/matrixtest"
	"refmatrix/matrix/store"
)

// TestArchiveSize: a row of a scan with --probe full takes less than 230 bytes of the
// history, so that 260 weekly scans of 5,000 rows stay below 300 MB. BenchmarkHistory of
// cmd/refmatrix writes all of them.
func TestArchiveSize(t *testing.T) {
	const rows, most = 500, 230
	small := example(t)
	for i := range small.Rows {
		small.Rows[i] = *small.Rows[i].WithoutExchanges()
	}
	m, err := matrixtest.Fleet(small, rows)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	if _, err := open(t, path).Write(day(1), []store.File{jsonFile(t, m)}); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(path, "history", "20261101T060000.000Z.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) >= rows*most {
		t.Errorf("%d rows take %d bytes, %d a row, want less than %d a row", rows, len(kept), len(kept)/rows, most)
	}
	if back, err := store.Read(bytes.NewReader(kept)); err != nil || len(back.Rows) != rows {
		t.Errorf("read back: %v", err)
	}
}
