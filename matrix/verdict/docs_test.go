package verdict

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
)

var update = flag.Bool("update", false, "write the documents again")

// capabilityNotes documents each field of Capabilities: how it is measured, what
// to do where it is not as it should be, and where the rule comes from. Its
// meaning is the comment on the field.
var capabilityNotes = map[string]struct{ measured, remedy, source string }{
	"descriptors":         {"The referrers answers, all pages, counted while they are read, each digest once (beyond 20,000 each descriptor). `standard` reads the first page, `full` the others.", "Scan with `--probe full` where the number is missing: there is a next page that was not read.", listing},
	"artifact_types":      {"The `artifactType` of each descriptor that was read, named in words where it is known.", "Upgrade a registry that lists descriptors without their artifact type: clients cannot choose among them.", "image specification, Descriptor; " + listing},
	"invalid_descriptors": {"Descriptors are read one by one; those without a digest of the image specification's grammar, or with a type over 255 bytes, are counted here and nowhere else.", "Ask the vendor for valid descriptors; clients cannot use these.", "image specification, Descriptor and Digests; RFC 6838 section 4.2"},
	"more_types":          {"A row keeps 100 artifact types, counted over the first 1000 descriptors of all pages together.", "Ask the registry itself for the whole list.", listing},
	"content_type":        {"The Content-Type header of the first page, compared with " + matrix.IndexMediaType + ".", "A proxy that adds a charset or rewrites the type has to leave it alone.", listing},
	"filter":              {"A second request with `?artifactType=`: a type that is listed beside others where there is one, else a type that cannot exist. Its list is held against the plain one, whatever the header says. It is made once in a repository for the images whose list is empty, and once for those whose list shows what a filter does.", "None needed where it is ignored: clients filter themselves. Where it is misstated or fails, list without it.", listing + ", Filters"},
	"filter_type":         {"The type that request asked for.", "None: it tells what `filter` rests on.", listing + ", Filters"},
	"pagination":          {"The `Link` header with rel=\"next\", followed on the same origin up to a bound; a page that came before ends it.", "Fix the proxy where next links lead to another origin: clients lose their credentials there.", listing + "; RFC 8288"},
	"pages":               {"Pages read.", "None: it tells what `descriptors` and `artifact_types` rest on.", listing + "; RFC 8288"},
	"absent_subject":      {"A well-formed digest that cannot exist: `standard` requests it once in a registry, and each row compares its own list with the answer; `full` requests it once in each repository.", "Ask the vendor for an empty list: clients that meet a 404 take the API for absent.", listing + " (an empty list, never 404)"},
	"malformed_digest":    {"A malformed digest, requested once in a repository.", "None needed: no client sends one; another answer than 400 hints at a stub or a proxy.", listing + " (400)"},
	"head":                {"HEAD of the referrers endpoint, requested once in a repository.", "Let monitors ask by GET where it is not 200: the specification does not name HEAD.", "RFC 9110 section 9.3.2"},
	"tag_schema":          {"GET of the tag `<alg>-<hex>` of the image's digest; the body has to be an OCI index that is not the image itself. It is compared with the API's list once all its pages were read. If a repository has three images or more in the scan, its list of tags is read once, and a tag that is not in it is not requested. The list is relied on if it was read to its end, has the tags that were resolved, and agrees with what one image was answered directly. If it has such a tag for another image, that of each image is requested all the same, because a pull-through cache lists what was pulled.", "Keep `sha256-*` tags out of clean-up and immutability rules; copy them along in a migration.", "distribution specification v1.1, Referrers Tag Schema"},
	"cosign_tags":         {"HEAD of the tags `sha256-<hex>.sig`, `.att` and `.sbom`, or GET where the registry refused HEAD of the image; the list of tags spares these requests too, under the same conditions; an empty list says that none exists.", "Copy with `regctl image copy --referrers --digest-tags`.", "cosign signature specification"},
	"cosign_listed":       {"The digests of those tags, looked up in the API's list: Harbor lists what has no subject.", "None needed: count them once. `oras cp -r` exits 1 and copies nothing if they are all there is.", "Harbor 2.15.2, measured"},
	"from_repository":     {"Rows of a repository ask in the inventory's order, and an answer that holds for the repository serves the rows that follow. What an image with the same digest was answered is used only if no answer was of the moment.", "None needed: `requests` and `exchanges` are those of the row alone. `explain` asks all of it if it probes one image.", "rate limits and pull quotas of registries"},
	"push":                {"The write probe: pushes a subject and an artifact, lists them, pushes an artifact before its subject, deletes everything. Only with `--write-probe`, once in a registry, with the first image whose referrers are answered; every row of the registry has what it saw.", "Clients write the tag wherever OCI-Subject is missing: clean-up has to know both.", "distribution specification v1.1, Pushing Manifests with Subject"},
}

