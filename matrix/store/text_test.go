package store_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
)

// gzipped is content under gzip.
func gzipped(t *testing.T, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestReadGzip: the content decides what is under gzip, whatever the file is called.
func TestReadGzip(t *testing.T) {
	content := withRow(`"requests":1`)
	for name, stored := range map[string][]byte{
		"matrix.json":     gzipped(t, content),
		"matrix.json.gz":  gzipped(t, content),
		"plain.json.gz":   []byte(content),
		"members.json.gz": append(gzipped(t, content[:20]), gzipped(t, content[20:])...),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, stored, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := store.ReadFile(path); err != nil || len(m.Rows) != 1 || m.Rows[0].Requests != 1 {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
}

// TestReadDamagedGzip: what is cut or changed is an error, and no part of it is a matrix.
func TestReadDamagedGzip(t *testing.T) {
	whole := gzipped(t, withRow(`"requests":1`))
	changed := bytes.Clone(whole)
	changed[len(changed)-5] ^= 1 // of the checksum
	for name, damaged := range map[string][]byte{
		"the beginning alone": whole[:2],
		"without its end":     whole[:len(whole)-1],
		"half of it":          whole[:len(whole)/2],
		"another checksum":    changed,
		"text behind it":      append(bytes.Clone(whole), "{}"...),
	} {
		if m, err := store.Read(bytes.NewReader(damaged)); err == nil || !strings.Contains(err.Error(), "cannot be read to its end") {
			t.Errorf("%s: %v %v", name, m, err)
		}
	}
}

// TestReadBomb: a file that grows by a thousand ends at the bound of its text.
func TestReadBomb(t *testing.T) {
	const most = 1 << 20
	bomb := gzipped(t, `{"schema":"`+strings.Repeat("a", 2*most))
	if len(bomb) > most/100 {
		t.Fatalf("the file has %d bytes", len(bomb))
	}
	const want = "is over 1048576 bytes: no matrix.json is"
	if _, err := store.ReadWithin(bytes.NewReader(bomb), most); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	padded := withRow(`"requests":1`)
	padded += strings.Repeat(" ", most-len(padded))
	for _, stored := range [][]byte{[]byte(padded), gzipped(t, padded)} {
		if _, err := store.ReadWithin(bytes.NewReader(stored), most); err != nil {
			t.Errorf("at the bound: %v", err)
		}
		if _, err := store.ReadWithin(bytes.NewReader(stored), most-1); err == nil {
			t.Error("over the bound by a byte: no error")
		}
	}
}

// TestMixedHistory: scans kept plain, as earlier versions did, and under gzip are one
// history, in the order of their starts and numbers.
func TestMixedHistory(t *testing.T) {
	path, h := keepAll(t, past{day: 2, measured: "a=unknown"})
	for name, scan := range map[string]past{
		"20261101T060000.000Z.json":      {day: 1, measured: "a=referrers-tag"},
		"20261103T060000.000Z.json":      {day: 3, measured: "a=unknown"},
		"20261104T060000.000Z.json.gz":   {day: 4, measured: "a=unknown"},
		"20261104T060000.000Z-2.json":    {day: 4, measured: "a=unknown b=unknown"},
		"20261104T060000.000Z-3.json.gz": {day: 4, measured: "a=unknown b=unknown c=unknown"},
	} {
		content := encoded(t, scan.matrix())
		if strings.HasSuffix(name, ".gz") {
			content = string(gzipped(t, content))
		}
		put(t, path, name, content)
	}
	all, err := h.Counts(100, matrix.Scope{})
	var rows []int
	for _, scan := range all {
		rows = append(rows, scan.Started.Day()*10+scan.Rows)
	}
	if want := []int{11, 21, 31, 41, 42, 43}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("days and rows %v, want %v: %v", rows, want, err)
	}
	b, err := baseline(h, matrix.Scope{})
	if err != nil || len(b.Matrix.Rows) != 3 || len(b.Known) != 1 || b.Known[0].Strategy != matrix.ReferrersTag {
		t.Errorf("baseline %+v, known %+v, %v", b.Matrix, b.Known, err)
	}
	older, newest, err := h.LastTwo()
	if err != nil || len(older.Matrix.Rows) != 2 || len(newest.Rows) != 3 {
		t.Errorf("the last two: %+v %+v %v", older.Matrix, newest, err)
	}
	if err := h.Prune(2, day(30)); err != nil {
		t.Fatal(err)
	}
	if all, _ = h.Counts(100, matrix.Scope{}); len(all) != 2 || all[0].Rows != 2 {
		t.Errorf("left: %+v", all)
	}
}

// encoded is m as a file holds it.
func encoded(t *testing.T, m *matrix.Matrix) string {
	t.Helper()
	var out strings.Builder
	if err := document(m).Render(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
