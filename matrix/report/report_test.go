package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
	"refmatrix/matrix/verdict"
)

var update = flag.Bool("update", false, "write the golden reports again")

// hostile names are what a registry or an inventory of somebody else's can
// hold.
var hostile = []string{
	"=cmd|' /C calc'!A0", "@SUM(1+1)", "a|b`c*d_e[f](http://x)", "<script>alert(1)</script>", "\x1b[31mred\x1b]0;owned\x07",
	"line\nbreak\r\n", "\u202eoverride", "漢字漢字漢字漢字", "bad \xff utf8", "</td></tr>", "#1 @somebody https://example.com www.example.com",
}

// sample is a matrix with every severity, hostile names, and capabilities.
func sample() *matrix.Matrix {
	two := 2
	m := &matrix.Matrix{
		Schema: matrix.Schema, Tool: matrix.Tool{Name: "refmatrix", Version: "test"}, Complete: true,
		Started:  time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC),
		Finished: time.Date(2026, 11, 16, 6, 0, 3, 0, time.UTC),
	}
	observations := []verdict.Observation{
		{Manifest: verdict.Manifest{Digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
			Referrers: verdict.Referrers{Answer: verdict.Answer{Status: 200, ContentType: matrix.IndexMediaType}, Index: &verdict.Index{Total: 2}},
			Capabilities: matrix.Capabilities{
				Descriptors: &two, Filter: matrix.FilterAnnounces, Pagination: matrix.PageSingle, CosignTags: []string{".sig", ".att"},
				TagSchema: &matrix.TagSchema{Tag: "sha256-44136f", State: matrix.TagIndex, Descriptors: 1, Compared: true, OnlyTag: []string{"sha256:11"}, Links: []matrix.Descriptor{{Digest: "sha256:11", Size: 3}}},
				Push:      &matrix.Push{Strategy: matrix.PushDual, Repository: "scratch", Accepted: true, Listed: true},
			},
			Product: verdict.Product{Name: "Harbor", Version: "2.11.1", Signs: []verdict.Sign{{Label: "header"}}}},
		{Manifest: verdict.Manifest{Digest: "sha256:aa"}, Referrers: verdict.Referrers{Answer: verdict.Answer{Status: 404, ContentType: "text/plain"}}},
		{Manifest: verdict.Manifest{Answer: verdict.Answer{Fault: &verdict.Fault{Kind: matrix.Connect, Text: "connection refused"}}}},
		{Manifest: verdict.Manifest{Answer: verdict.Answer{Status: 404}}},
		{Manifest: verdict.Manifest{Digest: "sha256:bb"}, Referrers: verdict.Referrers{Answer: verdict.Answer{Status: 405}}},
	}
	add := func(name, image string, o *verdict.Observation) {
		row := verdict.NewRow(verdict.Target{Registry: name, URL: "https://registry.example.com", Image: image, Labels: map[string]string{"env": name}, Expect: "referrers-api"}, o)
		row.Requests, row.DurationMS = 2, 41.2
		row.Exchanges = []matrix.Exchange{{Step: "resolve", Method: "HEAD", URL: "https://registry.example.com/v2/", Status: 200, MS: 1.5, Headers: map[string]string{"Server": name}}}
		m.Rows = append(m.Rows, row)
	}
	for i := range observations {
		add(fmt.Sprintf("registry-%d", i), "team/base:1.4", &observations[i])
	}
	for i, name := range hostile {
		add(name, "image "+name, &observations[i%len(observations)])
	}
	m.SetRows(m.Rows)
	return m
}

func render(t *testing.T, name string, m *matrix.Matrix, o report.Options) string {
	t.Helper()
	return renderAs(t, report.Matrices, name, m, o)
}

// TestAssessedSource: in Markdown the registries of the source are names, and the
// number of them is not.
func TestAssessedSource(t *testing.T) {
	for _, test := range []struct {
		source string
		names  []string
		want   string
	}{
		{"harbor", []string{"harbor"}, "## Moving `harbor` to `ecr`"},
		{"harbor, quay", []string{"harbor", "quay"}, "## Moving `harbor`, `quay` to `ecr`"},
		{"4 registries", nil, "## Moving 4 registries to `ecr`"},
	} {
		a := migration.Assessment{Source: test.source, SourceNames: test.names, Target: "ecr"}
		heading, _, _ := strings.Cut(renderAs(t, report.Assessments, "markdown", a, report.Options{}), "\n")
		if heading != test.want {
			t.Errorf("%q, want %q", heading, test.want)
		}
	}
}

