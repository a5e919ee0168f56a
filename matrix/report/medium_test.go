package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
	"refmatrix/matrix/store"
)

// harmless checks that a rendering does nothing to the medium it is for.
var harmless = map[string]func(t *testing.T, m *matrix.Matrix, got string){
	"table":      terminalSafe,
	"csv":        csvSafe,
	"markdown":   markdownSafe,
	"json":       jsonSafe,
	"html":       htmlSafe,
	"junit":      junitSafe,
	"prometheus": prometheusSafe,
}

// terminalSafe: nothing but printable characters and line ends.
func terminalSafe(t *testing.T, _ *matrix.Matrix, got string) {
	t.Helper()
	if i := strings.IndexFunc(got, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("a terminal is sent %.20q in %.80q", got[i:], got[max(0, i-40):])
	}
}

func csvSafe(t *testing.T, m *matrix.Matrix, got string) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(records) != len(m.Rows)+1 {
		t.Fatalf("%d records of %d rows, %v", len(records), len(m.Rows), err)
	}
	for _, cell := range slices.Concat(records...) {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("a spreadsheet runs %q", cell)
		}
	}
}

// markdownShape are the lines that the Markdown reports are made of, once
// their texts are escaped.
var markdownShape = regexp.MustCompile(`^(?:|# Referrers matrix|## [A-Z][^|]*|### [^|]*|---|(?: *- |[0-9]+\. )[^|]*|\|.*\||    [^ ].*|[^ #>|+=-].*)$`)

// markdownSafe: every line is one of those that the report is made of, no text
// adds markup, and no name adds a column.
func markdownSafe(t *testing.T, _ *matrix.Matrix, got string) {
	t.Helper()
	terminalSafe(t, nil, got)
	columns := 0
	for line := range strings.SplitSeq(got, "\n") {
		plain := maskMarkdown(line)
		if !markdownShape.MatchString(plain) {
			t.Errorf("Markdown has the line %q", line)
		}
		text := strings.NewReplacer("**", "", "---:", "---", "|", " ").Replace(strings.TrimLeft(plain, "#>-+ "))
		for what, markup := range markdownMarkup {
			if !strings.HasPrefix(line, "    ") && what != "a block" && markup.MatchString(text) { // a command, in a block of code
				t.Errorf("Markdown has %s in the line %q", what, line)
			}
		}
		switch n := strings.Count(plain, "|"); {
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns, want %d: %q", n, columns, line)
		}
	}
}

func jsonSafe(t *testing.T, m *matrix.Matrix, got string) {
	t.Helper()
	terminalSafe(t, nil, got)
	back, err := store.Read(strings.NewReader(got))
	if err != nil || len(back.Rows) != len(m.Rows) {
		t.Fatalf("does not come back: %v", err)
	}
	// Bytes that are no UTF-8 are written as an escape and read as a character.
	again := rendered(t, func(w io.Writer) error { return matrixJSON(w, back, Options{}) })
	if want := strings.ReplaceAll(got, `\ufffd`, "\uFFFD"); again != want {
		t.Errorf("comes back with changes:\n%s", cmp.Diff(want, again))
	}
}

func junitSafe(t *testing.T, m *matrix.Matrix, got string) {
	t.Helper()
	terminalSafe(t, nil, got)
	var suites junitSuites
	if err := xml.Unmarshal([]byte(got), &suites); err != nil || suites.Tests != len(m.Rows) {
		t.Errorf("%d tests of %d rows, %v", suites.Tests, len(m.Rows), err)
	}
}

func prometheusSafe(t *testing.T, _ *matrix.Matrix, got string) {
	t.Helper()
	terminalSafe(t, nil, got)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(got)); err != nil {
		t.Error(err)
	}
}

// Everything that opens with < in the page has to be a tag of the template: a
// known element, attributes that are known and quoted, and no address but a
// row's.
var (
	pageTag  = regexp.MustCompile(`^<(?:!DOCTYPE html|/?[a-z][a-z0-9]*(?: [a-zA-Z-]+(?:="[^"<>]*")?)*/?)>`)
	pageAttr = regexp.MustCompile(` ([a-zA-Z-]+)(?:="([^"<>]*)")?`)
	pageHref = regexp.MustCompile(`^(?:#matrix|#(?:row|reg)-[0-9a-f]{12}(?:-[0-9]+)?|data:image/svg\+xml,.*)$`)
)

