package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
)

// sample is a scan of two images.
func sample() *matrix.Matrix {
	return past{day: 16, measured: "a=referrers-api b=referrers-tag"}.matrix()
}

// document is a scan as the JSON report writes it, which the history keeps too.
func document(m *matrix.Matrix) store.File {
	render := func(w io.Writer) error { return json.NewEncoder(w).Encode(m) }
	return store.File{
		Name:    "matrix.json",
		Format:  "json",
		Render:  render,
		Archive: render,
	}
}

// table is another store.
func table() store.File {
	return store.File{
		Name:   "matrix.csv",
		Format: "csv",
		Render: func(w io.Writer) error {
			_, err := io.WriteString(w, "registry,image\r\n")
			return err
		},
	}
}

// broken is a report that fails when half of it is written, as on a full disk.
func broken() store.File {
	f := table()
	f.Render = func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("no space left on device")
	}
	return f
}

// TestPanickingReport: a bug in one report is its error, and the others are written.
func TestPanickingReport(t *testing.T) {
	path := t.TempDir()
	bug := table()
	bug.Render = func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		panic("canary-of-the-wire")
	}
	written, err := open(t, path).Write(sample().Started, []store.File{bug, document(sample())})
	var panicked *matrix.Panicked
	if !errors.As(err, &panicked) || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
	if len(written) != 1 || len(leftovers(t, path)) != 0 {
		t.Errorf("written %q, left over %q", written, leftovers(t, path))
	}
}

