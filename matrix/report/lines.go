package report

import (
	"fmt"
	"io"
	"strings"
)

// lines writes a text report line by line for one medium and keeps the first
// error.
type lines struct {
	w      io.Writer
	medium medium
	width  int // columns of a line that is wrapped; 0 = unlimited
	err    error
}

// line writes one line. Its arguments are escaped as medium.sprintf does it.
func (l *lines) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintln(l.w, string(l.medium.sprintf(format, args...)))
	}
}

// wrapped writes text within the width, the first line after lead and the
// others indented as far.
func (l *lines) wrapped(lead markup, text any) {
	l.block(lead, wrap(string(l.medium.escape(text)), l.widthAfter(lead)))
}

// items writes a list as wrapped does, and breaks lines between items if these
// fit into one.
func (l *lines) items(lead markup, items []markup) {
	width := l.widthAfter(lead)
	var parts []string
	for i, item := range items {
		text := string(item)
		if i < len(items)-1 {
			text += ";"
		}
		last := len(parts) - 1
		if last >= 0 && (width == 0 || columns(parts[last])+1+columns(text) <= width) {
			parts[last] += " " + text
			continue
		}
		parts = append(parts, wrap(text, width)...)
	}
	l.block(lead, parts)
}

// block writes lines that are safe already, the first after lead and the others
// indented as far.
func (l *lines) block(lead markup, parts []string) {
	for _, part := range parts {
		l.line("%s%s", lead, markup(part))
		lead = markup(strings.Repeat(" ", columns(string(lead))))
	}
}

// widthAfter is what lead leaves of the width, 0 if lines are not bounded.
func (l *lines) widthAfter(lead markup) int {
	left := l.width - columns(string(lead))
	if l.width == 0 || left < minColumn {
		return 0
	}
	return left
}
