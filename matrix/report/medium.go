package report

import (
	"fmt"
	"reflect"
	"strings"
)

// medium is where a text report is read, and how text is made safe there.
type medium struct {
	text func(string) string // any text, wherever in a line it stands
	name func(string) string // the name of a registry or an image
}

// markup is text that is safe in its medium: it was made by sprintf, or it is a
// constant of ours. It is never escaped again.
type markup string

// nameText is the name of a registry or an image, not yet escaped.
type nameText string

// sprintf formats as fmt.Sprintf does and escapes every argument that is text,
// so that no word of a matrix can be forgotten. Only markup is taken unchanged.
func (m medium) sprintf(format string, args ...any) markup {
	safe := make([]any, len(args))
	for i, arg := range args {
		safe[i] = m.safe(arg)
	}
	return markup(fmt.Sprintf(format, safe...))
}

// safe returns arg as sprintf may print it. Numbers stay, so that verbs such as
// %.1f work.
func (m medium) safe(arg any) any {
	switch arg := arg.(type) {
	case markup:
		return arg
	case nameText:
		return markup(m.name(string(arg)))
	case string:
		return markup(m.text(arg))
	}
	switch kind := reflect.TypeOf(arg).Kind(); {
	case kind >= reflect.Bool && kind <= reflect.Float64:
		return arg
	default: // text of a named type, and whatever prints as text
		return markup(m.text(fmt.Sprint(arg)))
	}
}

// escape returns one text as markup.
func (m medium) escape(text any) markup {
	if safe, ok := m.safe(text).(markup); ok {
		return safe
	}
	return m.sprintf("%v", text) // a number
}

// names lists names in one line.
func (m medium) names(names []string) markup {
	list := make([]markup, len(names))
	for i, name := range names {
		list[i] = m.escape(nameText(name))
	}
	return join(list, ", ")
}

// join puts parts of one line together.
func join(parts []markup, separator markup) markup {
	var out strings.Builder
	for i, part := range parts {
		if i > 0 {
			out.WriteString(string(separator))
		}
		out.WriteString(string(part))
	}
	return markup(out.String())
}
