package report

import (
	"fmt"
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

// markdownMarks are the characters that GitHub Flavored Markdown may take for
// more than text, what they are written as, and whether they are that between
// what stands before them and what follows; nil for wherever they stand. The
// report is read as it is too, in terminals and mails, so what begins nothing
// stays: METHOD_UNKNOWN, team/app@sha256:0, a registry's name.
var markdownMarks = map[rune]struct {
	written string
	active  func(before, after string) bool
}{
	'\\': {`\\`, nil}, '`': {"\\`", nil}, '*': {`\*`, nil}, '[': {`\[`, nil}, '|': {`\|`, nil}, '~': {`\~`, nil},
	'$': {`\$`, nil},   // mathematics on GitHub
	'<': {"&lt;", nil}, // not every reader knows a backslash before it
	'&': {"&amp;", func(_, after string) bool { return entityRest.MatchString(after) }},
	'_': {`\_`, func(before, after string) bool {
		return !endsInWord.MatchString(strings.TrimRight(before, "_")) || !beginsInWord.MatchString(strings.TrimLeft(after, "_"))
	}},
	'#': {`\#`, func(_, after string) bool { return strings.Trim(after, "#") == "" }}, // what closes a heading
	':': {`\:`, func(_, after string) bool { return strings.HasPrefix(after, "//") }},
	'.': {`\.`, func(before, _ string) bool { return strings.HasSuffix(before, "www") }},
	// GitHub looks for mentions and mail addresses in the text that comes out,
	// where no escape is left to see (github/cmark-gfm#181): a blank without width
	// parts them. An image with its digest is neither.
	'@': {"@&#8203;", func(before, after string) bool {
		return after != "" && after[0] != ' ' && (!endsInASCIIWord.MatchString(before) || mailDomain.MatchString(after))
	}},
}

var (
	entityRest      = regexp.MustCompile(`^[#A-Za-z]`)
	endsInWord      = regexp.MustCompile(`[\pL\pN]$`)
	beginsInWord    = regexp.MustCompile(`^[\pL\pN]`)
	endsInASCIIWord = regexp.MustCompile(`[0-9A-Za-z]$`)
	mailDomain      = regexp.MustCompile(`^[\w-]*\.`)
)

// markdownLead is what begins a heading, a quotation, a list, a rule, a table
// or an indented block where it stands first in a line.
var markdownLead = regexp.MustCompile(`^(?:([ #>+=-]|:-)|[0-9]{1,9}([.)])(?: |$))`)

// markdownText makes text safe anywhere in a Markdown line, its beginning
// included: no markup, no HTML, no mention, and no link but that of an issue
// whose number GitHub knows.
func markdownText(text string) string {
	text = clean(text)
	lead := -1
	if found := markdownLead.FindStringSubmatchIndex(text); found != nil {
		lead = max(found[2], found[4])
	}
	var out strings.Builder
	for at, r := range text {
		mark, known := markdownMarks[r]
		switch {
		case known && (mark.active == nil || mark.active(text[:at], text[at+utf8.RuneLen(r):])):
			out.WriteString(mark.written)
		case at == lead && r == ' ':
			out.WriteString("&#32;")
		case at == lead:
			out.WriteString(`\` + string(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
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

// printable passes JSON on and writes what is not printable in its strings as
// escapes, C1 controls and bidirectional overrides included; to a JSON reader
// they are the same. Each Write has to hold whole characters, as those of a
// json.Encoder do.
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
