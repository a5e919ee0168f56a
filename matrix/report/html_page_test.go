package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// withoutScript is the part of a page that is read without its script.
func withoutScript(t *testing.T, m *matrix.Matrix) string {
	t.Helper()
	page, _, found := strings.Cut(render(t, "html", m, report.Options{}), "<script")
	if !found {
		t.Fatal("the page has no script")
	}
	return page
}

// TestPageBegins: first come the registries in a sentence, the risk, what to do, the matrix of
// registries, and only then what is missing, what was lost, and the numbers.
func TestPageBegins(t *testing.T) {
	rest := withoutScript(t, linked())
	for _, want := range []string{
		"have the API", "no referrers API", ">What to do<", ">Matrix of registries<", `<tr id="reg-`,
		">Coverage<", ">Lost links<", ">Images in numbers<",
	} {
		_, behind, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q does not stand where it should", want)
		}
		rest = behind
	}
}

// TestPageColumns: capabilities and each client library have a column, and one that no registry
// has a value for is not there.
func TestPageColumns(t *testing.T) {
	m := sample()
	page := withoutScript(t, m)
	titles := []string{"Filter", "Push", "oras, notation", "cosign, crane", "regctl", "containerd"}
	for _, title := range titles {
		want := ">" + title + "<"
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks the column %s", want)
		}
	}
	m.SetRows(m.Rows[1:5])
	if page := withoutScript(t, m); strings.Contains(page, ">Filter<") || strings.Contains(page, ">Push<") {
		t.Error("the page has a column without a value")
	}
}

// TestPageWithoutScript: every image of a small scan stands below its registry, and the page of
// a large one stays small and says what it leaves out.
func TestPageWithoutScript(t *testing.T) {
	for _, test := range []struct {
		registries, images int
		lines, imagesShown int
		left               string
		largest            int // bytes
	}{
		{registries: 20, images: 10, lines: 20, imagesShown: 200, largest: 200_000},
		{registries: 20, images: 11, lines: 20, imagesShown: 0, largest: 100_000},
		{registries: 700, images: 1, lines: 500, imagesShown: 0, largest: 700_000, left: "and 200 more registries"},
		{registries: 10, images: 500, lines: 10, imagesShown: 0, largest: 100_000},
	} {
		m := &matrix.Matrix{Schema: matrix.Schema}
		row := sample().Rows[1]
		for i := range test.registries {
			for j := range test.images {
				row.Registry, row.Image = fmt.Sprintf("registry-%d", i), fmt.Sprintf("team/app-%d", j)
				m.Rows = append(m.Rows, row)
			}
		}
		m.SetRows(m.Rows)
		page := withoutScript(t, m)
		lines, images := strings.Count(page, `class="of-registry"`), strings.Count(page, `<li id="row-`)
		if lines != test.lines || images != test.imagesShown || !strings.Contains(page, test.left) {
			t.Errorf("%d x %d: %d registries, %d images, or lacks %q", test.registries, test.images, lines, images, test.left)
		}
		if len(page) > test.largest {
			t.Errorf("%d x %d: %d bytes stand in the page beside its data", test.registries, test.images, len(page))
		}
	}
}

// TestPageIDs: registries and images have the ids of every earlier page, because people keep
// links to them.
func TestPageIDs(t *testing.T) {
	m := &matrix.Matrix{}
	row := sample().Rows[1]
	row.Registry, row.Image = "harbor", "team/app:1"
	m.SetRows([]matrix.Row{row})
	page := withoutScript(t, m)
	for _, name := range []string{"reg-", "row-"} {
		text := map[string]string{"reg-": "harbor", "row-": "harbor\x00team/app:1"}[name]
		sum := sha256.Sum256([]byte(text))
		if id := fmt.Sprintf(`id="%s%x"`, name, sum[:6]); !strings.Contains(page, id) {
			t.Errorf("the page lacks %s", id)
		}
	}
}

// TestPagePolicy: the page lets its own script and style run, by their hashes, and nothing else.
func TestPagePolicy(t *testing.T) {
	page := render(t, "html", sample(), report.Options{})
	hash := func(open, end string) string {
		_, rest, _ := strings.Cut(page, open)
		text, _, _ := strings.Cut(rest, end)
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; script-src " + hash("<script>", "</script>") +
		"; style-src " + hash("<style>", "</style>") + "; img-src data:; base-uri 'none'; form-action 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	got := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if plain := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(got[1]); plain != want {
		t.Errorf("the policy is\n%s\nwant\n%s", plain, want)
	}
}
