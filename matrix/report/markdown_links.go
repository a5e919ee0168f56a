package report

import "refmatrix/matrix"

// Bounds of what the Markdown report shows of links.
const (
	maxMarkdownCoverage = 200 // lines of a table
	maxMarkdownGroups   = 100 // registries that lack one kind
	maxMarkdownImages   = 200 // of one group
)

// markdownCoverage writes how many images have what is required of them, and which do not.
func markdownCoverage(p *lines, m *matrix.Matrix) {
	section := newCoverageSection(m)
	if section == nil {
		return
	}
	p.line("\n## Coverage\n")
	p.line("%s\n\n%s", presenceNote, unknownNote)
	for _, table := range []struct {
		title  string
		groups []coverageLine
	}{
		{"", section.all},
		{"Registry", section.registries},
		{"Label", section.labels},
	} {
		markdownCoverageTable(p, table.title, table.groups)
	}
	for _, all := range section.all {
		gaps := section.gapsOf(all.kind)
		for i := range gaps[:min(len(gaps), maxMarkdownGroups)] {
			markdownGap(p, &gaps[i])
		}
		if rest := len(gaps) - maxMarkdownGroups; rest > 0 {
			p.line("\nMissing %s: %s, in matrix.csv", all.kind, matrix.Quantity(rest, "other registry"))
		}
	}
}

// markdownCoverageTable writes a table of what has names of the title, or of all images if it is
// empty.
func markdownCoverageTable(p *lines, title string, groups []coverageLine) {
	if len(groups) == 0 {
		return
	}
	head := []any{"Kind", "Coverage"}
	if title != "" {
		head = append([]any{title}, head...)
	}
	for _, coverage := range coverages {
		head = append(head, coverage)
	}
	p.line("")
	p.tableHead(head...)
	for _, l := range groups[:min(len(groups), maxMarkdownCoverage)] {
		row := []any{l.kind, l.share()}
		if title != "" {
			row = append([]any{nameText(l.name)}, row...)
		}
		for _, coverage := range coverages {
			row = append(row, l.counts.Of(coverage))
		}
		p.tableRow(row...)
	}
	if rest := len(groups) - maxMarkdownCoverage; rest > 0 {
		p.line("\nand %d more, in matrix.json", rest)
	}
}

// markdownGap writes which images of a registry lack a kind, and how to attach it.
func markdownGap(p *lines, g *gap) {
	p.line("\n### Missing %s: %s, %s\n", g.kind, nameText(g.registry), matrix.Quantity(len(g.rows), "image"))
	for _, image := range g.images(p.medium, maxMarkdownImages) {
		p.line("- %s", image)
	}
	if rest := len(g.rows) - maxMarkdownImages; rest > 0 {
		p.line("- and %d more, in matrix.csv", rest)
	}
	if g.example != nil {
		p.line("\nFor %s:\n", nameText(g.example.Image))
	}
	for _, c := range g.commands {
		p.line("- %s: %s", c.Word, nameText(c.Command))
	}
	for i, note := range g.notes {
		if i == 0 {
			p.line("")
		}
		p.line("%s", note)
	}
}

// markdownLosses writes which links are gone since an earlier scan, and what to do.
func markdownLosses(p *lines, m *matrix.Matrix) {
	losses := newLosses(m)
	for i, l := range losses {
		if i == 0 {
			p.line("\n## Lost links\n\n%s", lossNote)
		}
		if i == maxMarkdownGroups {
			p.line("\nand at %s, in matrix.json", matrix.Quantity(len(losses)-i, "other registry"))
			return
		}
		p.line("\n### Lost: %s, %s\n", nameText(l.registry), matrix.Quantity(l.links, "link"))
		for _, r := range l.rows[:min(len(l.rows), maxMarkdownImages)] {
			p.line("- %s: %s", nameText(r.Image), lossesText(r))
		}
		if rest := len(l.rows) - maxMarkdownImages; rest > 0 {
			p.line("- and %d more, in matrix.json", rest)
		}
		p.line("")
		for i, remedy := range l.remedy {
			text := p.medium.escape(remedy.Text)
			if remedy.Command != "" {
				text += p.medium.sprintf(": %s", nameText(remedy.Command))
			}
			p.line("%d. %s", i+1, text)
		}
	}
}