// document compares a file under docs/ with what the tables say, or writes it.
func document(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the tables say; go test ./matrix/verdict -update writes it again\n%s", path, diff)
	}
}

type lines struct{ strings.Builder }

func (l *lines) line(format string, args ...any) { fmt.Fprintf(l, format+"\n", args...) }

// cell keeps a text inside its cell of a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", ">", "&gt;").Replace(text)
}

// TestReasonsAreDocumented: docs/reasons.md holds every reason, finding,
// forecast and product, each with its source.
func TestReasonsAreDocumented(t *testing.T) {
	var out lines
	out.line("# Reasons and findings\n")
	out.line("Made from the tables of `matrix/verdict` by `go test ./matrix/verdict -update`.\n")
	out.line("A row's `reason` is the first rule below whose condition holds.\n")
	out.line("## Reasons\n")
	out.line("| reason | severity | referrers | strategy | observed |\n| --- | --- | --- | --- | --- |")
	seen := map[matrix.Reason]bool{}
	for _, r := range reasons {
		out.line("| [%s](#%s) | %s | %s | %s | %s |", r.name, r.name, r.outcome.severity, r.outcome.referrers, r.outcome.strategy, cell(r.observed))
	}
	for _, r := range reasons {
		if seen[r.name] || r.meaning == "" || r.source == "" || r.observed == "" || r.confidence.because == "" {
			t.Errorf("%s comes twice, or lacks its meaning, source, condition or the reason for its confidence", r.name)
		}
		if len(r.remedies) == 0 && r.outcome != works {
			t.Errorf("%s has no remedies", r.name)
		}
		if known := Describe(r.name); known.Meaning != r.meaning || known.Observed != r.observed || known.Source != r.source {
			t.Errorf("%s is described as %+v", r.name, known)
		}
		seen[r.name] = true
		out.line("\n### %s\n\n%s\n", r.name, r.meaning)
		out.line("- observed: %s", cell(r.observed))
		out.line("- confidence: %s, %s", r.confidence.level, r.confidence.because)
		for _, remedy := range r.remedies {
			out.line("- to do: %s", cell(remedy))
		}
		out.line("- source: %s", r.source)
	}
	if unknown := Describe("of-tomorrow"); unknown != (Description{}) {
		t.Errorf("a reason that is unknown is described as %+v", unknown)
	}
	writeCauses(t, &out)
	out.line("\n## What the write probe changes\n\nThe write probe runs once in a registry, and what it saw holds for every row. The first line that holds decides.\n")
	out.line("| observed | severity | strategy | to do | source |\n| --- | --- | --- | --- | --- |")
	for _, e := range pushEffects {
		out.line("| %s | at least %s | %s | %s | %s |", cell(e.observed), e.severity, e.strategy, cell(strings.Join(e.remedies, " ")), cell(e.source))
	}
	out.line("\n## Findings\n\nWhat is worth knowing beside the verdict. A row may have several.\n")
	out.line("| finding | meaning | to do | source |\n| --- | --- | --- | --- |")
	for _, f := range findingRules {
		if f.code == "" || f.meaning == "" || f.remedy == "" || f.source == "" {
			t.Errorf("finding %q lacks its meaning, remedy or source", f.code)
		}
		out.line("| `%s` | %s | %s | %s |", f.code, cell(f.meaning), cell(f.remedy), cell(f.source))
	}
	writeForecasts(t, &out)
	writeProducts(t, &out)
	document(t, "reasons.md", out.String())
}

func writeCauses(t *testing.T, out *lines) {
	t.Helper()
	out.line("\n## Causes\n\nA refusal's own words, or the error of a TLS connection, can show what is behind a reason. What to do")
	out.line("then comes from here.\n")
	out.line("| cause | to do | source |\n| --- | --- | --- |")
	for _, c := range causes {
		if c.text == "" || len(c.remedies) == 0 || c.source == "" {
			t.Errorf("cause %q lacks its text, remedy or source", c.text)
		}
		out.line("| %s | %s | %s |", cell(c.text), cell(strings.Join(c.remedies, " ")), c.source)
	}
}

