package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/store"
)

// past is a scan of the nth of a month over registries, whose strategy stands
// behind a "=" where it is not known by default.
type past struct {
	day      int
	cut      bool // ended early
	only     string
	measured string // "a=referrers-api b=unknown"
}

func (p past) matrix() *matrix.Matrix {
	m := &matrix.Matrix{Schema: matrix.Schema, Tool: matrix.Tool{Name: "refmatrix", Version: "1.2"}, Started: day(p.day), Complete: !p.cut}
	if p.only != "" {
		m.Selection = []string{"--only " + p.only}
	}
	for word := range strings.FieldsSeq(p.measured) {
		name, strategy, _ := strings.Cut(word, "=")
		row := matrix.Row{Registry: name, Image: "x", Severity: matrix.Warn, Strategy: matrix.Strategy(strategy), Referrers: matrix.Unsupported, Reason: matrix.NotFound}
		switch row.Strategy {
		case matrix.ReferrersAPI:
			row.Referrers, row.Severity, row.Reason = matrix.Supported, matrix.Pass, matrix.ReferrersEmpty
		case matrix.StrategyUnknown:
			row.Referrers, row.Severity, row.Reason = matrix.SupportUnknown, matrix.Fail, matrix.Connect
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func day(n int) time.Time { return time.Date(2026, 11, n, 6, 0, 0, 0, time.UTC) }

func keepAll(t *testing.T, scans ...past) (string, *store.History) {
	t.Helper()
	path := t.TempDir()
	d := open(t, path)
	for _, scan := range scans {
		if _, err := d.Write(day(scan.day), []store.File{document(scan.matrix())}); err != nil {
			t.Fatal(err)
		}
	}
	return path, store.OpenHistory(path)
}

func put(t *testing.T, path, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path, "history", name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// baseline is what a scan of scope is compared with.
func baseline(h *store.History, scope matrix.Scope) (store.Baseline, error) {
	r, err := h.Latest(scope)
	if err != nil {
		return store.Baseline{}, err
	}
	return r.Read()
}

// TestHistory: what is no scan is neither counted nor removed, and numbers come
// behind the scan that began in the same millisecond.
func TestHistory(t *testing.T) {
	if b, err := baseline(store.OpenHistory(t.TempDir()), matrix.Scope{}); b.Matrix != nil || err != nil {
		t.Errorf("%v %v", b, err)
	}
	path, h := keepAll(t, past{day: 1}, past{day: 2}, past{day: 3}, past{day: 4}, past{day: 5}, past{day: 5, measured: "a=referrers-api"})
	put(t, path, "zz.json", "{}")
	put(t, path, "20261109T070000.000Z.json.bak", "{}")
	put(t, path, "20261103T070000.000Z.json", "not a matrix")
	put(t, path, "20261104T070000.000Z.json", `{"schema":"refmatrix/v2","complete":true,"rows":[]}`)
	all, err := h.Counts(100, matrix.Scope{})
	if err != nil || len(all) != 6 || all[0].Started.Day() != 1 {
		t.Errorf("%d scans, %v", len(all), err)
	}
	if last, err := h.Counts(3, matrix.Scope{}); err != nil || len(last) != 3 || last[0].Started.Day() != 4 {
		t.Errorf("of the last three, %d scans from %v, %v", len(last), last, err)
	}
	if err := h.Prune(2, day(5)); err != nil {
		t.Fatal(err)
	}
	all, _ = h.Counts(100, matrix.Scope{})
	b, err := baseline(h, matrix.Scope{})
	if len(all) != 2 || err != nil || b.Matrix.Started.Day() != 5 || len(b.Matrix.Rows) != 1 {
		t.Errorf("%d scans, latest %v, %v", len(all), b.Matrix, err)
	}
	if _, err := os.Stat(filepath.Join(path, "history", "zz.json")); err != nil {
		t.Error(err)
	}
	if err := h.Prune(1, day(5)); err != nil {
		t.Fatal(err)
	}
	if all, _ := h.Counts(100, matrix.Scope{}); len(all) != 2 {
		t.Error("a scan of the time that is spared was removed")
	}
}

// TestPruneSparesTheNewest: a clock that was set back does not cost the scan
// that was just written.
func TestPruneSparesTheNewest(t *testing.T) {
	_, h := keepAll(t, past{day: 20}, past{day: 21}, past{day: 1})
	if err := h.Prune(1, day(1)); err != nil {
		t.Fatal(err)
	}
	all, _ := h.Counts(100, matrix.Scope{})
	if len(all) != 2 || all[0].Started.Day() != 1 {
		t.Errorf("%+v", all)
	}
}

// TestPruneFollowsNoLink: nothing is deleted through a symbolic link, neither scans
// in a folder elsewhere nor files that stand for others.
func TestPruneFollowsNoLink(t *testing.T) {
	elsewhere, _ := keepAll(t, past{day: 1}, past{day: 2})
	path := t.TempDir()
	link(t, filepath.Join(elsewhere, "history"), filepath.Join(path, "history"))
	h := store.OpenHistory(path)
	if err := h.Prune(1, day(2)); !errors.Is(err, store.ErrLinkedHistory) {
		t.Errorf("%v", err)
	}
	if all, err := h.Counts(100, matrix.Scope{}); len(all) != 2 || err != nil {
		t.Errorf("%d scans, %v", len(all), err)
	}

	path, h = keepAll(t, past{day: 3}, past{day: 4})
	target := filepath.Join(elsewhere, "history", "20261101T060000.000Z.json.gz")
	linked := filepath.Join(path, "history", "20261101T060000.000Z.json.gz")
	link(t, target, linked)
	if err := h.Prune(1, day(4)); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(linked); err != nil {
		t.Error(err)
	}
	if all, _ := h.Counts(100, matrix.Scope{}); len(all) != 2 || all[1].Started.Day() != 4 {
		t.Errorf("%+v", all)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// TestBaseline: which scan one is compared with.
func TestBaseline(t *testing.T) {
	damaged := "{\"schema\":\"refmatrix/v1\",\"complete\":true,\"rows\":[{"
	for _, test := range []struct {
		name    string
		scans   []past
		damaged string // a file of the history that cannot be read
		only    string
		day     int // of the baseline, 0 for none
		skipped int
	}{
		{"none yet", nil, "", "", 0, 0},
		{"the newest", []past{{day: 1}, {day: 2}}, "", "", 2, 0},
		{"not one over a part", []past{{day: 1}, {day: 2, only: "x*"}}, "", "", 1, 0},
		{"of the same part", []past{{day: 1, only: "x*"}, {day: 2}, {day: 3, only: "y*"}}, "", "x*", 1, 0},
		{"not one that was cut", []past{{day: 1}, {day: 2, cut: true}}, "", "", 1, 0},
		{"one that was cut where there is no other", []past{{day: 1, cut: true}, {day: 2, cut: true}}, "", "", 2, 0},
		{"a whole one for a part that is new", []past{{day: 1}, {day: 2, only: "y*"}}, "", "x*", 1, 0},
		{"one of the same part that was cut before the whole", []past{{day: 1}, {day: 2, only: "x*", cut: true}}, "", "x*", 2, 0},
		{"not a whole one that was cut for a part that is new", []past{{day: 1}, {day: 2, cut: true}}, "", "x*", 1, 0},
		{"not a damaged one", []past{{day: 1}}, "20261109T060000.000Z.json", "", 1, 1},
		{"nor one alone", nil, "20261109T060000.000Z.json", "", 0, 1},
	} {
		path, h := keepAll(t, test.scans...)
		if test.damaged != "" {
			put(t, path, test.damaged, damaged)
		}
		scope := past{only: test.only}.matrix().Scope()
		b, err := baseline(h, scope)
		got := 0
		if b.Matrix != nil {
			got = b.Matrix.Started.Day()
		}
		if err != nil || got != test.day || len(b.Skipped) != test.skipped {
			t.Errorf("%s: day %d, skipped %q, %v; want day %d", test.name, got, b.Skipped, err, test.day)
		}
	}
}

// TestLastTwo: what diff compares where it is given a directory.
func TestLastTwo(t *testing.T) {
	for _, test := range []struct {
		name          string
		scans         []past
		damaged       string // a file of the history that cannot be read
		older, newest int    // days, 0 for none
		skipped       int
	}{
		{"none", nil, "", 0, 0, 0},
		{"one", []past{{day: 1}}, "", 0, 0, 0},
		{"one, and a newer one that is damaged", []past{{day: 1}}, "20261109T060000.000Z.json", 0, 0, 1},
		{"two, and a newer one that is damaged", []past{{day: 1}, {day: 2}}, "20261109T060000.000Z.json", 1, 2, 1},
		{"two, and an older one that is damaged", []past{{day: 3}, {day: 4}}, "20261101T060000.000Z.json", 3, 4, 1},
		{"two of one part", []past{{day: 1, only: "x*"}, {day: 2}, {day: 3, only: "x*"}}, "", 1, 3, 0},
	} {
		path, h := keepAll(t, test.scans...)
		if test.damaged != "" {
			put(t, path, test.damaged, "{")
		}
		older, newest, err := h.LastTwo()
		days := [2]int{}
		if older.Matrix != nil {
			days[0] = older.Matrix.Started.Day()
		}
		if newest != nil {
			days[1] = newest.Started.Day()
		}
		if err != nil || days != [2]int{test.older, test.newest} || len(older.Skipped) != test.skipped {
			t.Errorf("%s: days %v, skipped %q, %v; want %d and %d", test.name, days, older.Skipped, err, test.older, test.newest)
		}
	}
}

// TestLastKnown: the newest measurement counts, of images that are missing one.
func TestLastKnown(t *testing.T) {
	_, h := keepAll(t,
		past{day: 1, measured: "a=referrers-api b=referrers-tag"},
		past{day: 2, measured: "a=referrers-tag b=referrers-tag"},
		past{day: 3, measured: "a=unknown b=referrers-tag"})
	b, err := baseline(h, matrix.Scope{})
	if err != nil || len(b.Known) != 1 || b.Known[0].Registry != "a" || b.Known[0].Strategy != matrix.ReferrersTag || b.Known[0].Tool.Version != "1.2" {
		t.Errorf("%+v %v", b.Known, err)
	}
}

// TestOutageHidesNothing: what a registry was before it was down is what it is
// compared with afterwards.
func TestOutageHidesNothing(t *testing.T) {
	path, h := keepAll(t,
		past{day: 1, measured: "a=referrers-api b=referrers-api c=unknown"},
		past{day: 2, measured: "a=unknown b=unknown c=unknown"},
		past{day: 3, measured: "a=unknown b=unknown c=unknown"})
	b, err := baseline(h, matrix.Scope{})
	if err != nil || len(b.Known) != 2 {
		t.Fatalf("%+v %v", b.Known, err)
	}
	now := past{day: 4, measured: "a=referrers-tag b=referrers-api c=referrers-tag"}
	var said []string
	for _, c := range matrix.Compare(b.Matrix, now.matrix(), b.Known...).Changes {
		said = append(said, c.Registry+" "+string(c.Kind)+" "+string(c.Known))
	}
	if got := strings.Join(said, ", "); got != "a regression referrers-api, b recovered referrers-api, c recovered " {
		t.Error(got)
	}
	if _, err := open(t, path).Write(day(4), []store.File{document(now.matrix())}); err != nil {
		t.Fatal(err)
	}
	older, newest, err := h.LastTwo()
	if err != nil || newest.Started.Day() != 4 || older.Matrix.Started.Day() != 3 || len(older.Known) != 2 {
		t.Errorf("%v %v %v", older.Matrix.Started, newest.Started, err)
	}
}
