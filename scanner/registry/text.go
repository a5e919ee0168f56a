package registry

import (
	"strings"

	"refmatrix/matrix"
)

// Bounds on one string of an exchange, in runes. An address is evidence and is
// asked again by hand, so it is bounded where servers refuse it anyway.
const (
	maxText = 300
	maxURL  = 4 << 10
	maxBody = 400 // of an error body
)

// beginOf returns how the body of an answer begins, fit for a report. What may be left of a
// secret at the end of a body that was cut is not shown.
func (c *Client) beginOf(got *answer) string {
	clean := c.secrets.Redact(string(got.body))
	if got.cut {
		clean = clean[:max(len(clean)-maxToken, 0)]
	}
	return printable(strings.TrimSpace(clean), maxBody)
}

// printable makes text safe to print and cuts it after most runes, each as it is
// printed: one byte that is not printable takes up to six. What is cut ends in "...".
func printable(text string, most int) string {
	text, long := cut(text, most) // first, so that a text of megabytes is not written out
	text, longer := cut(matrix.Printable(text), most)
	if long || longer {
		text += "..."
	}
	return text
}

// cut returns the first most runes of text, and whether there are more.
func cut(text string, most int) (first string, more bool) {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i], true
		}
	}
	return text, false
}
