package report

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// medium is where a text report is read, and how text is made safe there.
type medium struct {
	text func(string) string // any text, wherever in a line it stands
	name func(string) string // the name of a registry or an image

	// quotation is what a detail quotes: the registry's own words. Nil leaves them as text.
	quotation func(string) string
}

// markup is text that is safe in its medium: it was made by sprintf, or it is a
// constant of ours. It is never escaped again.
type markup string

// nameText is the name of a registry or an image, not yet escaped.
type nameText string

// detailText is the detail of a row, not yet escaped. What stands in quotes in it came from
// the wire.
type detailText string

var quotations = regexp.MustCompile(`"[^"]*"`)

// detail returns a detail as markup.
func (m medium) detail(text string) markup {
	if m.quotation == nil {
		return markup(m.text(text))
	}
	var out strings.Builder
	from := 0
	for _, at := range quotations.FindAllStringIndex(text, -1) {
		out.WriteString(m.partAfter(from, text[from:at[0]]))
		out.WriteString(m.quotation(text[at[0]+1 : at[1]-1]))
		from = at[1]
	}
	return markup(out.String() + m.partAfter(from, text[from:]))
}

// partAfter returns the part of a text that begins at a position as markup. What begins a
// list or a heading does so only at position 0.
func (m medium) partAfter(position int, part string) string {
	if position == 0 {
		return m.text(part)
	}
	const before = "x"
	return strings.TrimPrefix(m.text(before+part), before)
}

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
	case detailText:
		return m.detail(string(arg))
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

// someNames lists the first few registries, and says how many more there are.
func someNames(m medium, names []string, limit int) markup {
	if rest := len(names) - limit; rest > 0 {
		return m.sprintf("%s and %d more", m.names(names[:limit]), rest)
	}
	return m.names(names)
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
