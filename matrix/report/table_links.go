package report

import (
	"slices"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Bounds of what the table shows of links: the reports hold the rest.
const (
	maxTableGroups = 8  // registries or labels of one kind
	maxTablePlaces = 20 // registries of one group
	maxTableImages = 8  // of one group, with what they lack or lost
)

// inReports says where the rest of a list is.
const inReports = ", in the Markdown and CSV reports"

// tableCoverage writes how many images have what is required of them, and which do not.
func tableCoverage(p *lines, m *matrix.Matrix) {
	section := newCoverageSection(m)
	if section == nil {
		return
	}
	p.line("\nCOVERAGE")
	p.wrapped("  ", presenceNote+" "+unknownNote)
	for _, all := range section.all {
		p.wrapped(p.medium.sprintf("  %-15s ", all.kind), all.String())
		tableCoverageLines(p, "registry", ofKind(section.registries, all.kind))
		tableCoverageLines(p, "label", ofKind(section.labels, all.kind))
	}
	for _, group := range newAttachGroups(m.Rows) {
		tableMissing(p, &group)
	}
}

// tableCoverageLines writes those that lack the kind or may lack it. What one group alone has
// is in the line of all images.
func tableCoverageLines(p *lines, what string, groups []coverageLine) {
	if len(groups) < 2 {
		return
	}
	groups = slices.DeleteFunc(groups, func(l coverageLine) bool { return l.counts.Missing()+l.counts.Unknown == 0 })
	for i, l := range groups {
		if i == maxTableGroups {
			p.wrapped("    ", "and "+matrix.Quantity(len(groups)-i, "other "+what)+inReports)
			return
		}
		p.wrapped("    ", p.medium.sprintf("%s: %s", nameText(l.name), l.String()))
	}
}

// tableMissing writes which images lack a kind, and how to attach it. Commands are not
// wrapped: they are there to be copied.
func tableMissing(p *lines, g *attachGroup) {
	lead := p.medium.sprintf("MISSING %s at %s: ", g.kind, placesSize(g.places, len(g.rows)))
	p.line("")
	p.list(lead, "  ", placeNames(p.medium, g.places, maxTablePlaces))
	partial := g.partial()
	for _, r := range partial[:min(len(partial), maxTableImages)] {
		p.wrapped("  ", p.medium.sprintf("%s %s: missing %s", nameText(r.Registry), nameText(r.Image), lackingText(r, g.kind)))
	}
	tableRest(p, len(partial)-maxTableImages)
	if len(g.commands) > 0 && len(g.rows) > 1 {
		p.wrapped("  ", p.medium.sprintf("for %s at %s:", nameText(g.rows[0].Image), nameText(g.rows[0].Registry)))
	}
	for _, c := range g.commands {
		if c.Word != "or" { // the Markdown and HTML reports name every tool
			p.line("  %s: %s", c.Word, c.Command)
		}
	}
	for _, note := range g.notes {
		text := p.medium.escape(note.text)
		if note.registries != nil {
			text += p.medium.sprintf(" (%s)", someNames(p.medium, note.registries, maxTableGroups))
		}
		p.wrapped("  ", text)
	}
}

// tableRest says that n images more are in the reports.
func tableRest(p *lines, n int) {
	if n > 0 {
		p.wrapped("  ", "and "+matrix.Quantity(n, "other image")+inReports)
	}
}

// tableLosses writes which links are gone since an earlier scan, and what to do.
func tableLosses(p *lines, m *matrix.Matrix) {
	for i, g := range newLossGroups(m.Rows) {
		if i == 0 {
			p.line("\nLOST LINKS")
			p.wrapped("  ", lossNote)
		}
		lead := p.medium.sprintf("LOST %s at %s: ", matrix.Quantity(g.links, "link"), placesSize(g.places, len(g.rows)))
		p.line("")
		p.list(lead, "  ", placeNames(p.medium, g.places, maxTablePlaces))
		for _, r := range g.rows[:min(len(g.rows), maxTableImages)] {
			p.wrapped("  ", p.medium.sprintf("%s %s: %s", nameText(r.Registry), nameText(r.Image), lossesText(r)))
		}
		tableRest(p, len(g.rows)-maxTableImages)
		if len(g.rows) > 1 {
			p.wrapped("  ", p.medium.sprintf("for %s at %s:", nameText(g.rows[0].Image), nameText(g.rows[0].Registry)))
		}
		tableRemedy(p, g.remedy)
	}
}

func tableRemedy(p *lines, remedy []verdict.Restore) {
	lead := markup("  do: ")
	for _, one := range remedy {
		p.wrapped(lead, one.Text)
		lead = "      "
		if one.Command != "" {
			p.line("%s%s", lead, one.Command)
		}
	}
}