func writeForecasts(t *testing.T, out *lines) {
	t.Helper()
	out.line("\n## What clients do with an answer\n")
	out.line("How they read, and how they push where that differs, held to the released libraries by a test of the demo fleet.")
	out.line("A row's `clients` is the line that fits its answer, or the answer at the end of a redirect chain that leads away from")
	out.line("the endpoint (read from `--probe standard` on). Where the write probe saw no OCI-Subject, or the product is on")
	out.line("record for sending none, oras and regctl push the tag as well; where it saw one, they write no tag, and what they")
	out.line("cannot read by the API is lost; notation writes the tag unless --force-referrers-tag=false is given; clients of")
	out.line("go-containerregistry never look for it.\n")
	heads, rule := "", ""
	for _, f := range libraries {
		heads += fmt.Sprintf(" %s (%s) |", strings.Join(slices.Concat(f.clients, f.sameLibrary), ", "), f.version)
		rule += " --- |"
	}
	out.line("| answer on GET referrers |%s\n| --- |%s", heads, rule)
	for i := range predictions {
		out.line("| %s |%s", predictions[i].answer, outcomes(example(t, i)))
	}
	exact := index(matrix.IndexMediaType, 0)
	for _, situation := range []struct {
		answer string
		of     *Observation
	}{
		{fmt.Sprintf("200, an index of the exact type over %d bytes", orasLimit), subject(ofSize(exact, orasLimit+1, true))},
		{fmt.Sprintf("200, an index of the exact type over %d bytes, with Content-Length", containerdLimit), subject(ofSize(exact, containerdLimit+1, true))},
		{"the same without Content-Length", subject(ofSize(exact, containerdLimit+1, false))},
		{"200, an empty list that did not show what the write probe pushed, and no OCI-Subject", pushed(exact, &matrix.Push{Strategy: matrix.PushTag, Accepted: true})},
		{"a redirect to a page of 404", subject(away(page(http.StatusNotFound, "text/html", BodyHTML)))},
		{"a redirect to a page of 429", subject(away(page(http.StatusTooManyRequests, "text/html", BodyHTML)))},
		{"a redirect to a page of 200", subject(away(page(http.StatusOK, "text/html", BodyHTML)))},
		{"404, and the write probe's push was refused", pushed(status(http.StatusNotFound), &matrix.Push{Strategy: matrix.PushRefused})},
	} {
		out.line("| %s |%s", situation.answer, outcomes(situation.of))
	}
	out.line("\nWhere the endpoint alone stops clients, a row's remedies name the ways out that hold by its `clients`:\n")
	for _, way := range waysOut {
		out.line("- %s", cell(way.text))
	}
}

// outcomes returns the cells of one line: what each library does.
func outcomes(o *Observation) (cells string) {
	for _, l := range libraries {
		does := forecast(o)[l.clients[0]]
		switch {
		case does.Read == "":
			cells += " unknown |"
		case does.Push == "" || does.Push == does.Read:
			cells += fmt.Sprintf(" %s |", does.Read)
		default:
			cells += fmt.Sprintf(" %s / %s |", does.Read, does.Push)
		}
	}
	return cells
}

// example is an answer that the prediction is the first to fit.
func example(t *testing.T, at int) *Observation {
	t.Helper()
	for _, one := range forecastTable {
		o := subject(one.seen)
		if first := slices.IndexFunc(predictions, func(p prediction) bool { return p.when(o) }); first == at && forecast(o) != nil {
			return o
		}
	}
	t.Fatalf("no test has %s", predictions[at].answer)
	return nil
}

