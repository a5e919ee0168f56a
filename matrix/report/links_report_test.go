package report_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// shaOf returns a digest that begins with text.
func shaOf(text string) string { return "sha256:" + text + strings.Repeat("0", 64-len(text)) }

// linked is a matrix of images of which signatures and SBOMs are required.
func linked() *matrix.Matrix {
	m := &matrix.Matrix{
		Schema: matrix.Schema, Tool: matrix.Tool{Name: "refmatrix", Version: "test"}, Complete: true,
		Started:  time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC),
		Finished: time.Date(2026, 11, 16, 6, 0, 3, 0, time.UTC),
	}
	add := func(registry, image, env string, signature, sbom matrix.Coverage) *matrix.Row {
		r := matrix.Row{
			Registry:  registry,
			URL:       "https://" + registry + ".example.com",
			Image:     image,
			Labels:    map[string]string{"env": env},
			Digest:    shaOf(fmt.Sprintf("%02d", len(m.Rows)+10)),
			Severity:  matrix.Pass,
			Referrers: matrix.Supported,
			Strategy:  matrix.ReferrersAPI,
			Reason:    matrix.ReferrersListed,
			Detail:    "HTTP 200 with an OCI index: the referrers API works.",
			Remedy:    []string{},
			Coverage:  map[matrix.LinkKind]matrix.Coverage{matrix.KindSignature: signature, matrix.KindSBOM: sbom},
		}
		m.Rows = append(m.Rows, r)
		return &m.Rows[len(m.Rows)-1]
	}
	r := add("harbor", "team/base:1.4", "prod", matrix.CoveragePresent, matrix.CoveragePartial)
	r.Links = matrix.NewLinks([]matrix.Link{
		{Digest: shaOf("aa"), Kind: matrix.KindSignature, Where: matrix.Places[:2], Subject: r.Digest, Depth: 1},
		{Digest: shaOf("bb"), Kind: matrix.KindSBOM, ArtifactType: "application/spdx+json", Where: matrix.Places[:1],
			Subject: shaOf("a1"), Platform: "linux/amd64", Depth: 1, TypedAway: true},
		{Digest: shaOf("cc"), Where: matrix.Places[:1], Subject: r.Digest, Depth: 1},
		{Digest: shaOf("dd"), Kind: matrix.KindSignature, Where: matrix.Places[:1], Subject: shaOf("bb"), Depth: 2},
	}, matrix.Places, []matrix.Platform{
		{Platform: "linux/amd64", Digest: shaOf("a1"), Asked: matrix.Places},
		{Platform: "linux/arm64", Digest: shaOf("a2"), Asked: matrix.Places[:3]},
	})
	r.Lacking = map[matrix.LinkKind][]string{matrix.KindSBOM: {"linux/arm64"}}
	r = add("harbor", "team/app:2", "prod", matrix.CoverageAbsent, matrix.CoverageAbsent)
	r.Links = matrix.NewLinks(nil, matrix.Places, nil)
	r.Lost = []matrix.Lost{
		{Digest: shaOf("ee"), Kind: matrix.KindSignature, Subject: r.Digest, Since: time.Date(2026, 11, 2, 6, 0, 0, 0, time.UTC)},
		{Digest: shaOf("ff"), Subject: shaOf("a3"), Platform: "linux/arm64", Since: time.Date(2026, 11, 9, 6, 0, 0, 0, time.UTC), Replaced: true},
	}
	r = add("quay", "app:1", "test", matrix.CoverageAbsent, matrix.CoveragePresent)
	r.Strategy, r.Referrers, r.Reason, r.Severity = matrix.ReferrersTag, matrix.Unsupported, matrix.NotFound, matrix.Warn
	r.Links = matrix.NewLinks([]matrix.Link{{Digest: shaOf("ab"), Kind: matrix.KindSBOM, Where: matrix.Places[1:2], Subject: r.Digest, Depth: 1}}, matrix.Places, nil)
	add("ecr", "app:1", "test", matrix.CoverageUnknown, matrix.CoverageUnknown)
	m.Rows = append(m.Rows, m.Rows[3])
	free := &m.Rows[4]
	free.Registry, free.Coverage = "free", nil
	m.SetRows(m.Rows)
	return m
}

