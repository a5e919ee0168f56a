package report_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// remedies is how many things there are to do in a crowd: more than a fleet that meets every
// reason has.
const remedies = 40

// crowd is a matrix of registries with images each, which need every kind of attention.
func crowd(registries, images int) *matrix.Matrix {
	m := &matrix.Matrix{Schema: matrix.Schema, Tool: matrix.Tool{Name: "refmatrix", Version: "test"}, Shard: "1/2"}
	var rows []matrix.Row
	for i := range registries {
		for j := range images {
			need := (i + j%2) % (remedies + 10)
			r := matrix.Row{
				Registry: fmt.Sprintf("registry-漢字-%d", i),
				URL:      fmt.Sprintf("https://r%d.example.com", i),
				Image:    fmt.Sprintf("team/app-%d:1", j),
				Digest:   shaOf("aa"),
				Severity: matrix.Pass, Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI, Reason: matrix.ReferrersListed,
				Coverage: map[matrix.LinkKind]matrix.Coverage{matrix.KindSignature: matrix.CoverageAbsent, matrix.KindSBOM: matrix.CoveragePresent},
				Labels:   map[string]string{"team": fmt.Sprint(i)},
				Findings: []matrix.Finding{{Code: "x", Text: fmt.Sprintf("Finding %d of %s.", i, strings.Repeat("long ", 20))}},
			}
			if need < remedies {
				r.Severity, r.Referrers, r.Strategy = matrix.Severities[need%3], matrix.SupportUnknown, matrix.StrategyUnknown
				r.Reason, r.Detail = matrix.Connect, fmt.Sprintf("No connection to r%d.example.com: %s.", i, strings.Repeat("ü", need))
				r.Remedy = []string{remedy(need), "Else look at the logs of the registry.", fmt.Sprintf("Or at the %dth proxy.", i)}
			}
			if i%7 == 0 {
				r.Lost = []matrix.Lost{{Digest: shaOf("ee"), Kind: matrix.KindSignature, Subject: r.Digest}}
			}
			rows = append(rows, r)
		}
	}
	m.SetRows(rows)
	return m
}

func remedy(n int) string {
	return fmt.Sprintf("Remedy %d: check that the registry is up and that a firewall or a proxy lets this machine reach it at all.", n)
}

var leftOut = regexp.MustCompile(`(?m)^(\d+) (\S+)(.*) left out of this report for its size: see \S+`)

// counted returns how many things the lines of a section name that begin with prefix, and how
// many more it counts.
func counted(got, heading, prefix, noun, which string) (shown, left int) {
	if _, section, found := strings.Cut(got, "\n"+heading+"\n"); found {
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "#") {
				break
			}
			if strings.HasPrefix(line, prefix) {
				shown++
			}
		}
	}
	for _, match := range leftOut.FindAllStringSubmatch(got, -1) {
		if strings.HasPrefix(match[2], noun) && match[3] == which {
			left, _ = strconv.Atoi(match[1])
		}
	}
	return shown, left
}

// TestMarkdownBound: whatever is rendered into whatever bound, the report is not longer, its
// lines are whole, what there is to do is in it, and what is left out is counted.
func TestMarkdownBound(t *testing.T) {
	for _, size := range []struct{ registries, images int }{{1, 1}, {50, 3}, {5, 100}, {400, 10}} {
		m := crowd(size.registries, size.images)
		for at, bound := range []int{65_536, report.LeastMarkdown, 20_001, 300_000, 0} {
			for _, o := range []report.Options{{}, {Rows: report.NoRows}, {By: report.ByImage}} {
				if o.MaxBytes = bound; len(m.Rows) > 1_000 && (at > 0 || o.Rows != "" || o.By != "") {
					continue // a large one takes a second
				}
				t.Run(fmt.Sprintf("%d registries of %d images in %d bytes by %s", size.registries, size.images, bound, o.By), func(t *testing.T) {
					checkBounded(t, m, render(t, "markdown", m, o), o)
				})
			}
		}
	}
}

