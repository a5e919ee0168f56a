package report

import (
	"io"
	"strings"

	"refmatrix/matrix"
)

// diffText renders what changed for a terminal.
func diffText(w io.Writer, d matrix.Diff, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	p.wrapped("", headline(d, p.medium))
	for _, kind := range matrix.ChangeKinds {
		for _, group := range groupChanges(d, kind) {
			p.line("")
			p.wrapped(p.medium.sprintf("%-11s ", strings.ToUpper(string(kind))), group.where(p.medium, "%s"))
			for _, text := range []string{group.fields, group.detail} {
				if text != "" {
					p.wrapped("  ", text)
				}
			}
		}
	}
	return p.err
}