// htmlSafe: the page has the elements of an empty report's page and no others,
// no attribute that runs or fetches, and data that reads back.
func htmlSafe(t *testing.T, m *matrix.Matrix, got string) {
	t.Helper()
	head, data, found := strings.Cut(got, pageTables)
	data, tail, closed := cutLast(data, "</script>\n<script>")
	if !found || !closed {
		t.Fatal("the page has no data")
	}
	payloadSafe(t, m, pageTables+data+"</script>\n")
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(tail) != string(a.Script)+"</script>\n</body>\n</html>" {
		t.Errorf("behind the data stands %.200q", tail)
	}
	terminalSafe(t, nil, head)
	head = strings.Replace(head, "<style>"+string(a.Style)+"</style>", "", 1)
	for at := strings.IndexByte(head, '<'); at >= 0; at = strings.IndexByte(head, '<') {
		tag := pageTag.FindString(head[at:])
		if tag == "" || strings.HasPrefix(tag, "<script") || strings.HasPrefix(tag, "<style") {
			t.Fatalf("the page holds %.80q", head[at:])
		}
		for _, attribute := range pageAttr.FindAllStringSubmatch(tag, -1) {
			name, value := attribute[1], attribute[2]
			if strings.HasPrefix(name, "on") || name == "style" || name == "src" || name == "srcdoc" || name == "href" && !pageHref.MatchString(value) {
				t.Errorf("the page holds %s", tag)
			}
		}
		head = head[at+len(tag):]
	}
}

// Every element of the page's data, and what is in it.
const pageTables = `<script type="application/json" id="tables">`

var (
	pageData   = regexp.MustCompile(`<script type="application/(json|gzip)" (?:id|data-packed)="([a-z]+)">([^<>&]*)</script>\n`)
	pageBase64 = regexp.MustCompile(`^[A-Za-z0-9+/]*=*$`)
)

// cutLast is strings.Cut at the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

// payloadSafe: the data is elements of the kinds that the script reads and nothing between
// them, and holds the rows in printable form.
func payloadSafe(t *testing.T, m *matrix.Matrix, data string) {
	t.Helper()
	if rest := pageData.ReplaceAllString(data, ""); rest != "" {
		t.Fatalf("between the data stands %.200q", rest)
	}
	values := pageValues(t, data)
	if len(values["registries"]) != len(m.Registries) || len(values["rows"]) != len(m.Rows) || len(values["evidence"]) != 2*len(m.Rows) {
		t.Fatalf("the data has %d registries, %d rows, %d lists of evidence", len(values["registries"]), len(values["rows"]), len(values["evidence"]))
	}
	for i, encoded := range values["rows"] {
		var row payloadRow
		if err := json.Unmarshal(encoded, &row); err != nil || row.Registry != matrix.Printable(m.Rows[i].Registry) || row.Detail != matrix.Printable(m.Rows[i].Detail) {
			t.Errorf("row %d comes back as %q, %q, %v", i, row.Registry, row.Detail, err)
		}
	}
}

// pageValues returns the values of a page's data by their kind, and checks their texts.
func pageValues(t *testing.T, page string) map[string][]json.RawMessage {
	t.Helper()
	out := map[string][]json.RawMessage{}
	for _, element := range pageData.FindAllStringSubmatch(page, -1) {
		var source io.Reader = strings.NewReader(element[3])
		if element[1] == "gzip" {
			if !pageBase64.MatchString(element[3]) {
				t.Fatalf("%s are not base64: %.80q", element[2], element[3])
			}
			unpacked, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, source))
			if err != nil {
				t.Fatal(err)
			}
			source = unpacked
		}
		for decoder := json.NewDecoder(source); ; {
			var value json.RawMessage
			if err := decoder.Decode(&value); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			var texts any
			if err := json.Unmarshal(value, &texts); err != nil {
				t.Fatal(err)
			}
			checkTexts(t, texts)
			out[element[2]] = append(out[element[2]], value)
		}
	}
	return out
}

// checkTexts checks that every text of decoded JSON is safe on a screen.
func checkTexts(t *testing.T, decoded any) {
	t.Helper()
	switch v := decoded.(type) {
	case string:
		if v != matrix.Printable(v) {
			t.Errorf("the script gets %q", v)
		}
	case []any:
		for _, one := range v {
			checkTexts(t, one)
		}
	case map[string]any:
		for key, one := range v {
			checkTexts(t, key)
			checkTexts(t, one)
		}
	}
}

