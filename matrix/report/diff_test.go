package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

func day(n int) time.Time { return time.Date(2026, 11, n, 6, 0, 0, 0, time.UTC) }

// weekly renders what changed as the Markdown of a post.
func weekly(t *testing.T, changes ...matrix.Change) string {
	t.Helper()
	return renderAs(t, report.Diffs, "markdown", matrix.Diff{Before: day(16), After: day(23), Changes: changes}, report.Options{})
}

func lost(registry, image string) matrix.Change {
	return matrix.Change{Kind: matrix.Regression, Registry: registry, Image: image, Detail: "HTTP 404.", Remedy: []string{"Upgrade it."},
		Fields: []matrix.FieldChange{{Field: "strategy", Before: "referrers-api", After: "referrers-tag"}}}
}

// TestDiffHeadline: the first sentence reads as a person would write it.
func TestDiffHeadline(t *testing.T) {
	added := func(n int) (out []matrix.Change) {
		for i := range n {
			out = append(out, matrix.Change{Kind: matrix.Added, Registry: fmt.Sprintf("r%d", i), Image: "x"})
		}
		return out
	}
	for _, test := range []struct {
		changes []matrix.Change
		want    string
	}{
		{nil, "Nothing changed since 2026-11-16."},
		{added(1), "1 change since 2026-11-16: `r0` has new images."},
		{added(2), "2 changes since 2026-11-16: `r0` and `r1` have new images."},
		{added(3), "3 changes since 2026-11-16: `r0`, `r1` and `r2` have new images."},
		{added(10), "10 changes since 2026-11-16: 10 registries have new images."},
		{append([]matrix.Change{lost("a", "x"), lost("b", "x")}, added(1)...), "3 changes since 2026-11-16: `a` and `b` lost the referrers API; `r0` has new images."},
	} {
		if got := strings.Split(weekly(t, test.changes...), "\n")[2]; got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// TestDiffTogether: what reads the same is written once, and a remedy once for
// all that it is for.
func TestDiffTogether(t *testing.T) {
	other := lost("c", "z")
	other.Detail = "HTTP 405."
	back := matrix.Change{Kind: matrix.Recovered, Registry: "d", Image: "x", Detail: "HTTP 200.", Known: matrix.ReferrersAPI,
		Fields: []matrix.FieldChange{{Field: "strategy", Before: "unknown", After: "referrers-api"}, {Field: "reason", Before: "connect", After: "referrers-empty"}}}
	first := back
	first.Registry, first.Known = "e", ""
	want := `## Referrers: what changed

6 changes since 2026-11-16: 'a', 'b' and 'c' lost the referrers API; 'd' and 'e' are measured again.

### Lost the referrers API

- **'a'** 'x', 'y'; **'b'** 'x': HTTP 404. (strategy referrers-api → referrers-tag)
- **'c'** 'z': HTTP 405. (strategy referrers-api → referrers-tag)
  - Upgrade it.

### Measured again

- **'d'** 'x': HTTP 200. (it is referrers-api, as before)
- **'e'** 'x': HTTP 200. (it is referrers-api)
`
	want = strings.ReplaceAll(want, "'", "`")
	if diff := cmp.Diff(want, weekly(t, lost("a", "x"), lost("a", "y"), lost("b", "x"), other, back, first)); diff != "" {
		t.Error(diff)
	}
	var many []matrix.Change
	for i := range 500 {
		many = append(many, lost(fmt.Sprintf("r%03d", i), "x"))
	}
	if got := weekly(t, many...); !strings.Contains(got, "**`r019`** `x`; and 480 more registries: HTTP 404.") {
		t.Errorf("%.600s", got)
	}
}

// TestDiffLinks: lost and new links are named by kind, digest and platform, and a remedy follows
// what is lost.
func TestDiffLinks(t *testing.T) {
	const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	losses := matrix.Change{Kind: matrix.LinksLost, Registry: "a", Image: "x", Remedy: []string{"Attach it again."}, Lost: []matrix.Lost{
		{Digest: digest, Kind: matrix.KindSignature, Since: day(9)},
		{Digest: "***", Platform: "linux/arm64", Since: day(23), Replaced: true},
	}}
	added := matrix.Change{Kind: matrix.LinksNew, Registry: "b", Image: "y"}
	for range 7 {
		added.Links = append(added.Links, matrix.Link{Digest: digest, Kind: matrix.KindSBOM})
	}
	want := `## Referrers: what changed

2 changes since 2026-11-16: 'a' lost links; 'b' has new links.

### Lost links

- **'a'** 'x' (signature 44136fa355b3 since 2026-11-09, link \*\*\* on linux/arm64 since 2026-11-23 (replaced))
  - Attach it again.

### New links

- **'b'** 'y' (sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, and 2 more)
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "'", "`"), weekly(t, losses, added)); diff != "" {
		t.Error(diff)
	}
	want = `1 change since 2026-11-16: a lost links.

LINKS LOST   a x
  signature 44136fa355b3 since 2026-11-09, link *** on linux/arm64 since 2026-11-23 (replaced)
`
	d := matrix.Diff{Before: day(16), Changes: []matrix.Change{losses}}
	if diff := cmp.Diff(want, renderAs(t, report.Diffs, "text", d, report.Options{})); diff != "" {
		t.Error(diff)
	}
}

// TestDiffHostile: no name breaks out of its place.
func TestDiffHostile(t *testing.T) {
	for _, name := range hostile {
		c := lost(name, name)
		c.Detail, c.Remedy, c.Fields[0].After = name, []string{name}, name
		links := matrix.Change{Kind: matrix.LinksLost, Registry: name, Image: name,
			Lost: []matrix.Lost{{Digest: name, Kind: matrix.LinkKind(name), Platform: name}}}
		added := matrix.Change{Kind: matrix.LinksNew, Registry: name, Image: name,
			Links: []matrix.Link{{Digest: "sha256:" + name, Kind: matrix.LinkKind(name), Platform: name}}}
		for line := range strings.Lines(weekly(t, c, links, added)) {
			if text := report.MaskMarkdown(strings.ReplaceAll(line, "**", "")); strings.ContainsAny(strings.TrimRight(text, "\n"), "<\x1b\r\n|`*") {
				t.Errorf("markup or control characters: %q", line)
			}
		}
		got := renderAs(t, report.Diffs, "table", matrix.Diff{Changes: []matrix.Change{c, links, added}}, report.Options{Width: 80})
		if strings.ContainsAny(got, "\x1b\x07\r\u202e") {
			t.Errorf("%q", got)
		}
	}
}

// TestDiffNotMeasured: a row that answered, if only with a refusal, is not measured for a
// reason, and nowhere unreachable.
func TestDiffNotMeasured(t *testing.T) {
	row := func(reason matrix.Reason, scans int) matrix.Row {
		return matrix.Row{Registry: "a", Image: "x", Referrers: matrix.SupportUnknown, Strategy: matrix.StrategyUnknown,
			Severity: matrix.Fail, Reason: reason, Detail: "HTTP 401.", UnmeasuredScans: scans}
	}
	measured := matrix.Row{Registry: "a", Image: "x", Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI, Severity: matrix.Fail, Reason: matrix.ReferrersEmpty}
	for _, test := range []struct {
		was, now matrix.Row
		want     string
	}{
		{measured, row(matrix.CredentialsRefused, 1), "`a` is not measured.\n\n### No longer measured\n\n- **`a`** `x`: HTTP 401. (reason credentials-refused, it was referrers-api)\n"},
		{row(matrix.Timeout, 1), row(matrix.CredentialsRefused, 2), "`a` is still not measured.\n\n### Still not measured\n\n- **`a`** `x`: HTTP 401. (reason timeout → credentials-refused, 2 scans in a row without a verdict)\n"},
		{row(matrix.CredentialsRefused, 3), row(matrix.CredentialsRefused, 4), "`a` is still not measured.\n\n### Still not measured\n\n- **`a`** `x`: HTTP 401. (reason credentials-refused, 4 scans in a row without a verdict)\n"},
	} {
		d := matrix.Compare(&matrix.Matrix{Rows: []matrix.Row{test.was}}, &matrix.Matrix{Rows: []matrix.Row{test.now}})
		got := renderAs(t, report.Diffs, "markdown", d, report.Options{})
		if diff := cmp.Diff("## Referrers: what changed\n\n1 change since 0001-01-01: "+test.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestDiffReworded: what differs only because of another refmatrix is one line.
func TestDiffReworded(t *testing.T) {
	for n, want := range map[int]string{
		0: "Nothing changed since 2026-11-16.\n",
		1: "Nothing changed since 2026-11-16. In words alone: 1 image, measured by refmatrix 0.1.0 before.\n",
		3: "Nothing changed since 2026-11-16. In words alone: 3 images, measured by refmatrix 0.1.0 before.\n",
	} {
		d := matrix.Diff{Before: day(16), Reworded: n, MeasuredBy: "0.1.0"}
		if got := renderAs(t, report.Diffs, "text", d, report.Options{}); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
