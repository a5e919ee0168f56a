package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// TestFound: rows that read the same are one entry, and what changed follows.
func TestFound(t *testing.T) {
	down := func(registry, image string) matrix.FoundRow {
		return matrix.FoundRow{
			Row: &matrix.Row{Registry: registry, Image: image, Referrers: matrix.SupportUnknown,
				Reason: matrix.Connect, Detail: "No connection."},
			Labels: []string{"fail", "unmeasured"},
		}
	}
	tags := matrix.FoundRow{
		Row: &matrix.Row{Registry: "tags", Image: "x", Referrers: matrix.Unsupported, Strategy: matrix.ReferrersTag,
			Reason: matrix.NotFound, Detail: "HTTP 404.", Unexpected: true, Expect: "referrers-api"},
		Labels: []string{"unexpected"},
	}
	changes := matrix.Diff{Before: day(16), After: day(23), Changes: []matrix.Change{{Kind: matrix.Removed, Registry: "old", Image: "x"}}}
	rows := `FAIL, UNMEASURED a x, y; b x
  not measured, reason connect
  No connection.
UNEXPECTED   tags x
  referrers-tag, reason not-found, expected referrers-api
  HTTP 404.
`
	change := "1 change since 2026-11-16: old has images that are gone.\n\nREMOVED      old x\n"
	found := []matrix.FoundRow{down("a", "x"), tags, down("a", "y"), down("b", "x")}
	for _, test := range []struct {
		found matrix.Found
		want  string
	}{
		{matrix.Found{}, ""},
		{matrix.Found{Rows: found}, rows},
		{matrix.Found{Change: &changes}, change},
		{matrix.Found{Rows: found, Change: &changes}, rows + "\n" + change},
	} {
		var got bytes.Buffer
		if err := report.Found(&got, test.found, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Error(diff)
		}
	}
	uncovered := matrix.FoundRow{
		Row: &matrix.Row{Registry: "api", Image: "x", Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI, Reason: matrix.ReferrersEmpty,
			Coverage: map[matrix.LinkKind]matrix.Coverage{
				matrix.KindSBOM:      matrix.CoveragePartial,
				matrix.KindSignature: matrix.CoverageAbsent,
				matrix.KindVEX:       matrix.CoverageUnknown,
			},
			Lacking: map[matrix.LinkKind][]string{matrix.KindSBOM: {"linux/arm64", "linux/s390x"}},
			Lost:    []matrix.Lost{{Digest: "sha256:44136fa355b3678a", Kind: matrix.KindSignature, Since: day(9)}}},
		Labels: []string{"missing", "lost"},
	}
	var got bytes.Buffer
	if err := report.Found(&got, matrix.Found{Rows: []matrix.FoundRow{uncovered}}, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`MISSING, LOST api x
  referrers-api, reason referrers-empty; missing signature, sbom (on linux/arm64, linux/s390x); lost signature 44136fa355b3 since 2026-11-09
`, got.String()); diff != "" {
		t.Error(diff)
	}
	full := errors.New("disk full")
	for _, f := range []matrix.Found{{Rows: found, Change: &changes}, {Change: &changes}} {
		if err := report.Found(failingWriter{full}, f, report.Options{}); !errors.Is(err, full) {
			t.Errorf("a write that fails: %v", err)
		}
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestFoundOutage: an outage of many registries is one group, although each detail names its own
// host, and names the registries if the images are too many.
func TestFoundOutage(t *testing.T) {
	var rows []matrix.FoundRow
	for i := range 30 {
		host := fmt.Sprintf("r%d.example", i/10)
		rows = append(rows, matrix.FoundRow{
			Row: &matrix.Row{
				Registry:  fmt.Sprint("reg-", i/10),
				URL:       "https://" + host,
				Image:     fmt.Sprint("app:", i),
				Referrers: matrix.SupportUnknown,
				Reason:    matrix.Connect,
				Detail:    "No connection to " + host + ".",
			},
			Labels: []string{"fail"},
		})
	}
	var got bytes.Buffer
	if err := report.Found(&got, matrix.Found{Rows: rows}, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`FAIL         reg-0 (10 images); reg-1 (10 images); reg-2 (10 images)
  not measured, reason connect
  No connection to r0.example.
`, got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestFoundHostile: no text of a registry reaches the terminal as more than text.
func TestFoundHostile(t *testing.T) {
	for _, name := range hostile {
		found := matrix.Found{Rows: []matrix.FoundRow{{
			Row: &matrix.Row{Registry: name, Image: name, Reason: matrix.Reason(name), Detail: name, Unexpected: true, Expect: name,
				Coverage: map[matrix.LinkKind]matrix.Coverage{matrix.KindSBOM: matrix.CoveragePartial},
				Lacking:  map[matrix.LinkKind][]string{matrix.KindSBOM: {name}},
				Lost:     []matrix.Lost{{Digest: name, Kind: matrix.LinkKind(name), Platform: name}}},
			Labels: []string{"fail", "missing", "lost"},
		}}}
		var got bytes.Buffer
		if err := report.Found(&got, found, report.Options{}); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(got.Bytes(), "\x1b\x07\r\u202e") {
			t.Errorf("%q", got.String())
		}
	}
}