// checkAll renders m by everything that renders, and checks each.
func checkAll(t *testing.T, m *matrix.Matrix) {
	t.Helper()
	for _, format := range Matrices {
		for _, width := range []int{0, 40, 81} {
			if width > 0 && format.Name != "table" {
				continue
			}
			harmless[format.Name](t, m, rendered(t, func(w io.Writer) error { return format.Render(w, m, Options{Width: width}) }))
		}
	}
	older := &matrix.Matrix{Schema: m.Schema, Complete: true, Rows: slices.Clone(m.Rows)}
	for i := range older.Rows {
		older.Rows[i].Reason += "x"
	}
	target := &matrix.Matrix{Schema: m.Schema, Complete: true, Rows: slices.Clone(m.Rows[:min(1, len(m.Rows))])}
	for i := range target.Rows {
		target.Rows[i].URL += "/target"
	}
	harmlessAs(t, "diff", Diffs, matrix.Compare(older, m))
	harmlessAs(t, "added", Diffs, matrix.Compare(&matrix.Matrix{}, m))
	harmlessAs(t, "removed", Diffs, matrix.Compare(older, &matrix.Matrix{Complete: true}))
	if a, err := migration.Assess(m, target); err == nil {
		harmlessAs(t, "assess", Assessments, a)
	} else if len(m.Rows) > 0 { // else there is nothing to move
		t.Error(err)
	}
	var explained []Explanation
	for i := range m.Rows {
		explained = append(explained, Explanation{Row: &m.Rows[i], Commands: []string{m.Rows[i].URL}})
	}
	harmlessAs(t, "explain", Explanations, explained)
}

// harmlessAs checks what v looks like in every one of its formats.
func harmlessAs[T any](t *testing.T, what string, formats Formats[T], v T) {
	t.Helper()
	for _, format := range formats {
		check := map[string]func(*testing.T, *matrix.Matrix, string){"text": terminalSafe, "markdown": markdownSafe, "json": terminalSafe}[format.Name]
		t.Run(what+"/"+format.Name, func(t *testing.T) {
			check(t, nil, rendered(t, func(w io.Writer) error { return format.Render(w, v, Options{Width: 60}) }))
		})
	}
}

func rendered(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// FuzzRead: any bytes give an error or a matrix that every report renders
// without harm.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"refmatrix/v1","rows":[{"registry":"r","severity":"pass","strategy":"unknown"}]}`))
	f.Add([]byte(`{"schema":"refmatrix/v1","rows":[{"severity":"fail","strategy":"unknown","capabilities":{"tag_schema":null},"exchanges":[{}]}]}`))
	f.Add([]byte(`{"schema":"refmatrix/v1","rows":[{"severity":"warn","strategy":"unknown","reason":"\u001b[31m\u202e|<script>","confidence":"|<b>","findings":[{"code":"\u009b","text":"1. x"}]}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if m, err := store.Read(bytes.NewReader(content)); err == nil {
			checkAll(t, m)
		}
	})
}

// FuzzNames: whatever text stands in every place of a matrix that holds text,
// no report lets it out of its place.
func FuzzNames(f *testing.F) {
	for _, text := range []string{
		"plain", "\x1b[31mred\x1b]0;owned\x07", "\u009b31m", "\u202eoverride\u2066", "a|b`c*d_e[f](http://x)", "</script><script>alert(1)</script>",
		`"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "=cmd|' /C calc'!A0", "a;=cmd|' /C calc'!A0", "line\nbreak\r\n# head", "- item", "1. item",
		"    code", "--- \n===", "$x$ @somebody #1 www.example.com", "bad \xff utf8", "漢字漢字漢字漢字", "\u2028\u2029", "\U000e0001", "${jndi:ldap://x}", "",
	} {
		f.Add(text, uint8(3))
	}
	f.Add("one row", uint8(0))
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		if len(text) > 200 {
			return
		}
		m := &matrix.Matrix{Started: time.Unix(0, 0), Finished: time.Unix(1, 0)}
		m.Rows = make([]matrix.Row, n%4+1)
		fill(reflect.ValueOf(m).Elem(), text)
		m.Schema = matrix.Schema
		for i := range m.Rows {
			r := &m.Rows[i]
			r.Severity, r.Strategy = matrix.Severities[i], matrix.Strategies[i%len(matrix.Strategies)]
			r.Registry += fmt.Sprint(i / 2)
			if i == 1 {
				r.Capabilities.Push.Strategy, r.Capabilities.TagSchema.State = matrix.PushDual, matrix.TagIndex
				r.Referrers = matrix.Supported
			}
			if i > 0 {
				r.URL = "https://registry.example.com" // commands can name it
				r.Coverage = map[matrix.LinkKind]matrix.Coverage{matrix.KindSBOM: matrix.CoveragePartial, matrix.KindSignature: matrix.CoverageAbsent}
				r.Lacking = map[matrix.LinkKind][]string{matrix.KindSBOM: {text}}
				r.Lost[0].Replaced = false
			}
		}
		m.SetRows(m.Rows)
		checkAll(t, m)
	})
}

// fill puts text into every string below v, and one value into every empty
// list, map and pointer.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, text)
		key := reflect.New(v.Type().Key()).Elem()
		fill(key, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), text)
			}
		}
	}
}