func checkBounded(t *testing.T, m *matrix.Matrix, got string, o report.Options) {
	t.Helper()
	limit := o.MaxBytes
	if limit == 0 {
		limit = report.MaxMarkdown
	}
	if len(got) > limit || !utf8.ValidString(got) || !strings.HasSuffix(got, "UTC.\n") {
		t.Errorf("%d bytes in a bound of %d, ends with %q", len(got), limit, got[max(0, len(got)-40):])
	}
	for _, want := range []string{fmt.Sprintf("**%s", matrix.Quantity(len(m.Registries), "registry")), "shard 1/2", "not complete"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	for i := range m.Rows {
		if r := &m.Rows[i]; len(r.Remedy) > 0 && !strings.Contains(got, fmt.Sprintf("\n### %s: %s\n", r.Severity, r.Remedy[0])) {
			t.Fatalf("does not say: %s", r.Remedy[0])
		}
	}
	const heads = 2 // lines of a table's head
	check := func(what string, shown, left, want int) {
		if shown+left != want || shown > 0 && left == 0 && shown != want {
			t.Errorf("%d %s shown and %d left out of %d", shown, what, left, want)
		}
	}
	if o.By != report.ByImage {
		shown, left := counted(got, "## Registries", "| ", "registr", "")
		check("registries", max(0, shown-heads), left, len(m.Registries))
	}
	images := map[report.Line]string{"": "## Images", report.ByImage: "## Matrix"}[o.By]
	shown, left := counted(got, images, "| ", "image", "")
	if o.Rows == report.NoRows {
		check("images", shown, left, 0)
	} else {
		check("images", max(0, shown-heads), left, len(m.Rows))
	}
	shown, left = counted(got, "## Findings", "- ", "finding", "")
	check("findings", shown, left, len(m.Registries))
}

// TestMarkdownCutsTheMatrix: what is cut first is the images, then the registries, and
// what to do stays word for word while the matrix can be cut instead.
func TestMarkdownCutsTheMatrix(t *testing.T) {
	m := crowd(300, 3)
	whole := render(t, "markdown", m, report.Options{MaxBytes: 10 << 20})
	toDo, matrices, _ := strings.Cut(whole, "\n## Registries\n")
	for _, part := range []struct {
		bytes int
		cut   string
		whole []string
	}{
		{len(whole) - 1, "image", []string{"## Registries", "## Images"}},
		{len(whole) - len(matrices)/2, "image", []string{"## Registries"}},
		{len(toDo) + 60_000, "registries", []string{"## What to do"}},
	} {
		got := render(t, "markdown", m, report.Options{MaxBytes: part.bytes})
		if before, _, _ := strings.Cut(got, "\n## Registries\n"); before != toDo {
			t.Errorf("within %d bytes the report says otherwise what to do", part.bytes)
		}
		cut := leftOut.FindAllString(got, -1)
		if !slices.ContainsFunc(cut, func(line string) bool { return strings.Contains(line, part.cut) }) {
			t.Errorf("within %d bytes this is cut: %q", part.bytes, cut)
		}
		for _, heading := range part.whole {
			if !strings.Contains(got, "\n"+heading+"\n") {
				t.Errorf("within %d bytes the report lacks %s", part.bytes, heading)
			}
		}
	}
}

// TestMarkdownHostileLengths: what a file of somebody else's holds at any length is counted, and
// the bound holds.
func TestMarkdownHostileLengths(t *testing.T) {
	long := strings.Repeat("漢|", 10_000)
	m := &matrix.Matrix{Schema: matrix.Schema, Tool: matrix.Tool{Name: long, Version: long}, Shard: long}
	m.SetRows([]matrix.Row{
		{Registry: long, Image: long, Severity: matrix.Fail, Detail: long, Remedy: []string{long, long}, Findings: []matrix.Finding{{Text: long}}},
		{Registry: "b", Image: "b", Severity: matrix.Warn, Remedy: []string{"Upgrade it."}},
	})
	got := render(t, "markdown", m, report.Options{MaxBytes: report.LeastMarkdown})
	if len(got) > report.LeastMarkdown || !strings.Contains(got, "\n1 finding left out of this report for its size: see matrix.json.\n") {
		t.Errorf("%d bytes:\n%.2000s", len(got), got)
	}
}