// renderAs renders v in the format called name.
func renderAs[T any](t *testing.T, formats report.Formats[T], name string, v T, o report.Options) string {
	t.Helper()
	format, ok := formats.Find(name)
	if !ok {
		t.Fatalf("no format %s among %v", name, formats.Names())
	}
	var out bytes.Buffer
	if err := format.Print(&out, v, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (go test ./matrix/report -update writes it again):\n%s", path, diff)
	}
}

// TestGolden compares every report with the one in testdata, and two
// renderings with each other.
func TestGolden(t *testing.T) {
	for _, f := range report.Matrices {
		if f.File == "" || f.Name == "html" {
			continue
		}
		got := render(t, f.Name, sample(), report.Options{})
		golden(t, f.File, got)
		if f.ByRegistry != nil {
			golden(t, f.ByRegistry.Name, render(t, f.Name, sample(), report.Options{By: report.ByRegistry}))
		}
		if again := render(t, f.Name, sample(), report.Options{}); again != got {
			t.Errorf("%s: two renderings differ", f.Name)
		}
	}
	for _, width := range []int{80, 120, 200} {
		got := render(t, "table", sample(), report.Options{Width: width})
		golden(t, fmt.Sprintf("table-%d.txt", width), got)
		for _, line := range strings.Split(got, "\n") {
			if n := text.StringWidthWithoutEscSequences(line); n > width {
				t.Errorf("a line of %d columns at a width of %d: %s", n, width, line)
			}
		}
		if strings.ContainsAny(got, "\x1b\x07\r\u202e") {
			t.Error("control characters reach the terminal")
		}
	}
	golden(t, "table-images.txt", render(t, "table", sample(), report.Options{Width: 120, By: report.ByImage}))
	explained := []report.Explanation{{Row: &sample().Rows[0], Commands: []string{"curl -sS -I 'https://x'"}}}
	golden(t, "explain.txt", renderAs(t, report.Explanations, "text", explained, report.Options{}))
}

// TestEmptyColumns: a column that would be empty in every row is not there.
func TestEmptyColumns(t *testing.T) {
	m := sample()
	if got := render(t, "table", m, report.Options{Width: 200}); !strings.Contains(got, "PRODUCT") || !strings.Contains(got, "PUSH") {
		t.Errorf("columns are missing:\n%s", got)
	}
	m.SetRows(m.Rows[1:5])
	got := render(t, "table", m, report.Options{Width: 200})
	for _, gone := range []string{"PRODUCT", "FILTER", "TAG SCHEMA", "PUSH"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s is empty and shown:\n%s", gone, got)
		}
	}
}

// TestFixes: rows of one reason that need different fixes are each given their
// own, in every format that says what to do.
func TestFixes(t *testing.T) {
	m := sample()
	old := m.Rows[1]
	m.Rows = nil
	for _, one := range []struct{ registry, detail, remedy string }{
		{"harbor-a", "HTTP 404 text/plain.", "Upgrade Harbor 2.7.0."},
		{"ghcr", "HTTP 404 text/html.", "Use the tag schema."},
		{"harbor-b", "HTTP 404 application/json.", "Upgrade Harbor 2.7.0."},
	} {
		row := old
		row.Registry, row.Image, row.Detail, row.Remedy = one.registry, "a:1", one.detail, []string{one.remedy}
		m.Rows = append(m.Rows, row)
	}
	m.SetRows(m.Rows)
	for format, want := range map[string][]string{
		"table": {
			"3 registries: 3 do not", "3 images: 0 fail, 3 warn, 0 info, 0 pass",
			"WARN Upgrade Harbor 2.7.0.", "2 registries, 2 images (not-found): harbor-a (a:1); harbor-b (a:1)", "HTTP 404 text/plain.",
			"HTTP 404 application/json.", "WARN Use the tag schema.", "1 registry, 1 image (not-found): ghcr (a:1)", "HTTP 404 text/html.",
		},
		"markdown": {
			"### warn: Upgrade Harbor 2.7.0.\n\n2 registries, 2 images (not-found): `harbor-a` (`a:1`), `harbor-b` (`a:1`)\n",
			"- HTTP 404 text/plain. (1 image: `harbor-a`)\n", "- HTTP 404 application/json. (1 image: `harbor-b`)\n",
			"### warn: Use the tag schema.\n\n1 registry, 1 image (not-found): `ghcr` (`a:1`)\n\nSeen: HTTP 404 text/html.\n",
		},
		"html": {
			"Upgrade Harbor 2.7.0.", "2 registries, 2 images", ">harbor-a</a>", ">harbor-b</a>", "HTTP 404 text/plain.", "HTTP 404 application/json.",
			"Use the tag schema.", "1 registry, 1 image", ">ghcr</a>", "HTTP 404 text/html.",
		},
	} {
		got := render(t, format, m, report.Options{})
		for _, words := range want {
			_, rest, found := strings.Cut(got, words)
			if !found {
				t.Errorf("%s: %q does not stand where it should in what is left:\n%.3000s", format, words, got)
				break
			}
			got = rest
		}
	}
}

