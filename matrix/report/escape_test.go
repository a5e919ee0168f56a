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

// blockStart is what a line of Markdown begins a block with.
var blockStart = regexp.MustCompile(`^(?:[ =+-]|[0-9]{1,9}[.)](?: |$))`)

// FuzzMarkdownText: the text shows as it is, and starts no markup.
func FuzzMarkdownText(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		got := markdownText(text)
		if strings.ContainsAny(got, "|`*_[]<>~\\@$\n\r") || strings.Contains(got, "://") || blockStart.MatchString(got) {
			t.Errorf("%q holds markup", got)
		}
		if shown := html.UnescapeString(got); shown != clean(text) {
			t.Errorf("shows %q, want %q", shown, clean(text))
		}
	})
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
