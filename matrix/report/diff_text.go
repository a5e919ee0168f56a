package report

import (
	"io"

	"refmatrix/matrix"
)

// diffText renders what changed for a terminal.
func diffText(w io.Writer, d matrix.Diff, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	p.wrapped("", headline(d, p.medium))
	for _, kind := range matrix.ChangeKinds {
		for _, group := range groupChanges(d, kind) {
			p.line("")
			p.group(kindLabel(kind), group)
		}
	}
	return p.err
}
