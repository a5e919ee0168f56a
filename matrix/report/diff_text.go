package report

import (
	"io"

	"refmatrix/matrix"
)

// maxSeen bounds the differences that a group of a diff quotes on a terminal.
const maxSeen = 10

// diffText renders what changed for a terminal.
func diffText(w io.Writer, d matrix.Diff, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	p.wrapped("", headline(d, p.medium, maxHeadlineNames))
	for _, kind := range matrix.ChangeKinds {
		whole := wholeRegistries(d, kind)
		for _, f := range changeFixes(d, kind) {
			textChange(p, kindLabel(kind), f, whole)
			if f.remedy != "" {
				p.wrapped("  do: ", f.remedy)
			}
		}
	}
	return p.err
}

// textChange writes where something changed, and what was seen there. If more was seen than is
// quoted, the places come first and then examples.
func textChange(p *lines, label string, f *changeFix, whole map[string]bool) {
	lead := p.medium.sprintf("%-12s ", label)
	seen, rest := f.seen, len(f.seen)-maxSeen
	if rest > 0 {
		p.line("")
		p.wrapped(lead, f.places.names(p.medium, "%s", whole, maxNamedRegistries))
		lead, seen = "  at: ", seen[:maxSeen]
	}
	for i := range seen {
		if rest <= 0 {
			p.line("")
		}
		p.wrapped(lead, seen[i].places.names(p.medium, "%s", whole, maxNamedRegistries))
		for _, text := range []string{seen[i].fields, seen[i].detail} {
			if text != "" {
				p.wrapped("  ", text)
			}
		}
	}
	if rest > 0 {
		p.wrapped("  ", "and "+matrix.Quantity(rest, "other difference"))
	}
}
