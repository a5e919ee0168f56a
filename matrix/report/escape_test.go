package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"refmatrix/matrix"
)

func seeds(f *testing.F) {
	for _, text := range []string{"", "plain", "=1+1", " =x", "a|b", "<b>", "\x1b[0m", "\u202e", "\xff", "a\nb", `\"`, "＝x", "&amp;", "``", "@x", "\U000e0001", "\u0085", "$a$", "    a", "- a", "1. a", "a;=b", "漢"} {
		f.Add(text)
	}
}

// FuzzTerminal: nothing of the result can move a cursor or turn the text around.
func FuzzTerminal(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range matrix.Printable(text) {
			if !unicode.IsPrint(r) {
				t.Errorf("%q keeps %U", text, r)
			}
		}
	})
}

// FuzzPrintable: JSON stays the same to its reader, and shows nothing that
// could move a cursor.
func FuzzPrintable(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		encoder := json.NewEncoder(printable{&out})
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != strings.ToValidUTF8(text, "\uFFFD") && back != string([]rune(text)) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
		if shown := strings.TrimSuffix(out.String(), "\n"); shown != matrix.Printable(shown) {
			t.Errorf("%q is not printable", shown)
		}
	})
}

// FuzzCSVCell: a reader gets one cell back, and no spreadsheet runs it.
func FuzzCSVCell(f *testing.F) {
	seeds(f)
	f.Add("\u200b=1")
	f.Add("a; \ufeff@b")
	notShown := func(r rune) bool { return unicode.In(r, unicode.White_Space, unicode.Z, unicode.Cf) }
	f.Fuzz(func(t *testing.T, text string) {
		cell := csvCell(text)
		var out bytes.Buffer
		w := csv.NewWriter(&out)
		if err := w.Write([]string{cell, "end"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		record, err := csv.NewReader(&out).Read()
		if err != nil || len(record) != 2 || record[0] != cell {
			t.Fatalf("%q came back as %q, %v", cell, record, err)
		}
		// Where the list separator is a semicolon, each part is a cell.
		for part := range strings.SplitSeq(cell, ";") {
			if bare := strings.TrimLeftFunc(part, func(r rune) bool { return r == '"' || notShown(r) }); bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) && part != cell {
				t.Errorf("%q of %q runs", part, cell)
			}
		}
		if trimmed := strings.TrimLeftFunc(cell, notShown); trimmed != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
			t.Errorf("%q runs", cell)
		}
	})
}

// markdownMarkup is what begins or ends something in a line of GitHub Flavored
// Markdown whose escapes are masked. Outside words, the underscore is a
// delimiter; at the edge of one, the sign of a mention is one.
var markdownMarkup = map[string]*regexp.Regexp{
	"markup":    regexp.MustCompile("[`*\\[<~|$\\\\]"),
	"emphasis":  regexp.MustCompile(`(?:^|[^\pL\pN_])_|_(?:[^\pL\pN_]|$)`),
	"an entity": regexp.MustCompile(`&[#A-Za-z]`),
	"a link":    regexp.MustCompile(`://|www\.`),
	"a mention": regexp.MustCompile(`(?:^|[^0-9A-Za-z])@[^ §]|@[\w-]*\.`),
	"a block":   regexp.MustCompile(`^(?:[ #>+=-]|:-|[0-9]{1,9}[.)](?: |$))`),
}

