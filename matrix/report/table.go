package report

import (
	"io"
	"strings"

	"refmatrix/matrix"
)

// table renders for a terminal: the headline, what to do, the matrix, what is attached and what
// is not, and what else was found.
func table(w io.Writer, m *matrix.Matrix, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	tableHeadline(p, m)
	tableActions(p, m, o)
	p.line("")
	if o.By == ByImage {
		p.line("%s", grid(imageColumns, m.Rows, o))
	} else {
		tableRegistries(p, m, o)
	}
	tableCoverage(p, m)
	tableLosses(p, m)
	if codes := findingsText(m); codes != "" {
		p.line("")
		p.wrapped("", "findings: "+codes+"; the Markdown report and refmatrix explain say what each means")
	}
	return p.err
}

// tableHeadline writes what the whole comes to, and what it is not.
func tableHeadline(p *lines, m *matrix.Matrix) {
	p.wrapped("", registryHeadline(m.Registries))
	p.wrapped("", imagesHeadline(m))
	if m.Shard != "" {
		p.wrapped("", "shard "+m.Shard+": the other shards hold the rest of the inventory")
	}
	if !m.Complete {
		p.wrapped("", "not complete: images of the inventory are missing here")
	}
}

// Bounds of an action in the table: the reports hold the rest.
const maxTableAnswers = 2

// tableActions writes what to do, for each action where, and what was seen there.
func tableActions(p *lines, m *matrix.Matrix, o Options) {
	const indent = "     "
	for i, a := range actionsOf(m.Rows) {
		if i == 0 {
			p.line("\nWHAT TO DO")
		}
		p.wrapped(severityText(a.severity, o)+" ", orDash(a.remedy))
		lead := p.medium.sprintf("%s%s (%s): ", markup(indent), a.size(), strings.Join(texts(a.reasons), ", "))
		p.list(lead, indent, a.names(p.medium, maxNamedRegistries))
		for n, answer := range a.answers {
			if n == maxTableAnswers {
				p.wrapped(indent, "and "+matrix.Quantity(len(a.answers)-n, "other answer")+", in the reports")
				break
			}
			p.wrapped(indent, answer.detail)
		}
	}
}