// TestQuantity: one thing is told as one.
func TestQuantity(t *testing.T) {
	for want, got := range map[string]string{
		"1 registry": matrix.Quantity(1, "registry"), "2 registries": matrix.Quantity(2, "registry"),
		"1 image": matrix.Quantity(1, "image"), "0 images": matrix.Quantity(0, "image"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestColor: colours are escape sequences around the severity, and nothing
// else changes.
func TestColor(t *testing.T) {
	plain := render(t, "table", sample(), report.Options{Width: 120})
	colored := render(t, "table", sample(), report.Options{Width: 120, Color: true})
	if !strings.Contains(colored, "\x1b[") || text.StripEscape(colored) != plain {
		t.Error("colour changes more than colour")
	}
}

// TestExplain: sentences stay within the terminal, what is there to be copied
// stays whole, the severity has its colour, a tag that is not there is no
// list of noughts, and what was left out is counted.
func TestExplain(t *testing.T) {
	row := sample().Rows[0]
	row.Omitted = &matrix.Omitted{Headers: 1, Links: 20, Exchanges: 3}
	row.Capabilities.TagSchema = &matrix.TagSchema{Tag: "sha256-44136f", State: matrix.TagAbsent}
	command := "curl -sS -I " + strings.Repeat("'https://registry.example.com/v2/' ", 4)
	explained := []report.Explanation{{Row: &row, Commands: []string{command}}}
	got := renderAs(t, report.Explanations, "text", explained, report.Options{Width: 72, Color: true})
	for line := range strings.Lines(got) {
		if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > 72 && !strings.Contains(line, "curl") && !strings.HasPrefix(line, "digest") {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	for _, want := range []string{"  " + command + "\n", "\x1b[32mPASS\x1b[0m", "sha256-44136f: absent\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if unwrapped := strings.Join(strings.Fields(got), " "); !strings.Contains(unwrapped, "3 exchanges, 1 header and 20 links are left out.") {
		t.Errorf("lacks what was left out:\n%s", got)
	}
}

// TestMarkdownTable: every row of the table has the columns of its header, so
// that no name can break out of its cell.
func TestMarkdownTable(t *testing.T) {
	columns := 0
	for _, line := range strings.Split(render(t, "markdown", sample(), report.Options{}), "\n") {
		text := report.MaskMarkdown(line)
		switch n := strings.Count(text, "|"); {
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns, want %d: %s", n, columns, line)
		}
		if strings.Contains(text, "<") || strings.Contains(text, "https://example") || strings.Contains(text, "@somebody") {
			t.Errorf("markup, link or mention: %s", line)
		}
	}
}

func TestJUnit(t *testing.T) {
	var suites struct {
		Tests  int `xml:"tests,attr"`
		Suites []struct {
			Cases []struct {
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	m := sample()
	if err := xml.Unmarshal([]byte(render(t, "junit", m, report.Options{})), &suites); err != nil {
		t.Fatal(err)
	}
	var s matrix.Summary
	for _, suite := range suites.Suites {
		for _, c := range suite.Cases {
			switch {
			case c.Error != nil:
				s.Fail++
			case c.Failure != nil:
				s.Warn++
			case c.Skipped != nil:
				s.Info++
			default:
				s.Pass++
			}
		}
	}
	// Every row of the sample is expected to have the API.
	want := m.Summary
	want.Warn, want.Info = want.Warn+want.Info, 0
	if s.Fail != want.Fail || s.Warn != want.Warn || s.Info != want.Info || s.Pass != want.Pass || suites.Tests != want.Rows {
		t.Errorf("%+v, want %+v", s, want)
	}
}

// TestJUnitUnexpected: a row that passes and was expected otherwise is no pass.
func TestJUnitUnexpected(t *testing.T) {
	m := sample()
	m.Rows = []matrix.Row{m.Rows[0], m.Rows[3]}
	m.Rows[0].Unexpected, m.Rows[0].Expect = true, "referrers-tag"
	m.Rows[1].Unexpected, m.Rows[1].Expect = false, ""
	m.SetRows(m.Rows)
	got := render(t, "junit", m, report.Options{})
	if !strings.Contains(got, `failures="1" errors="0" skipped="1"`) || !strings.Contains(got, "The inventory expects referrers-tag.") {
		t.Error(got)
	}
}

// TestSchema: matrix.json is what its schema says, and reads back the same.
func TestSchema(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("urn:refmatrix:matrix:v1", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("urn:refmatrix:matrix:v1")
	if err != nil {
		t.Fatal(err)
	}
	m := sample()
	m.Rows[1].Digest, m.Rows[4].Digest = "", ""
	for i := range m.Rows {
		if len(m.Rows[i].Digest) < 20 {
			m.Rows[i].Digest = ""
		}
	}
	withLinks(&m.Rows[0])
	m.SetRows(m.Rows)
	encoded := render(t, "json", m, report.Options{})
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Error(err)
	}
	example, err := os.Open("../../reports/example/matrix.json") // of real registries, with all that is measured
	if err != nil {
		t.Fatal(err)
	}
	defer example.Close()
	if instance, err = jsonschema.UnmarshalJSON(example); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Error(err)
	}
	back, err := store.Read(strings.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	// Bytes that are no UTF-8 are written as an escape and read as a character;
	// everything else comes back to the letter.
	again := render(t, "json", back, report.Options{})
	if again != strings.ReplaceAll(encoded, `\ufffd`, "\uFFFD") {
		t.Error(cmp.Diff(encoded, again))
	}
}

// withLinks fills everything that a row holds of links.
func withLinks(r *matrix.Row) {
	r.Links = matrix.NewLinks([]matrix.Link{{
		Digest:       "sha256:11",
		Kind:         matrix.KindSBOM,
		ArtifactType: "application/spdx+json",
		TypedAway:    true,
		Where:        matrix.Places,
		Subject:      "sha256:22",
		Depth:        1,
		Platform:     "linux/arm64/v8",
		Size:         -1, // a registry may say so
	}}, matrix.Places, []matrix.Platform{{Platform: "linux/arm64/v8", Digest: "sha256:22", Asked: matrix.Places}})
	r.Coverage = map[matrix.LinkKind]matrix.Coverage{matrix.KindSBOM: matrix.CoveragePartial}
	r.Lacking = map[matrix.LinkKind][]string{matrix.KindSBOM: {"linux/amd64"}}
	r.Lost = []matrix.Lost{{
		Digest:   "sha256:33",
		Kind:     matrix.KindSignature,
		Subject:  "sha256:22",
		Platform: "linux/arm64/v8",
		Since:    time.Date(2026, 11, 2, 6, 0, 0, 0, time.UTC),
	}}
}

// TestSchemaAgrees: the Go types and the schema have the same keys.
func TestSchemaAgrees(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(report.Schema(), &root); err != nil {
		t.Fatal(err)
	}
	agree(t, root, root, reflect.TypeFor[matrix.Matrix](), "matrix")
}

func agree(t *testing.T, root, node map[string]any, goType reflect.Type, path string) {
	for goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	if ref, ok := node["$ref"].(string); ok {
		node = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	switch goType.Kind() {
	case reflect.Slice:
		agree(t, root, node["items"].(map[string]any), goType.Elem(), path+"[]")
	case reflect.Map:
		agree(t, root, node["additionalProperties"].(map[string]any), goType.Elem(), path+"{}")
	case reflect.Struct:
		if goType == reflect.TypeFor[time.Time]() {
			return
		}
		properties, _ := node["properties"].(map[string]any)
		var keys []string
		for i := range goType.NumField() {
			key, _, _ := strings.Cut(goType.Field(i).Tag.Get("json"), ",")
			keys = append(keys, key)
			child, ok := properties[key].(map[string]any)
			if !ok {
				t.Errorf("%s.%s is not in the schema", path, key)
				continue
			}
			agree(t, root, child, goType.Field(i).Type, path+"."+key)
		}
		for key := range properties {
			if !slices.Contains(keys, key) {
				t.Errorf("%s.%s is in the schema and not in the Go type", path, key)
			}
		}
	}
}