// markdownEscape is a character that is written so that it is text and no more.
var markdownEscape = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]|&(?:lt|amp|#32|#8203);")

// codeSpan finds a code span that begins line: its fence and its content.
func codeSpan(line string) (fence, content string, found bool) {
	fence = line[:len(line)-len(strings.TrimLeft(line, "`"))]
	for at := len(fence); fence != "" && at < len(line); {
		run := len(line[at:]) - len(strings.TrimLeft(line[at:], "`"))
		if run == len(fence) {
			return fence, line[len(fence):at], true
		}
		at += max(run, 1)
	}
	return "", "", false
}

// renderMarkdown passes what stands in line outside of escapes and code spans
// through, and writes the others by escape and code.
func renderMarkdown(line string, escape, code func(string) string) string {
	var out strings.Builder
	for line != "" {
		if found := markdownEscape.FindStringIndex(line); found != nil && found[0] == 0 {
			out.WriteString(escape(line[:found[1]]))
			line = line[found[1]:]
			continue
		}
		if fence, content, found := codeSpan(line); found {
			out.WriteString(code(content))
			line = line[2*len(fence)+len(content):]
			continue
		}
		size := 1
		if line[0] == '`' { // a fence without an end is text as a whole
			size = len(line) - len(strings.TrimLeft(line, "`"))
		}
		out.WriteString(line[:size])
		line = line[size:]
	}
	return out.String()
}

// maskMarkdown puts a mark of no meaning in the place of every escape and every
// code span. In a row of a table, the bars of a code span that are not escaped
// stay: they end its cell.
func maskMarkdown(line string) string {
	return renderMarkdown(line, func(string) string { return "§" }, func(content string) string {
		if !strings.HasPrefix(line, "|") {
			return "§"
		}
		return "§" + strings.Repeat("|", strings.Count(strings.ReplaceAll(content, `\|`, ""), "|"))
	})
}

// MaskMarkdown is maskMarkdown for the tests of what is exported.
var MaskMarkdown = maskMarkdown

// showMarkdown is how a reader of Markdown shows a line without markup; what
// parts words invisibly is left out.
func showMarkdown(line string) string {
	return strings.ReplaceAll(renderMarkdown(line, func(escape string) string {
		if unescaped, ok := strings.CutPrefix(escape, `\`); ok {
			return unescaped
		}
		return html.UnescapeString(escape)
	}, func(content string) string {
		if strings.HasPrefix(content, " ") && strings.HasSuffix(content, " ") && strings.Trim(content, " ") != "" {
			return content[1 : len(content)-1]
		}
		return content
	}), "\u200b", "")
}

// FuzzMarkdownCode: a name shows as it is and starts no markup, in a line and in
// a cell of a table.
func FuzzMarkdownCode(f *testing.F) {
	seeds(f)
	for _, text := range []string{"`", "``", "` `", "a`b", "a``b`", " ", "  ", " a ", "a ", "|", `a\|b`, `\`, "`|`", "a\n\nb", "$`a`$"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, name string) {
		want := matrix.Printable(name)
		if name == "" {
			want = "–"
		}
		line, cell := markdownCode(name), "| "+markdownCellCode(name)+" |"
		if masked := maskMarkdown(line); name != "" && masked != "§" {
			t.Errorf("%q is not one code span: %q", line, masked)
		}
		if shown := showMarkdown(line); shown != want {
			t.Errorf("shows %q, want %q", shown, want)
		}
		if masked := maskMarkdown(cell); strings.Count(masked, "|") != 2 {
			t.Errorf("%q is not one cell: %q", cell, masked)
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(cell, "| "), " |")
		if strings.HasPrefix(inner, "`") {
			inner = strings.ReplaceAll(inner, `\|`, "|") // a reader of tables does so first
		}
		if shown := showMarkdown(inner); shown != want {
			t.Errorf("a cell shows %q, want %q", shown, want)
		}
	})
}

// FuzzMarkdownText: the text shows as it is, and starts no markup.
func FuzzMarkdownText(f *testing.F) {
	seeds(f)
	for _, text := range []string{"_a_", "a__b", "www.a.b", "http://a", "&lt;", "a@b.c", "# a #", "> a", ":-", "a@sha256:0", "\\|", "www\\.", "[a](b)", "漢_a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := markdownText(text)
		for what, markup := range markdownMarkup {
			if markup.MatchString(maskMarkdown(got)) {
				t.Errorf("%q holds %s", got, what)
			}
		}
		if shown := showMarkdown(got); shown != matrix.Printable(text) {
			t.Errorf("shows %q, want %q", shown, matrix.Printable(text))
		}
	})
}

// TestMarkdownReadsRaw: what is no markup stays as it is, and what is gets the
// least that takes its meaning.
func TestMarkdownReadsRaw(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP 404 (METHOD_UNKNOWN), the registry's": "HTTP 404 (METHOD_UNKNOWN), the registry's",
		"exempt sha256-* tags (distribution#4828)":  `exempt sha256-\* tags (distribution#4828)`,
		"team/my_app@sha256:7a3e":                   "team/my_app@sha256:7a3e",
		`realm="https://a.example/x" & "b" > c`:     `realm="https\://a.example/x" & "b" > c`,
		"[::1]:5000":                                `\[::1]:5000`,
		"<b>&amp;":                                  "&lt;b>&amp;amp;",
		"_a_ __b":                                   `\_a\_ \_\_b`,
		"ask @octocat, a@example.com":               "ask @&#8203;octocat, a@&#8203;example.com",
		"www.example.com":                           `www\.example.com`,
		"1. a":                                      `1\. a`,
		"1.4 a":                                     "1.4 a",
		"# a #":                                     `\# a \#`,
		"- a":                                       `\- a`,
		" a":                                        "&#32;a",
		`a\|b`:                                      `a\\\|b`,
	} {
		if got := markdownText(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// FuzzXMLText: an XML reader gets the text back.
func FuzzXMLText(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := xml.Marshal(junitCase{Name: xmlString(text)})
		if err != nil {
			t.Fatal(err)
		}
		var back junitCase
		if err := xml.Unmarshal(encoded, &back); err != nil || string(back.Name) != xmlText(text) {
			t.Errorf("%q came back as %q, %v", xmlText(text), back.Name, err)
		}
	})
}

// FuzzLabelValue: Prometheus' parser gets the printable value back.
func FuzzLabelValue(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader("m{" + string(labelList("l", text)) + "} 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := families["m"].GetMetric()[0].GetLabel()[0].GetValue(); got != matrix.Printable(text) {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}

// TestPrintableCopy: the copy is printable everywhere, and the original stays.
func TestPrintableCopy(t *testing.T) {
	m := &matrix.Matrix{Rows: []matrix.Row{{
		Registry:     "\x1b",
		Labels:       map[string]string{"\u202e": "\x1b"},
		Remedy:       []string{"\x1b"},
		Capabilities: &matrix.Capabilities{CosignTags: []string{"\x1b"}},
	}}}
	got := printableCopy(m).Rows[0]
	if got.Registry != `\x1b` || got.Labels[`\u202e`] != `\x1b` || got.Remedy[0] != `\x1b` || got.Capabilities.CosignTags[0] != `\x1b` {
		t.Errorf("%+v", got)
	}
	if was := m.Rows[0]; was.Registry != "\x1b" || was.Labels["\u202e"] != "\x1b" || was.Remedy[0] != "\x1b" || was.Capabilities.CosignTags[0] != "\x1b" {
		t.Errorf("the original became %+v", was)
	}
}
