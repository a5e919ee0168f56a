package matrix

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quantity returns a number of things as text: "1 registry", "3 registries".
func Quantity(n int, noun string) string {
	stem, ends := strings.CutSuffix(noun, "y")
	switch {
	case n == 1:
		return "1 " + noun
	case ends:
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Printable makes text from anywhere safe to print: what a terminal could take
// for more than text (control characters, bidirectional overrides, invalid
// UTF-8) is spelled out as \x1b or \u202e.
func Printable(text string) string {
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

// YesNo returns "yes" or "no".
func YesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// ShellWord returns text as one word of the POSIX shell, quoted only if the
// shell would read more into it than a word.
func ShellWord(text string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/:@+=,", r))
	}
	if text != "" && strings.IndexFunc(text, special) < 0 {
		return text
	}
	return ShellQuote(text)
}

// ShellQuote returns text in the single quotes of the POSIX shell.
func ShellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