// TestLinksGolden compares the reports on links with those in testdata.
func TestLinksGolden(t *testing.T) {
	for _, name := range []string{"csv", "markdown", "junit", "prometheus"} {
		format, _ := report.Matrices.Find(name)
		golden(t, "links-"+format.File, render(t, name, linked(), report.Options{}))
	}
	golden(t, "links-table.txt", render(t, "table", linked(), report.Options{Width: 100}))
	explained := []report.Explanation{{Row: &linked().Rows[0]}, {Row: &linked().Rows[1]}}
	golden(t, "links-explain.txt", renderAs(t, report.Explanations, "text", explained, report.Options{Width: 100}))
}

// presence stands in each section on coverage.
const presence = "Presence, not validity"

// TestWithoutLinks: the sections and metrics are there only if something was required, probed
// or lost. The columns of CSV are always there, for those who read them by position.
func TestWithoutLinks(t *testing.T) {
	m := linked()
	for i := range m.Rows {
		m.Rows[i].Links, m.Rows[i].Coverage, m.Rows[i].Lacking, m.Rows[i].Lost = nil, nil, nil, nil
	}
	m.SetRows(m.Rows)
	for _, format := range report.Matrices {
		if format.Name == "csv" {
			continue
		}
		got := strings.ToLower(render(t, format.Name, m, report.Options{}))
		for _, word := range []string{strings.ToLower(presence), "links_by_kind", "refmatrix_links", "refmatrix_coverage", "lost links", "links lost", `"coverage":`} {
			if _, page, found := strings.Cut(got, "</style>"); found {
				page, _, _ = strings.Cut(page, "<script>")
				got = page
			}
			if strings.Contains(got, word) {
				t.Errorf("%s holds %q", format.Name, word)
			}
		}
	}
}

// TestCoverageInReports: every report for people says that presence is not validity, has the
// percentage of what is known, and what is not known beside it.
func TestCoverageInReports(t *testing.T) {
	m := linked()
	for format, want := range map[string][]string{
		"table":    {presence, "33% of 3: 1 present, 0 partial, 2 absent; unknown 1", "ecr: unknown 1, nothing is known"},
		"markdown": {presence, "| signature | 33% | 1 | 0 | 2 | 1 |", "| signature –, sbom – |"},
		"html":     {presence, "33%", "team/<wbr>app:<wbr>2", "cosign sign --recursive"},
	} {
		got := render(t, format, m, report.Options{})
		for _, text := range want {
			if !strings.Contains(got, text) {
				t.Errorf("%s lacks %q:\n%s", format, text, got)
			}
		}
	}
}