// TestPublishWithoutHardLinks: a scan is kept on a file system that has no hard links, and
// takes no name that another scan has.
func TestPublishWithoutHardLinks(t *testing.T) {
	folder := t.TempDir()
	temporary, path := filepath.Join(folder, "temporary"), filepath.Join(folder, "path")
	without := func(old, new string) error {
		return &os.LinkError{Op: "link", Old: old, New: new, Err: errors.ErrUnsupported}
	}
	for _, test := range []struct {
		content string
		taken   bool
	}{{"first", false}, {"second", true}} {
		if err := os.WriteFile(temporary, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.PublishNew(temporary, path, without); errors.Is(err, fs.ErrExist) != test.taken || err != nil && !test.taken {
			t.Errorf("%s: %v", test.content, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
			t.Errorf("after the %s: %q %v", test.content, got, err)
		}
	}
	if err := store.PublishNew(filepath.Join(folder, "gone"), filepath.Join(folder, "new"), without); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing to move: %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the claimed name is left: %v", err)
	}
}

func open(t *testing.T, path string) *store.Dir {
	t.Helper()
	d, err := store.OpenDir(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// leftovers lists temporary files below path.
func leftovers(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{".refmatrix-*", "history/.refmatrix-*"} {
		found, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found...)
	}
	return out
}

// TestWriteWholeOrNot: a report that fails leaves the one before it, no
// temporary file, and the other reports written.
func TestWriteWholeOrNot(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	if err := os.WriteFile(filepath.Join(path, "matrix.csv"), []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	written, err := d.Write(sample().Started, []store.File{document(sample()), broken()})
	if err == nil || !strings.Contains(err.Error(), "write the csv report: no space left on device") {
		t.Errorf("%v", err)
	}
	if content, _ := os.ReadFile(filepath.Join(path, "matrix.csv")); string(content) != "before" {
		t.Errorf("the report before is now %q", content)
	}
	if len(written) != 1 || len(leftovers(t, path)) != 0 {
		t.Errorf("written %q, left over %q", written, leftovers(t, path))
	}
}

// TestTwoScansAtOnce: readers find whole files whoever writes, and both scans
// are in the history.
func TestTwoScansAtOnce(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 10 {
				if _, err := d.Write(sample().Started, []store.File{document(sample()), table()}); err != nil {
					t.Error(err)
				}
				if _, err := store.ReadFile(filepath.Join(path, "matrix.json")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if kept, _ := store.OpenHistory(path).Counts(100, matrix.Scope{}); len(kept) != 20 || len(leftovers(t, path)) != 0 {
		t.Errorf("%d scans kept, left over %q", len(kept), leftovers(t, path))
	}
}

// TestNoHistory: a directory that keeps no scans gets no folder for them.
func TestNoHistory(t *testing.T) {
	path := t.TempDir()
	d, err := store.OpenDir(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(sample().Started, []store.File{table()}); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(path); len(entries) != 1 || entries[0].Name() != "matrix.csv" {
		t.Errorf("the directory holds %v", entries)
	}
}

// TestOpenDir: a directory that cannot be written to is told at once.
func TestOpenDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenDir(file, true); err == nil || !strings.Contains(err.Error(), "choose another with -o") {
		t.Errorf("%v", err)
	}
	d := open(t, filepath.Join(t.TempDir(), "a", "b"))
	if _, err := d.Write(sample().Started, []store.File{table()}); err != nil {
		t.Error(err)
	}
}

// TestRemovedInBetween: a directory that went away is an error and no panic.
func TestRemovedInBetween(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gone")
	d := open(t, path)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if written, err := d.Write(sample().Started, []store.File{document(sample()), table()}); err == nil || len(written) != 0 {
		t.Errorf("%q %v", written, err)
	}
}

// withRow is a matrix.json with one row that has this besides.
func withRow(more string) string {
	return `{"schema":"refmatrix/v1","rows":[{"severity":"pass","strategy":"unknown",` + more + `}]}`
}

// TestReadNumbers: the largest that a scan can write are read, and a descriptor's
// size is whatever the registry said.
func TestReadNumbers(t *testing.T) {
	longest := float64(math.MaxInt64) / float64(time.Millisecond)
	for _, more := range []string{
		fmt.Sprintf(`"duration_ms":%g,"requests":0`, longest),
		`"capabilities":{"tag_schema":{"links":[{"digest":"x","size":-9223372036854775808}]}}`,
		`"links":{"items":[{"size":-1}]},"lost":[{"since":"0001-01-01T00:00:00Z"}]`,
	} {
		if _, err := store.Read(strings.NewReader(withRow(more))); err != nil {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// TestRead: what is not a matrix is refused with the reason.
func TestRead(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "is not a matrix.json"},
		{"{\n \"schema\": nope}", "line 2, column 14"},
		{`{"schema":"refmatrix/v2"}`, `has the schema "refmatrix/v2"`},
		{`{"schema":"refmatrix/v1","rows":[{"severity":"odd"}]}`, `rows[0] has the severity "odd"`},
		{`{"schema":"refmatrix/v1","rows":[{"severity":"pass","strategy":"odd"}]}`, `the strategy "odd"`},
		{`{"schema":"refmatrix/v1","rows":7}`, "line 1, column"},
		{withRow(`"links":{"total":-1}`), "rows[0].links.total is -1: no scan writes"},
		{withRow(`"links":{"by_kind":{"sbom":-2}}`), "rows[0].links.by_kind.sbom is -2: no scan writes"},
		{withRow(`"duration_ms":1e308`), "rows[0].duration_ms is 1e+308: no scan writes a number below 0 or above 1e+13"},
		{withRow(`"duration_ms":-1`), "rows[0].duration_ms is -1"},
		{withRow(`"duration_ms":1e999`), "line 1, column"},
		{withRow(`"requests":9223372036854775807`), "rows[0].requests is 9.2"},
		{withRow(`"exchanges":[{},{"bytes":-5}]`), "rows[0].exchanges[1].bytes is -5"},
		{withRow(`"exchanges":[{"phases":{"dns_ms":1e300}}]`), "rows[0].exchanges[0].phases.dns_ms is 1e+300"},
		{withRow(`"capabilities":{"descriptors":-1}`), "rows[0].capabilities.descriptors is -1"},
		{withRow(`"capabilities":{"tag_schema":{"only_tag_count":9223372036854775807}}`), "rows[0].capabilities.tag_schema.only_tag_count is 9.2"},
	} {
		_, err := store.Read(strings.NewReader(test.text))
		if err == nil || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
	}
}