func writeProducts(t *testing.T, out *lines) {
	out.line("\n## Products\n\nWhat is reported of a product gives remedies their versions and findings their contrast. It is never a verdict.\n")
	out.line("| product | referrers API | note | source |\n| --- | --- | --- | --- |")
	names := make([]string, 0, len(records))
	for name := range records {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		k := records[name]
		if k.source == "" {
			t.Errorf("what is known of %s has no source", name)
		}
		api := "no"
		switch {
		case k.disputed:
			api = "disputed: measure it"
		case k.since != "":
			api = "since " + k.since
		case k.has:
			api = "yes"
		}
		out.line("| %s | %s | %s | %s |", name, api, cell(strings.TrimPrefix(k.clauses(), "; ")), cell(k.source))
	}
	out.line("\n## How a product shows itself\n\nThe first line that holds names it; a version is only ever one that the registry named.\n")
	out.line("| product | by | source |\n| --- | --- | --- |")
	for _, s := range signatures {
		if s.source == "" {
			t.Errorf("a signature of %s has no source", s.product)
		}
		var by []string
		if s.header != "" {
			by = append(by, fmt.Sprintf("header %s: `%s`", s.header, s.pattern))
		}
		for _, part := range []struct {
			name string
			set  bool
			text any
		}{{"realm", s.realm != nil, s.realm}, {"service", s.service != nil, s.service}, {"host", s.host != nil, s.host}} {
			if part.set {
				by = append(by, fmt.Sprintf("%s `%s`", part.name, part.text))
			}
		}
		if s.serviceIsHost {
			by = append(by, "service, the registry's own host")
		}
		if s.versionPath != "" {
			by = append(by, "version from "+s.versionPath)
		}
		out.line("| %s | %s | %s |", s.product, strings.ReplaceAll(strings.Join(by, ", "), "|", `\|`), cell(s.source))
	}
	out.line("\nA registry is judged by the signs in all its answers, and every row of it names the same product.")
	out.line("A registry that shows none of them has no product: the column is empty, and the remedies are the")
	out.line("general ones of the reason. That is so for CNCF Distribution (no release of it has the API,")
	out.line("distribution#4828), olareg, go-containerregistry's registry and ociregistry: other products send")
	out.line("all that these send.")
}

// TestCapabilitiesAreDocumented: docs/capabilities.md holds every field of
// Capabilities and every value of its words.
func TestCapabilitiesAreDocumented(t *testing.T) {
	var out lines
	out.line("# Capabilities\n")
	out.line("Made from `matrix.Capabilities` by `go test ./matrix/verdict -update`. What a row carries")
	out.line("beside its verdict, under `capabilities` in matrix.json. What was not measured is")
	out.line("left out, not guessed.\n")
	fields, values := declared(t)
	seen := map[string]bool{}
	kind := reflect.TypeFor[matrix.Capabilities]()
	for i := range kind.NumField() {
		field := kind.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		note, ok := capabilityNotes[key]
		comment := fields["Capabilities."+field.Name]
		if !ok || comment == "" || note.measured == "" || note.remedy == "" || note.source == "" {
			t.Errorf("%s lacks its meaning, measurement, remedy or source", key)
		}
		seen[key] = true
		out.line("## %s\n\n%s\n", key, sentenceOf(comment))
		out.line("- measured: %s", note.measured)
		out.line("- to do: %s", note.remedy)
		out.line("- source: %s\n", note.source)
		elem := field.Type
		for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Slice {
			elem = elem.Elem()
		}
		for _, v := range values[elem.Name()] {
			out.line("- `%s`: %s", v.value, v.comment)
		}
		if elem.Kind() == reflect.Struct {
			for j := range elem.NumField() {
				inner := elem.Field(j)
				innerKey, _, _ := strings.Cut(inner.Tag.Get("json"), ",")
				out.line("- `%s`%s", innerKey, withColon(fields[elem.Name()+"."+inner.Name]))
				for _, v := range values[inner.Type.Name()] {
					out.line("  - `%s`%s", v.value, withColon(v.comment))
				}
			}
		}
		if len(values[elem.Name()]) > 0 || elem.Kind() == reflect.Struct {
			out.line("")
		}
	}
	for key := range capabilityNotes {
		if !seen[key] {
			t.Errorf("%s is documented, but is no capability", key)
		}
	}
	document(t, "capabilities.md", strings.TrimRight(out.String(), "\n")+"\n")
}

func sentenceOf(comment string) string {
	if comment == "" {
		return ""
	}
	return strings.ToUpper(comment[:1]) + strings.TrimRight(comment[1:], " .") + "."
}

func withColon(comment string) string {
	if comment == "" {
		return ""
	}
	return ": " + comment
}

type value struct{ value, comment string }

// declared reads capabilities.go: the comment on each struct field, and the
// constants of each type with theirs.
func declared(t *testing.T) (fields map[string]string, values map[string][]value) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "capabilities.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	fields, values = map[string]string{}, map[string][]value{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					fields[n.Name.Name+"."+field.Names[0].Name] = strings.TrimSpace(field.Comment.Text())
				}
			}
		case *ast.ValueSpec:
			if kind, ok := n.Type.(*ast.Ident); ok {
				text := strings.Trim(n.Values[0].(*ast.BasicLit).Value, `"`)
				values[kind.Name] = append(values[kind.Name], value{text, strings.TrimSpace(n.Comment.Text())})
			}
		}
		return true
	})
	return fields, values
}
