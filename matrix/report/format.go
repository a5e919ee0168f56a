package report

import (
	"io"
	"slices"
	"strings"
)

// Format is one way to render a T.
type Format[T any] struct {
	Name   string                                         // as --format takes it
	Alias  string                                         // another name for it; "" = none
	File   string                                         // its name in the output directory; "" = it is only printed
	Render func(w io.Writer, rendered T, o Options) error // keeps no state between calls

	Archived  bool // a scan is kept in the history as this format renders it
	LooksBack bool // it shows older scans, Options.History
}

// Formats lists the formats of a T, in the order that help names them.
type Formats[T any] []Format[T]

// Names returns the names that --format takes, without the aliases.
func (f Formats[T]) Names() []string {
	var names []string
	for i := range f {
		names = append(names, f[i].Name)
	}
	return names
}

// Find returns the format called name, which may be an alias, and whether there
// is one.
func (f Formats[T]) Find(name string) (Format[T], bool) {
	for i := range f {
		if name != "" && (f[i].Name == name || f[i].Alias == name) {
			return f[i], true
		}
	}
	return Format[T]{}, false
}

// Parse reads a list of names, "table,csv" or "all", and returns each format
// once, and whether there is a format for every name.
func (f Formats[T]) Parse(list string) ([]Format[T], bool) {
	var out []Format[T]
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "all" {
			return f, true
		}
		format, ok := f.Find(name)
		if !ok {
			return nil, false
		}
		if !slices.ContainsFunc(out, func(have Format[T]) bool { return have.Name == format.Name }) {
			out = append(out, format)
		}
	}
	return out, true
}
