package report

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// lines writes a text report line by line and keeps the first error. Every
// text that goes into a line is escaped on the way, so that no word of a
// matrix, whatever column it stands in, can be forgotten.
type lines struct {
	w      io.Writer
	width  int                 // 0 = unlimited
	escape func(string) string // for the medium; nil = clean, for a terminal
	err    error
}

// verbatim is text that a line takes as it is: markup and colours of our own,
// around what was escaped before.
type verbatim string

func (l *lines) line(format string, args ...any) {
	if l.err != nil {
		return
	}
	for i := range args {
		args[i] = l.safe(args[i])
	}
	_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
}

// safe escapes text of any type, named ones included; numbers need nothing.
func (l *lines) safe(arg any) any {
	if _, ours := arg.(verbatim); ours || reflect.TypeOf(arg).Kind() != reflect.String {
		return arg
	}
	if l.escape == nil {
		return clean(fmt.Sprint(arg))
	}
	return l.escape(fmt.Sprint(arg))
}

// text writes words wrapped to the width, the first line behind lead and the
// others indented as far.
func (l *lines) text(lead, words string) {
	words = clean(words)
	for _, part := range wrap(words, l.room(lead)) {
		l.line("%s%s", lead, part)
		lead = strings.Repeat(" ", len(lead))
	}
}

// items writes a list as text does, and breaks lines between items while they
// fit into one.
func (l *lines) items(lead string, items []string) {
	room := l.room(lead)
	var parts []string
	for i, item := range items {
		item = clean(item)
		if i < len(items)-1 {
			item += ";"
		}
		last := len(parts) - 1
		if last >= 0 && (room == 0 || columns(parts[last])+1+columns(item) <= room) {
			parts[last] += " " + item
			continue
		}
		parts = append(parts, wrap(item, room)...)
	}
	for _, part := range parts {
		l.line("%s%s", lead, part)
		lead = strings.Repeat(" ", len(lead))
	}
}

// room is what lead leaves of the width, 0 where lines are not bounded.
func (l *lines) room(lead string) int {
	if l.width == 0 || l.width-len(lead) < leastColumn {
		return 0
	}
	return l.width - len(lead)
}

// columns is how many columns of a terminal words take up.
func columns(words string) int { return text.StringWidthWithoutEscSequences(words) }

// breakAfter are the characters that a name is best read across lines behind.
const breakAfter = "/:@,;-"

// wrap parts words into lines of at most width columns, 0 for no bound. A line
// ends at a blank, which goes; where there is none, behind one of breakAfter;
// where there is none of these either, anywhere. A single character that is
// wider than width stands alone.
func wrap(words string, width int) []string {
	if width <= 0 || columns(words) <= width {
		return []string{words}
	}
	var out []string
	runes := []rune(words)
	for len(runes) > 0 {
		end, used, blank, mark := 0, 0, 0, 0
		for end < len(runes) && (end == 0 || used+text.RuneWidth(runes[end]) <= width) {
			used += text.RuneWidth(runes[end])
			switch {
			case runes[end] == ' ':
				blank = end
			case strings.ContainsRune(breakAfter, runes[end]):
				mark = end + 1
			}
			end++
		}
		next := end
		switch {
		case end == len(runes) || runes[end] == ' ':
		case blank > 0:
			end, next = blank, blank
		case mark > 0:
			end, next = mark, mark
		}
		if part := strings.TrimRight(string(runes[:end]), " "); part != "" {
			out = append(out, part)
		}
		for next < len(runes) && runes[next] == ' ' {
			next++
		}
		runes = runes[next:]
	}
	return out
}
