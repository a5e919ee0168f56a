package report

import (
	"io"
	"strings"

	"refmatrix/matrix/migration"
)

// assessmentText renders an assessment for a terminal.
func assessmentText(w io.Writer, a migration.Assessment, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	for _, image := range a.Images {
		verdict := strings.ToUpper(verdictText[image.Verdict])
		p.line("%-18s %s %s", verdict, nameText(image.Registry), nameText(image.Image))
		p.wrapped("  ", image.Detail)
		p.wrapped("  ", "links at the source: "+linksText(image.Links)+"; target: "+string(image.Target))
		for _, c := range image.Copies {
			p.wrapped(p.medium.sprintf("  %-17s  ", c.Tool), copyText(c)+" ("+c.Note+")")
		}
		for _, note := range image.Notes {
			p.wrapped("  ", note)
		}
		if image.Command != "" {
			p.line("  $ %s", image.Command)
		}
		p.line("")
	}
	p.line("%s", verdictCounts(a, p.medium))
	return p.err
}
