package store_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
)

// example returns the matrix of the demo, which has been committed.
func example(t testing.TB) *matrix.Matrix {
	t.Helper()
	m, err := store.ReadFile("../../reports/example/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// jsonFile is the JSON report of m as a scan stores it.
func jsonFile(t testing.TB, m *matrix.Matrix) store.File {
	t.Helper()
	f, ok := report.Matrices.Find("json")
	if !ok {
		t.Fatal("the JSON report is missing")
	}
	return store.File{
		Name:    f.File,
		Format:  f.Name,
		Render:  func(w io.Writer) error { return f.Render(w, m, report.Options{}) },
		Archive: func(w io.Writer) error { return f.Archive(w, m, report.Options{}) },
	}
}

// TestArchive: the history keeps a scan under gzip, without exchanges and with all else.
// Nothing in the file depends on when or how often it was written.
func TestArchive(t *testing.T) {
	path, m := t.TempDir(), example(t)
	for range 2 {
		if _, err := open(t, path).Write(day(1), []store.File{jsonFile(t, m)}); err != nil {
			t.Fatal(err)
		}
	}
	var kept [][]byte
	for _, name := range []string{"20261101T060000.000Z.json.gz", "20261101T060000.000Z-2.json.gz"} {
		content, err := os.ReadFile(filepath.Join(path, "history", name))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, content)
	}
	if !bytes.Equal(kept[0], kept[1]) {
		t.Error("the same scan was kept as different bytes")
	}
	z, err := gzip.NewReader(bytes.NewReader(kept[0]))
	if err != nil || z.Name != "" || !z.ModTime.IsZero() {
		t.Fatalf("the header %+v, %v", z.Header, err)
	}
	back, err := store.Read(bytes.NewReader(kept[0]))
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Rows {
		m.Rows[i].Exchanges = nil
	}
	if got, want := asJSON(t, back), asJSON(t, m); got != want {
		t.Errorf("kept:\n%s\nwant:\n%s", got, want)
	}
	whole, err := store.ReadFile(filepath.Join(path, "matrix.json"))
	if err != nil || !slices.ContainsFunc(whole.Rows, func(r matrix.Row) bool { return len(r.Exchanges) > 0 }) {
		t.Errorf("matrix.json has lost its exchanges: %v", err)
	}
}

// TestArchiveFails: a scan that cannot be kept whole is not kept, and its report is written.
func TestArchiveFails(t *testing.T) {
	path := t.TempDir()
	f := document(sample())
	f.Archive = broken().Render
	written, err := open(t, path).Write(sample().Started, []store.File{f})
	if err == nil || !strings.Contains(err.Error(), "keep the scan in history: no space left on device") {
		t.Errorf("%v", err)
	}
	kept, _ := os.ReadDir(filepath.Join(path, "history"))
	if len(written) != 1 || len(kept) != 0 {
		t.Errorf("written %q, kept %v", written, kept)
	}
}

// TestDiffNeedsNoExchanges: what changed between two scans is the same, whether the history
// keeps them plain and whole, as earlier versions did, or compressed.
func TestDiffNeedsNoExchanges(t *testing.T) {
	scans := []*matrix.Matrix{example(t), example(t), example(t)}
	for week, m := range scans {
		m.Started = time.Date(2026, 11, 2+7*week, 6, 0, 0, 0, time.UTC)
		m.Tool.Version = []string{"0.1.0", "0.2.0", "0.2.0"}[week]
		changeRows(m, week)
	}
	older := func(h *store.History) string {
		t.Helper()
		b, newest, err := h.LastTwo()
		if err != nil || newest == nil {
			t.Fatalf("%v %v", newest, err)
		}
		newest.CountUnmeasured(b.Matrix)
		newest.FindLosses(b.Matrix, b.Known...)
		return asJSON(t, matrix.Compare(b.Matrix, newest, b.Known...))
	}
	plain, whole := keepAll(t)
	archived, compressed := keepAll(t)
	for _, m := range scans {
		f := jsonFile(t, m)
		var content strings.Builder
		if err := f.Render(&content); err != nil {
			t.Fatal(err)
		}
		put(t, plain, m.Started.Format("20060102T150405.000Z")+".json", content.String())
		if _, err := open(t, archived).Write(m.Started, []store.File{f}); err != nil {
			t.Fatal(err)
		}
	}
	got, want := older(compressed), older(whole)
	if got != want {
		t.Errorf("compressed:\n%s\nwhole:\n%s", got, want)
	}
	for _, kind := range []string{"recovered", "regression", "links-lost", "not-measured"} {
		if !strings.Contains(want, `"kind":"`+kind+`"`) {
			t.Errorf("no row is %s in %s", kind, want)
		}
	}
}

// changeRows makes the scan of a week: rows that were down and are back, that lost the API, a
// link or their credentials.
func changeRows(m *matrix.Matrix, week int) {
	for i := range m.Rows {
		r := &m.Rows[i]
		switch {
		case week == 1 && i%4 == 0:
			r.Severity, r.Referrers, r.Strategy, r.Reason = matrix.Fail, matrix.SupportUnknown, matrix.StrategyUnknown, matrix.Connect
		case week == 2 && i%4 == 1 && r.Strategy == matrix.ReferrersAPI:
			r.Severity, r.Referrers, r.Strategy, r.Reason = matrix.Warn, matrix.Unsupported, matrix.ReferrersTag, matrix.NotFound
			r.Status = 404
		case week == 2 && i%4 == 2:
			r.Severity, r.Referrers, r.Strategy, r.Reason = matrix.Info, matrix.SupportUnknown, matrix.StrategyUnknown, matrix.Unauthorized
		case week == 2 && r.Links != nil && len(r.Links.Items) > 0:
			r.Links.Items = r.Links.Items[1:]
		}
	}
	m.Summary = matrix.Summarise(m.Rows)
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
