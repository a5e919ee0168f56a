package report

import (
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"refmatrix/matrix"
)

// A matrix can come from anywhere, so no text in it is trusted: each format
// escapes every cell by the one function below that knows its context.

// clean is for a terminal and for a line of a text report.
func clean(text string) string { return matrix.Printable(text) }

// csvCell neutralises a cell that a spreadsheet would run as a formula (OWASP,
// "CSV Injection"): an apostrophe before it makes it text. Full-width forms
// and blanks before the sign are run by some programs too, and where the list
// separator is a semicolon, what follows one is a cell of its own.
func csvCell(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = laterFormula.ReplaceAllString(text, "$1'$2")
	if firstFormula.MatchString(text) {
		return "'" + text
	}
	return text
}

var (
	firstFormula = regexp.MustCompile(`^(?:[\s\p{Z}]|[\s\p{Z}"]*[=+\-@＝＋－＠|%])`)
	laterFormula = regexp.MustCompile(`(;[\s\p{Z}"]*)([=+\-@＝＋－＠|%])`)
)

// markdownEscapes are the characters that could end a cell or begin markup in
// GitHub Flavored Markdown, or mathematics on GitHub; entities show them and
// start nothing.
var markdownEscapes = strings.NewReplacer(
	"|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;",
	"~", "&#126;", "\\", "&#92;", "@", "&#64;", "#", "&#35;", "!", "&#33;", "$", "&#36;",
	"://", "&#58;//", "www.", "www&#46;",
)

// markdownLead is what begins a list, a rule or an indented block where it
// stands first in a line.
var markdownLead = regexp.MustCompile(`^(?:([ +=-])|[0-9]{1,9}([.)])(?: |$))`)

// markdownText makes text safe anywhere in a Markdown line, its beginning
// included: no markup, no HTML, no mention, no link.
func markdownText(text string) string {
	escaped := markdownEscapes.Replace(htmlText(text))
	if found := markdownLead.FindStringSubmatchIndex(escaped); found != nil {
		at := max(found[2], found[4])
		return escaped[:at] + fmt.Sprintf("&#%d;", escaped[at]) + escaped[at+1:]
	}
	return escaped
}

// htmlText makes text safe between tags and in quoted attributes.
func htmlText(text string) string {
	return strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(html.EscapeString(clean(text)))
}

// xmlText drops what XML 1.0 cannot hold; the encoder escapes the rest.
func xmlText(text string) string {
	return clean(strings.ToValidUTF8(text, "\uFFFD"))
}

// labelValue escapes a label value of the Prometheus text format. The format
// takes any character, but people read it in terminals and mails too.
func labelValue(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean(text))
}

// Printable gives a writer of JSON to w that spells out in its strings what is
// not printable. Each Write has to hold whole characters, as those of a
// json.Encoder do.
func Printable(w io.Writer) io.Writer { return printable{w} }

// printable passes JSON on and writes what is not printable in its strings as
// escapes, C1 controls and bidirectional overrides included; to a JSON reader
// they are the same.
type printable struct{ w io.Writer }

func (p printable) Write(b []byte) (int, error) {
	var out []byte
	from := 0
	for i := 0; i < len(b); {
		if b[i] < 0x7f { // JSON escapes the rest of ASCII, and blanks are its own
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if !unicode.IsPrint(r) {
			out = append(out, b[from:i]...)
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
			from = i + size
		}
		i += size
	}
	if from == 0 {
		return p.w.Write(b)
	}
	if _, err := p.w.Write(append(out, b[from:]...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
