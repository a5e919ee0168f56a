package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A matrix can come from anywhere, so no text in it is trusted: each format
// escapes every cell by the one function below that knows its context.

// clean makes text safe for a terminal and for a line of a text report: what
// is not printable, bidirectional overrides included, is spelled out.
func clean(text string) string {
	safe := true
	for i := 0; safe && i < len(text); i++ {
		safe = text[i] >= ' ' && text[i] < 0x7f
	}
	if safe {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Line makes text from a matrix or an inventory safe to print on a terminal.
func Line(text string) string { return clean(text) }

// csvCell neutralises a cell that a spreadsheet would run as a formula (OWASP,
// "CSV Injection"): an apostrophe before it makes it text. Full-width forms
// and blanks before the sign are run by some programs too.
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
	trimmed := strings.TrimLeftFunc(text, unicode.IsSpace)
	if trimmed != text || strings.HasPrefix(trimmed, "=") || trimmed != "" && strings.ContainsRune("=+-@＝＋－＠|%", []rune(trimmed)[0]) {
		return "'" + text
	}
	return text
}

// markdownEscapes are the characters that could end a cell or begin markup in
// GitHub Flavored Markdown; entities show them and start nothing.
var markdownEscapes = strings.NewReplacer(
	"|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;",
	"~", "&#126;", "\\", "&#92;", "@", "&#64;", "#", "&#35;", "!", "&#33;",
	"://", "&#58;//", "www.", "www&#46;",
)

// markdownText makes text safe anywhere in a Markdown line: no markup, no
// HTML, no mention, no link.
func markdownText(text string) string {
	return markdownEscapes.Replace(htmlText(text))
}

// htmlText makes text safe between tags and in quoted attributes.
func htmlText(text string) string {
	return strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(html.EscapeString(clean(text)))
}

// xmlText drops what XML 1.0 cannot hold; the encoder escapes the rest.
func xmlText(text string) string {
	return clean(strings.ToValidUTF8(text, "\uFFFD"))
}

// labelValue escapes a label value of the Prometheus text format.
func labelValue(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(text, "\uFFFD"))
}
