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
)

func seeds(f *testing.F) {
	for _, text := range []string{"", "plain", "=1+1", " =x", "a|b", "<b>", "\x1b[0m", "\u202e", "\xff", "a\nb", `\"`, "＝x", "&amp;", "``", "@x", "\U000e0001", "\u0085", "$a$", "    a", "- a", "1. a", "a;=b", "漢"} {
		f.Add(text)
	}
}

// FuzzClean: nothing of the result can move a cursor or turn the text around.
func FuzzClean(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range clean(text) {
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
		if shown := strings.TrimSuffix(out.String(), "\n"); shown != clean(shown) {
			t.Errorf("%q is not printable", shown)
		}
	})
}

// FuzzCSVCell: a reader gets one cell back, and no spreadsheet runs it.
func FuzzCSVCell(f *testing.F) {
	seeds(f)
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
			if bare := strings.TrimLeft(strings.TrimSpace(part), ` "`); bare != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(bare)[0]) && part != cell {
				t.Errorf("%q of %q runs", part, cell)
			}
		}
		if trimmed := strings.TrimSpace(cell); trimmed != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
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

// maskMarkdown puts a mark of no meaning in the place of every escape.
func maskMarkdown(line string) string { return markdownEscape.ReplaceAllString(line, "§") }

// showMarkdown is how a reader of Markdown shows a line without markup; what
// parts words invisibly is left out.
func showMarkdown(line string) string {
	return strings.ReplaceAll(markdownEscape.ReplaceAllStringFunc(line, func(escape string) string {
		if unescaped, ok := strings.CutPrefix(escape, `\`); ok {
			return unescaped
		}
		return html.UnescapeString(escape)
	}), "\u200b", "")
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
		if shown := showMarkdown(got); shown != clean(text) {
			t.Errorf("shows %q, want %q", shown, clean(text))
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
		encoded, err := xml.Marshal(junitCase{Name: xmlText(text)})
		if err != nil {
			t.Fatal(err)
		}
		var back junitCase
		if err := xml.Unmarshal(encoded, &back); err != nil || back.Name != xmlText(text) {
			t.Errorf("%q came back as %q, %v", xmlText(text), back.Name, err)
		}
	})
}

// FuzzLabelValue: Prometheus' parser gets the printable value back.
func FuzzLabelValue(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader("m{" + labelList("l", text) + "} 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := families["m"].GetMetric()[0].GetLabel()[0].GetValue(); got != clean(text) {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}
