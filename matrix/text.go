package matrix

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Quantity words a number of things: "1 registry", "3 registries".
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
