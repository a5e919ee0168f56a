package report_test

import (
	"fmt"
	"regexp"
	"strconv"
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
  - To do: Upgrade it.

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
	if got := weekly(t, many...); !strings.Contains(got, "**`r049`** `x`; and 450 more registries: HTTP 404.") {
		t.Errorf("%.600s", got)
	}
}

// TestDiffRegistries: what all images of a registry have in common is said of the registry.
func TestDiffRegistries(t *testing.T) {
	d := matrix.Diff{Before: day(16), After: day(23)}
	add := func(kind matrix.ChangeKind, registry string, images int, whole bool) {
		for i := range images {
			d.Changes = append(d.Changes, matrix.Change{Kind: kind, Registry: registry, Image: fmt.Sprintf("app:%d", i)})
		}
		if whole {
			d.Registries = append(d.Registries, matrix.RegistryChange{Registry: registry, Kind: kind, Images: images})
		}
	}
	add(matrix.NotMeasured, "down", 4, true)
	add(matrix.Removed, "gone", 12, true)
	add(matrix.Removed, "shrinks", 3, false)
	add(matrix.Added, "one", 1, true)
	add(matrix.Added, "two", 2, true)
	want := `## Referrers: what changed

7 changes since 2026-11-16: 'down' is not measured; 'gone' is gone (12 images); 'shrinks' has images that are gone; 'one' and 'two' are new (3 images).

### No longer measured

- **'down'** (all 4 images) (reason )

### Gone from the inventory

- **'gone'** (all 12 images); **'shrinks'** (3 images)

### New in the inventory

- **'one'** 'app:0'; **'two'** 'app:0', 'app:1'
`
	got := renderAs(t, report.Diffs, "markdown", d, report.Options{})
	if diff := cmp.Diff(strings.ReplaceAll(want, "'", "`"), got); diff != "" {
		t.Error(diff)
	}
}

// TestDiffBound: a fleet that is down is one group, which names some registries and counts the
// others, and a post has the size that it may have.
func TestDiffBound(t *testing.T) {
	d := matrix.Diff{Before: day(16), After: day(23)}
	for i := range 1500 {
		name := fmt.Sprintf("registry-漢字-%d", i)
		d.Changes = append(d.Changes, matrix.Change{
			Kind:     matrix.NotMeasured,
			Registry: name,
			Image:    "app:1",
			Reason:   matrix.DNS,
			Detail:   fmt.Sprintf("No address: lookup %s.example.com: no such host.", name),
			Remedy:   []string{"Check the name of the host in url:."},
		})
	}
	for i := range 300 {
		d.Changes = append(d.Changes, matrix.Change{Kind: matrix.LinksLost, Registry: fmt.Sprint("r", i), Image: "x", Remedy: []string{fmt.Sprintf("Remedy %d.", i)}})
	}
	for _, bound := range []int{0, report.LeastMarkdown, 20_001, 65_536} {
		got := renderAs(t, report.Diffs, "markdown", d, report.Options{MaxBytes: bound})
		if bound > 0 && len(got) > bound || len(got) > 65_536 {
			t.Errorf("%d bytes in a bound of %d", len(got), bound)
		}
		for _, want := range []string{"\n1800 changes since", "1500 registries are not measured", "\n  - To do: Check the name of the host in url:.\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("within %d bytes, lacks %q:\n%.2000s", bound, want, got)
			}
		}
		shown := strings.Count(got, "To do: Remedy")
		left := 0
		if match := regexp.MustCompile(`(?m)^(\d+) groups of changes \(links-lost\) left out`).FindStringSubmatch(got); match != nil {
			left, _ = strconv.Atoi(match[1])
		}
		if shown+left != 300 {
			t.Errorf("within %d bytes, %d groups are shown and %d left out", bound, shown, left)
		}
	}
	whole := renderAs(t, report.Diffs, "markdown", d, report.Options{})
	for _, want := range []string{"**`registry-漢字-49`** `app:1`; and 1450 more registries\n", "  - and 1490 other differences\n"} {
		if !strings.Contains(whole, want) {
			t.Errorf("lacks %q:\n%.2000s", want, whole)
		}
	}
	text := renderAs(t, report.Diffs, "text", d, report.Options{Width: 80})
	if !strings.Contains(text, "\n  do: Check the name of the host in url:.\n") || !strings.Contains(text, "\n  and 1490 other differences\n") {
		t.Errorf("%.3000s", text)
	}
}

// TestDiffOutage: what many registries answer alike is quoted once, although each detail names
// its own host.
func TestDiffOutage(t *testing.T) {
	var before, after []matrix.Row
	for i := range 30 {
		host := fmt.Sprintf("r%d.example", i)
		r := matrix.Row{
			Registry:  fmt.Sprint("reg-", i),
			URL:       "https://" + host,
			Image:     "app:1",
			Referrers: matrix.Supported,
			Strategy:  matrix.ReferrersAPI,
		}
		before = append(before, r)
		r.Referrers, r.Strategy, r.Severity = matrix.SupportUnknown, matrix.StrategyUnknown, matrix.Fail
		r.Reason, r.Detail = matrix.Connect, "No connection to "+host+"."
		after = append(after, r)
	}
	older, newer := &matrix.Matrix{Complete: true}, &matrix.Matrix{Complete: true}
	older.SetRows(before)
	newer.SetRows(after)
	for _, format := range []string{"text", "markdown"} {
		got := renderAs(t, report.Diffs, format, matrix.Compare(older, newer), report.Options{})
		if n := strings.Count(got, "No connection to"); n != 1 {
			t.Errorf("%s quotes %d answers:\n%s", format, n, got)
		}
	}
}

// TestDiffHostileLengths: the bound holds whatever names a file of somebody else's has.
func TestDiffHostileLengths(t *testing.T) {
	long := strings.Repeat("漢|", 10_000)
	d := matrix.Diff{MeasuredBy: long, Reworded: 1}
	for _, kind := range matrix.ChangeKinds {
		d.Changes = append(d.Changes, matrix.Change{Kind: kind, Registry: long, Image: long, Detail: long, Remedy: []string{long}})
	}
	got := renderAs(t, report.Diffs, "markdown", d, report.Options{MaxBytes: report.LeastMarkdown})
	if len(got) > report.LeastMarkdown || !strings.Contains(got, "1 registry lost the referrers API; ") ||
		!strings.Contains(got, "\n1 group of changes (regression) left out of this report for its size: see refmatrix diff -f json.\n") {
		t.Errorf("%d bytes:\n%.2000s", len(got), got)
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
  - To do: Attach it again.

### New links

- **'b'** 'y' (sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, sbom 44136fa355b3, and 2 more)
`
	if diff := cmp.Diff(strings.ReplaceAll(want, "'", "`"), weekly(t, losses, added)); diff != "" {
		t.Error(diff)
	}
	want = `1 change since 2026-11-16: a lost links.

LINKS LOST   a x
  signature 44136fa355b3 since 2026-11-09, link *** on linux/arm64 since 2026-11-23 (replaced)
  do: Attach it again.
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
