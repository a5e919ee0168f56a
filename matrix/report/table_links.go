package report

import (
	"fmt"
	"slices"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Bounds of what the table shows of links: the reports hold the rest.
const (
	maxTableGroups = 8  // registries or labels of one kind
	maxTableImages = 20 // of one group
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
	for _, all := range section.all {
		gaps := section.gapsOf(all.kind)
		for i := range gaps[:min(len(gaps), maxTableGroups)] {
			tableGap(p, &gaps[i])
		}
		if rest := len(gaps) - maxTableGroups; rest > 0 {
			p.line("")
			p.wrapped("", fmt.Sprintf("MISSING %s at %s%s", all.kind, matrix.Quantity(rest, "other registry"), inReports))
		}
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

// tableGap writes which images of a registry lack a kind, and how to attach it. Commands are
// not wrapped: they are there to be copied.
func tableGap(p *lines, g *gap) {
	p.line("")
	p.wrapped("", p.medium.sprintf("MISSING %s at %s (%d)", g.kind, nameText(g.registry), len(g.rows)))
	p.items("  at: ", tableRest(p, g.images(p.medium, maxTableImages), len(g.rows)))
	for _, c := range g.commands {
		if c.Word != "or" { // the Markdown and HTML reports name every tool
			p.line("  %s: %s", c.Word, c.Command)
		}
	}
	for _, note := range g.notes {
		p.wrapped("  ", note)
	}
}

// tableRest returns the items that are shown, and what says how many more there are.
func tableRest(p *lines, shown []markup, total int) []markup {
	if rest := total - len(shown); rest > 0 {
		return append(shown, p.medium.sprintf("and %d more%s", rest, inReports))
	}
	return shown
}

// tableLosses writes which links are gone since an earlier scan, and what to do.
func tableLosses(p *lines, m *matrix.Matrix) {
	losses := newLosses(m)
	for i, l := range losses {
		if i == 0 {
			p.line("\nLOST LINKS")
			p.wrapped("  ", lossNote)
		}
		if i == maxTableGroups {
			p.line("")
			p.wrapped("", "LOST at "+matrix.Quantity(len(losses)-i, "other registry")+inReports)
			return
		}
		p.line("")
		p.wrapped("", p.medium.sprintf("LOST at %s (%d)", nameText(l.registry), l.links))
		for _, r := range l.rows[:min(len(l.rows), maxTableImages)] {
			p.wrapped("  ", p.medium.sprintf("%s: %s", nameText(r.Image), lossesText(r)))
		}
		if rest := len(l.rows) - maxTableImages; rest > 0 {
			p.wrapped("  ", p.medium.sprintf("and %d more%s", rest, inReports))
		}
		tableRemedy(p, l.remedy)
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