// TestLongWorklist: a group names so many images, then says how many more there are, and every
// line fits the terminal but the commands.
func TestLongWorklist(t *testing.T) {
	m := linked()
	for i := range 500 {
		row := m.Rows[1]
		row.Image = fmt.Sprintf("team/app-%d:2", i)
		m.Rows = append(m.Rows, row)
		row.Registry = fmt.Sprintf("registry-%d", i)
		m.Rows = append(m.Rows, row)
	}
	m.SetRows(m.Rows)
	got := render(t, "table", m, report.Options{Width: 80})
	for line := range strings.Lines(got) {
		command := strings.HasPrefix(line, "  do: ") || strings.HasPrefix(line, "  or: ") || strings.HasPrefix(line, "  then: ") || strings.HasPrefix(line, "      ")
		if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > 80 && !command {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	for _, rest := range []string{
		"MISSING signature at 502 registries, 1002 images: harbor (501 of 502)",
		"\n  harbor team/base:1.4: missing on linux/arm64\n",
		"LOST 2002 links at 501 registries, 1001 images:",
		"and 993 other images, in the Markdown and CSV",
	} {
		if !strings.Contains(got, rest) {
			t.Errorf("lacks %q", rest)
		}
	}
	got = render(t, "markdown", m, report.Options{})
	for _, want := range []string{
		"### Missing: signature\n\n502 registries, 1002 images: `harbor` (501 of 502), `quay` (`app:1`), `registry-0` (`team/app-0:2`), ",
		"`registry-47` (`team/app-47:2`), and 452 more\n",
		"- `team/base:1.4` at `harbor`: missing on linux/arm64\n",
		"### Lost: 2002 links\n\n501 registries, 1001 images: `harbor` (501 of 502), ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if n := strings.Count(got, "cosign sign --recursive"); n > 3 {
		t.Errorf("the same command for a signature stands %d times", n)
	}
}

// TestLinksCSV: what was not probed is not 0.
func TestLinksCSV(t *testing.T) {
	m := linked()
	m.Rows[0].Lacking[matrix.KindSBOM] = []string{"=cmd()"}
	_, records := recordsOf(t, m, report.ByImage)
	for i, want := range []string{
		"3,signature 1; sbom 1; unknown 1,signature present; sbom partial (=cmd()),",
		"0,,signature absent; sbom absent,2",
		"1,sbom 1,signature absent; sbom present,",
		",,signature unknown; sbom unknown,",
		",,,",
	} {
		r := records[i]
		if got := strings.Join([]string{r["links"], r["links_by_kind"], r["coverage"], r["lost"]}, ","); got != want {
			t.Errorf("record %d has %q, want %q", i, got, want)
		}
	}
}

// TestLinksJUnit: an image that lacks what is required fails, and so does one that lost a link;
// what is not known does not.
func TestLinksJUnit(t *testing.T) {
	var suites struct {
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	m := linked()
	m.Rows[4].Lost = m.Rows[1].Lost[:1]
	if err := xml.Unmarshal([]byte(render(t, "junit", m, report.Options{})), &suites); err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, suite := range suites.Suites {
		for _, c := range suite.Cases {
			if c.Failure != nil {
				messages = append(messages, c.Name+": "+c.Failure.Message)
			}
		}
	}
	wants := []string{
		"Missing: sbom (on linux/arm64).",
		"Missing: signature, sbom. Lost: signature ee0000000000 of 110000000000 since 2026-11-02, link ff0000000000 on linux/arm64 since 2026-11-09 (replaced).",
		"Missing: signature.",
		"Lost: signature ee0000000000 of",
	}
	if len(messages) != len(wants) || suites.Failures != len(wants) {
		t.Fatalf("%d failures: %q", suites.Failures, messages)
	}
	for i, want := range wants {
		if !strings.Contains(messages[i], want) {
			t.Errorf("%q lacks %q", messages[i], want)
		}
	}
}

// TestLinkSeriesOnce: registries whose names are shown alike are one series.
func TestLinkSeriesOnce(t *testing.T) {
	m := linked()
	m.Rows[2].Registry, m.Rows[3].Registry = "\x1b", `\x1b`
	seen := map[string]bool{}
	for line := range strings.Lines(render(t, "prometheus", m, report.Options{})) {
		series, _, _ := strings.Cut(line, "} ")
		if strings.Contains(series, "{") && seen[series] {
			t.Errorf("%s comes twice", series)
		}
		seen[series] = true
	}
}

// TestLinksPrometheus reads the metrics of links with Prometheus' own parser: a ratio stands
// only where something is known, and a zero only where it is certain.
func TestLinksPrometheus(t *testing.T) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(render(t, "prometheus", linked(), report.Options{})))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			values := []string{strings.TrimPrefix(name, "refmatrix_")}
			for _, label := range metric.GetLabel() {
				values = append(values, label.GetValue())
			}
			got[strings.Join(values, " ")] = metric.GetGauge().GetValue()
		}
	}
	for series, want := range map[string]float64{
		"coverage harbor signature": 0.5, "coverage quay sbom": 1, "coverage quay signature": 0,
		"coverage_images ecr signature unknown": 1, "coverage_images ecr signature absent": 0, "coverage_images harbor sbom partial": 1,
		"links harbor signature": 1, "links harbor unknown": 1, "links quay sbom": 1, "links quay signature": 0,
		"links_lost harbor signature": 1, "links_lost harbor unknown": 1,
	} {
		if value, ok := got[series]; !ok || value != want {
			t.Errorf("%s is %v, %v, want %v", series, value, ok, want)
		}
	}
	for _, series := range []string{"coverage ecr signature", "links ecr signature", "links free signature", "links harbor provenance", "links_lost quay signature", "coverage free signature"} {
		if value, ok := got[series]; ok {
			t.Errorf("%s is %v, and it was not measured", series, value)
		}
	}
}
