package report

import (
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"refmatrix/matrix"
)

// A matrix can come from anywhere, so no text in it is trusted. Each medium has
// one rule, and each report is written through something that applies it:
//
//	terminal             matrix.Printable     lines, medium terminal
//	Markdown             markdownText, -Code  lines, media markdownLine, markdownCell
//	Prometheus label     labelValue           lines, medium exposition
//	cell of a CSV file   csvCell              writeRecord
//	XML                  xmlText              fields of the type xmlString
//	JSON                 printable            the writer below the encoder
//	HTML                 printableCopy        the matrix is made printable, html/template escapes

// csvCell neutralises a cell that a spreadsheet would run as a formula (OWASP,
// "CSV Injection"): an apostrophe before it makes it text. Full-width forms are
// run by some programs too, and so is a sign after blanks or characters that are
// not shown. Where the list separator is a semicolon, what follows one is a cell
// of its own.
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
	firstFormula = regexp.MustCompile(`^(?:[\s\p{Z}\p{Cf}]|[\s\p{Z}\p{Cf}"]*[=+\-@＝＋－＠|%])`)
	laterFormula = regexp.MustCompile(`(;[\s\p{Z}\p{Cf}"]*)([=+\-@＝＋－＠|%])`)
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
	'\\': {`\\`, nil},
	'`':  {"\\`", nil},
	'*':  {`\*`, nil},
	'[':  {`\[`, nil},
	'|':  {`\|`, nil},
	'~':  {`\~`, nil},
	'$':  {`\$`, nil},   // mathematics on GitHub
	'<':  {"&lt;", nil}, // not every reader knows a backslash before it
	'&':  {"&amp;", func(_, after string) bool { return entityRest.MatchString(after) }},
	'_': {`\_`, func(before, after string) bool {
		return !endsInWord.MatchString(strings.TrimRight(before, "_")) ||
			!beginsInWord.MatchString(strings.TrimLeft(after, "_"))
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
	text = matrix.Printable(text)
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

// markdownCode writes a name as a code span, where nothing is markup. The fence
// is longer than any in the name, and a blank on both sides keeps a backtick or
// a blank at its edge, because a reader strips one of each (CommonMark, "Code
// spans"). A span cannot be empty, so no name is a dash.
func markdownCode(name string) string {
	name = matrix.Printable(name)
	if name == "" {
		return "–"
	}
	fence := "`"
	for strings.Contains(name, fence) {
		fence += "`"
	}
	padded := strings.HasPrefix(name, " ") && strings.HasSuffix(name, " ") && strings.Trim(name, " ") != ""
	if padded || strings.HasPrefix(name, "`") || strings.HasSuffix(name, "`") {
		name = " " + name + " "
	}
	return fence + name + fence
}

// markdownCellCode is markdownCode for a cell of a table, which is cut at its
// bars before code spans are looked for (GitHub Flavored Markdown, "Tables").
// Readers differ on a backslash before the escaped bar, so such a name is text.
func markdownCellCode(name string) string {
	if strings.Contains(name, `\|`) {
		return markdownText(name)
	}
	return strings.ReplaceAll(markdownCode(name), "|", `\|`)
}

// xmlText spells out what XML 1.0 cannot hold; the encoder escapes the rest.
func xmlText(text string) string {
	return matrix.Printable(strings.ToValidUTF8(text, "\uFFFD"))
}

// xmlString is text that is escaped when it is encoded as XML.
type xmlString string

// MarshalText implements encoding.TextMarshaler, which encoding/xml calls.
func (s xmlString) MarshalText() ([]byte, error) { return []byte(xmlText(string(s))), nil }

// labelValue escapes a label value of the Prometheus text format. The format
// takes any character, but people read it in terminals and mails too.
func labelValue(text string) string {
	return labelEscapes.Replace(matrix.Printable(text))
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// printableCopy returns v with every text printable, so that neither control
// characters nor bidirectional overrides reach a screen. What has to change is
// copied; the rest is shared with v, because a matrix of thousands of rows rarely
// has any such text.
func printableCopy[T any](v T) T {
	makePrintable(reflect.ValueOf(&v).Elem())
	return v
}

// makePrintable changes what v holds, and puts copies in place of what v refers
// to. Fields that are not exported stay; in a matrix these are those of times.
func makePrintable(v reflect.Value) {
	if isPrintable(v) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(matrix.Printable(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanInterface() {
				makePrintable(field)
			}
		}
	case reflect.Pointer:
		to := reflect.New(v.Type().Elem())
		to.Elem().Set(v.Elem())
		makePrintable(to.Elem())
		v.Set(to)
	case reflect.Slice:
		to := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(to, v)
		for i := range to.Len() {
			makePrintable(to.Index(i))
		}
		v.Set(to)
	case reflect.Map:
		v.Set(printableMap(v))
	}
}

// isPrintable reports whether every text that v holds or refers to is printable.
func isPrintable(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		text := v.String()
		return matrix.Printable(text) == text
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanInterface() && !isPrintable(field) {
				return false
			}
		}
	case reflect.Pointer:
		return v.IsNil() || isPrintable(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !isPrintable(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			if !isPrintable(entries.Key()) || !isPrintable(entries.Value()) {
				return false
			}
		}
	}
	return true
}

func printableMap(v reflect.Value) reflect.Value {
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	for entries := v.MapRange(); entries.Next(); {
		key.Set(entries.Key())
		value.Set(entries.Value())
		makePrintable(key)
		makePrintable(value)
		out.SetMapIndex(key, value)
	}
	return out
}
