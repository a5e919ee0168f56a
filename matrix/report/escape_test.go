package report

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"html"
	"strings"
	"testing"
	"unicode"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func seeds(f *testing.F) {
	for _, text := range []string{"", "plain", "=1+1", " =x", "a|b", "<b>", "\x1b[0m", "\u202e", "\xff", "a\nb", `\"`, "＝x", "&amp;", "``", "@x", "漢"} {
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
		if trimmed := strings.TrimSpace(cell); trimmed != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
			t.Errorf("%q runs", cell)
		}
	})
}

// FuzzMarkdownText: the text shows as it is, and starts no markup.
func FuzzMarkdownText(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		got := markdownText(text)
		if strings.ContainsAny(got, "|`*_[]<>~\\@\n\r") || strings.Contains(got, "://") {
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

// FuzzLabelValue: Prometheus' parser gets the value back.
func FuzzLabelValue(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader("m{" + labelList("l", text) + "} 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := families["m"].GetMetric()[0].GetLabel()[0].GetValue(); got != strings.ToValidUTF8(text, "\uFFFD") {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}

// FuzzRead: any bytes give an error or a matrix that renders in every format.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"refmatrix/v1","rows":[{"registry":"r","severity":"pass","strategy":"unknown"}]}`))
	f.Add([]byte(`{"schema":"refmatrix/v1","rows":[{"severity":"fail","strategy":"unknown","capabilities":{"tag_schema":null},"exchanges":[{}]}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := Read(bytes.NewReader(content))
		if err != nil {
			return
		}
		for _, format := range Formats {
			if err := format.Render(&bytes.Buffer{}, m, Options{Width: 80}); err != nil {
				t.Errorf("%s: %v", format.Name, err)
			}
		}
	})
}
