package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// widthWithoutTerminal is the table's width if stdout is a pipe or a file:
// wide enough for the columns, narrow enough for a mail.
const widthWithoutTerminal = 120

// terminal reports whether w is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// piped reports whether r is a pipe.
func piped(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// width of w in columns: the terminal's, else $COLUMNS, else a default.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return widthWithoutTerminal
}

// colour reports whether w may carry colours (https://no-color.org).
func colour(w io.Writer, refused bool) bool {
	return !refused && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && terminal(w)
}
