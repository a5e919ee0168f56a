package verdict

import (
	"net/http"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// A refusal's own words stand in the detail and in the row.
func TestOwnWords(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"short", "requested access to the resource is denied", "requested access to the resource is denied"},
		{"the first line", "\r\n  Access \t denied  \nby policy 7", "Access denied"},
		{"of the right length", strings.Repeat("a", 250), strings.Repeat("a", 200) + "..."},
		{"a secret over two lines", "no hunter2\nhunter2 here", "no *** here"},
		{"escape sequences", "\x1b[31mred", `\x1b[31mred`},
	} {
		o := &Observation{Manifest: Manifest{Answer: Answer{Status: http.StatusForbidden, Message: c.message}}}
		row := NewRow(Target{Clean: func(s string) string {
			return matrix.Printable(strings.ReplaceAll(s, "hunter2\nhunter2", "***"))
		}}, o)
		if row.Message != c.want {
			t.Errorf("%s: message %q, want %q", c.name, row.Message, c.want)
		}
		if !strings.HasPrefix(row.Detail, `HTTP 403 "`+c.want+`" from `) {
			t.Errorf("%s: detail %q", c.name, row.Detail)
		}
	}
}

// What a 404 says is that it is a 404.
func TestNoWordsOf404(t *testing.T) {
	o := &Observation{Manifest: Manifest{Answer: Answer{Status: http.StatusNotFound, Message: "manifest unknown"}}}
	if row := NewRow(Target{}, o); row.Message != "" || strings.Contains(row.Detail, "manifest unknown") {
		t.Errorf("message %q, detail %q", row.Message, row.Detail)
	}
}

// TestMessageBlanks: a secret of several words is hidden whatever blanks a message has
// between them.
func TestMessageBlanks(t *testing.T) {
	clean := func(s string) string {
		return matrix.Printable(strings.ReplaceAll(s, "correct horse", "***"))
	}
	for _, blanks := range []string{" ", "  ", "\t", "\u00a0", " \t\u00a0"} {
		o := &Observation{Manifest: Manifest{Answer: Answer{
			Status:  http.StatusForbidden,
			Message: "no account has correct" + blanks + "horse as its password",
		}}}
		const want = "no account has *** as its password"
		if row := NewRow(Target{Clean: clean}, o); row.Message != want {
			t.Errorf("%q: message %q, want %q", blanks, row.Message, want)
		}
	}
}
