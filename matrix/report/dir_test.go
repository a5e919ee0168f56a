package report_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// broken fails after it has written half a report, as a full disk does.
type broken struct{}

func (broken) Render(w io.Writer, _ *matrix.Matrix, _ report.Options) error {
	_, _ = io.WriteString(w, "half")
	return errors.New("no space left on device")
}

func open(t *testing.T, path string) *report.Dir {
	t.Helper()
	d, err := report.OpenDir(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func formats(t *testing.T, list string) []report.Format {
	t.Helper()
	f, err := report.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return f
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
	written, err := d.Write(sample(), append(formats(t, "json"), report.Format{Name: "csv", File: "matrix.csv", Renderer: broken{}}), report.Options{})
	if err == nil || !strings.Contains(err.Error(), "write the csv report: no space left on device") {
		t.Errorf("%v", err)
	}
	if content, _ := os.ReadFile(filepath.Join(path, "matrix.csv")); string(content) != "before" {
		t.Errorf("the report before is now %q", content)
	}
	if len(written) != 1 || len(leftovers(t, path)) != 0 {
		t.Errorf("written %q, left over %q", written, leftovers(t, path))
	}
	if info, err := os.Stat(filepath.Join(path, "matrix.json")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v", info, err)
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
				if _, err := d.Write(sample(), formats(t, "json,csv"), report.Options{}); err != nil {
					t.Error(err)
				}
				if _, err := report.ReadFile(filepath.Join(path, "matrix.json")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if kept, _ := report.OpenHistory(path).Counts(100, matrix.Scope{}); len(kept) != 20 || len(leftovers(t, path)) != 0 {
		t.Errorf("%d scans kept, left over %q", len(kept), leftovers(t, path))
	}
}

// TestNoHistory: a directory that keeps no scans gets no folder for them.
func TestNoHistory(t *testing.T) {
	path := t.TempDir()
	d, err := report.OpenDir(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write(sample(), formats(t, "openmetrics"), report.Options{}); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(path); len(entries) != 1 || entries[0].Name() != "refmatrix.prom" {
		t.Errorf("the directory holds %v", entries)
	}
}

// TestOpenDir: a directory that cannot be written to is told at once.
func TestOpenDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := report.OpenDir(file, true); err == nil || !strings.Contains(err.Error(), "choose another with -o") {
		t.Errorf("%v", err)
	}
	d := open(t, filepath.Join(t.TempDir(), "a", "b"))
	if _, err := d.Write(sample(), formats(t, "csv"), report.Options{}); err != nil {
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
	if written, err := d.Write(sample(), formats(t, "all"), report.Options{}); err == nil || len(written) != 0 {
		t.Errorf("%q %v", written, err)
	}
}

// TestRead: what is no matrix is refused with what is wrong.
func TestRead(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "is no matrix.json"},
		{"{\n \"schema\": nope}", "line 2, column 14"},
		{`{"schema":"refmatrix/v2"}`, `has the schema "refmatrix/v2"`},
		{`{"schema":"refmatrix/v1","rows":[{"severity":"odd"}]}`, `rows[0] has the severity "odd"`},
		{`{"schema":"refmatrix/v1","rows":[{"severity":"pass","strategy":"odd"}]}`, `the strategy "odd"`},
		{`{"schema":"refmatrix/v1","rows":7}`, "line 1, column"},
	} {
		_, err := report.Read(strings.NewReader(test.text))
		if err == nil || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
	}
}
