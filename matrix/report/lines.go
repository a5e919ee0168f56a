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
// others indented as far, unless lead takes nearly all of a narrow terminal.
func (l *lines) wrapped(lead markup, text any) {
	safe := l.medium.escape(text)
	if l.width > 0 && l.widthAfter(lead) == 0 {
		lead, safe = "", lead+safe
	}
	l.block(lead, wrap(string(safe), l.widthAfter(lead)))
}

// items writes a list as wrapped does, and breaks lines between items if these
// fit into one.
func (l *lines) items(lead markup, items []markup) { l.list(lead, blanks(lead), items) }

// list is items whose further lines are indented by indent alone, because lead may be long.
func (l *lines) list(lead, indent markup, items []markup) {
	line, begun := l.lastLine(lead, indent), false // begun: an item stands in the line
	room := l.widthAfter(indent)
	for i, item := range items {
		text := string(item)
		if i < len(items)-1 {
			text += ";"
		}
		if begun && (l.width == 0 || columns(line)+1+columns(text) <= l.width) {
			line += " " + text
			continue
		}
		for n, part := range wrap(text, room) {
			if begun || n > 0 || l.width > 0 && line != string(indent) && columns(line)+columns(part) > l.width {
				l.line("%s", markup(strings.TrimRight(line, " ")))
				line = string(indent)
			}
			line, begun = line+part, true
		}
	}
	l.line("%s", markup(line))
}

// lastLine writes a lead that is longer than a line up to its last line, which it returns. The
// further lines are indented by indent.
func (l *lines) lastLine(lead, indent markup) string {
	if l.width == 0 || columns(string(lead)) <= l.width {
		return string(lead)
	}
	text := strings.TrimLeft(string(lead), " ")
	before := string(lead)[:len(lead)-len(text)]
	parts := wrap(text, l.widthAfter(max(indent, markup(before))))
	for _, part := range parts[:len(parts)-1] {
		l.line("%s%s", markup(before), markup(part))
		before = string(indent)
	}
	return before + parts[len(parts)-1] + " "
}

// blanks is as wide as lead.
func blanks(lead markup) markup { return markup(strings.Repeat(" ", columns(string(lead)))) }

// block writes lines that are safe already, the first after lead and the others
// indented as far.
func (l *lines) block(lead markup, parts []string) {
	for _, part := range parts {
		l.line("%s%s", lead, markup(part))
		lead = blanks(lead)
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
