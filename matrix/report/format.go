package report

import (
	"io"
	"slices"
	"strings"
)

// Render writes rendered to w. It keeps no state between calls.
type Render[T any] func(w io.Writer, rendered T, o Options) error

// File is a file that a format writes into the output directory.
type File[T any] struct {
	Name    string
	Render  Render[T]
	Archive Render[T] // renders what the history keeps of it; nil = nothing
}

// Format is one way to render a T.
type Format[T any] struct {
	Name   string // as --format takes it
	Alias  string // another name for it; "" = none
	File   string // its name in the output directory; "" = it is only printed
	Render Render[T]

	// ByRegistry is the file with a record for each registry, if the format has one besides
	// File, which has one for each image.
	ByRegistry *File[T]

	Archive   Render[T] // as in File
	LooksBack bool      // it shows older scans, Options.History
}

// Files returns what the format writes into the output directory, nil if it is only printed.
func (f *Format[T]) Files() []File[T] {
	if f.File == "" {
		return nil
	}
	files := []File[T]{{f.File, f.Render, f.Archive}}
	if f.ByRegistry != nil {
		files = append(files, *f.ByRegistry)
	}
	return files
}

// Print renders on a terminal or a pipe, which have room for one of the files. Those who read
// the records of images from there go on to get them: only Options.By chooses the others.
func (f *Format[T]) Print(w io.Writer, rendered T, o Options) error {
	if f.ByRegistry != nil && o.By == ByRegistry {
		return f.ByRegistry.Render(w, rendered, o)
	}
	return f.Render(w, rendered, o)
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
