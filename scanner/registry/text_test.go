package registry

import (
	"strings"
	"testing"
)

// TestPrintable: what is printed is within its bound, however it has to be written.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"plain":                          "plain",
		"0123456789":                     "0123456789",
		"0123456789a":                    "0123456789...",
		"äöüäöüäöüä":                     "äöüäöüäöüä",
		"äöüäöüäöüäö":                    "äöüäöüäöüä...",
		"a\x1bb":                         `a\x1bb`,
		"\x1b\x1b":                       `\x1b\x1b`,
		"\x1b\x1b\x1b":                   `\x1b\x1b\x...`,
		strings.Repeat("\u202e", 1<<20):  `\u202e\u20...`,
		strings.Repeat("\xff", 10) + "a": `\xff\xff\x...`,
	} {
		if got := printable(text, 10); got != want {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
}
