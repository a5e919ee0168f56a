package report

import (
	"slices"

	"refmatrix/matrix"
)

// kindSection is how many images have what is required of them. That of each registry stands
// in the matrix.
func kindSection(fleet *matrix.FleetCoverage) markdownSection {
	s := coverageTable("", coverageLines(fleet.Kinds, fleet.All))
	s.head = written(func(p *lines) {
		p.line("\n## Coverage\n\n%s\n\n%s\n", presenceNote, unknownNote)
	}) + s.head
	s.noun, s.which = "kind", " with its coverage"
	return s
}

// labelSection is the coverage by label.
func labelSection(fleet *matrix.FleetCoverage) markdownSection {
	s := coverageTable("Label", coverageLines(fleet.Kinds, fleet.Labels...))
	s.head = "\n## Coverage by label\n\n" + s.head
	s.noun, s.which = "line", " of the coverage by label"
	return s
}

// missingSection is which images lack what is required of them, and how to attach it.
func missingSection(groups []attachGroup, d detail) markdownSection {
	s := markdownSection{
		noun:  "remedy",
		which: " for what is missing",
		files: "matrix.csv and " + inJSON,
	}
	for i := range groups {
		s.items = append(s.items, written(func(p *lines) { markdownMissing(p, &groups[i], d) }))
	}
	return s
}

// coverageTable is a table of what has names of the title, or of all images if it is empty.
func coverageTable(title string, groups []coverageLine) markdownSection {
	head := []any{"Kind", "Coverage"}
	if title != "" {
		head = append([]any{title}, head...)
	}
	for _, coverage := range coverages {
		head = append(head, coverage)
	}
	s := markdownSection{
		head:  written(func(p *lines) { p.tableHead(head...) }),
		files: inJSON,
	}
	for _, l := range groups {
		row := []any{l.kind, l.share()}
		if title != "" {
			row = slices.Insert(row, 0, any(nameText(l.name)))
		}
		for _, coverage := range coverages {
			row = append(row, l.counts.Of(coverage))
		}
		s.items = append(s.items, written(func(p *lines) { p.tableRow(row...) }))
	}
	return s
}

// markdownMissing writes which images lack a kind, and how to attach it.
func markdownMissing(p *lines, g *attachGroup, d detail) {
	p.line("\n### Missing: %s\n", g.kind)
	p.line("%s%s", placesSize(g.places, len(g.rows)), placesAfter(p.medium, placeNames(p.medium, g.places, d.registries), d))
	markdownPlatforms(p, g, d)
	if g.commands != nil && d.commands {
		p.line("\nFor %s at %s:\n", nameText(g.rows[0].Image), nameText(g.rows[0].Registry))
		for _, c := range g.commands {
			p.line("- %s: %s", c.Word, nameText(c.Command))
		}
	}
	markdownFurther(p, "Note:", g.notes, d)
}

// markdownPlatforms names images that have the kind on some of their platforms.
func markdownPlatforms(p *lines, g *attachGroup, d detail) {
	partial := g.partial()
	if len(partial) == 0 || d.answers == 0 {
		return
	}
	p.line("\nOn some platforms alone:\n")
	for _, r := range partial[:min(len(partial), d.answers)] {
		p.line("- %s at %s: missing %s", nameText(r.Image), nameText(r.Registry), lackingText(r, g.kind))
	}
	markdownMore(p, len(partial)-d.answers, "image")
}

// lossSection is which links are gone since an earlier scan, and what to do.
func lossSection(losses []lossGroup, d detail) markdownSection {
	s := markdownSection{
		head:  "\n## Lost links\n\n" + lossNote + "\n",
		noun:  "remedy",
		which: " for lost links",
		files: "matrix.csv and " + inJSON,
	}
	for i := range losses {
		s.items = append(s.items, written(func(p *lines) { markdownLoss(p, &losses[i], d) }))
	}
	return s
}

func markdownLoss(p *lines, g *lossGroup, d detail) {
	p.line("\n### Lost: %s\n", matrix.Quantity(g.links, "link"))
	p.line("%s%s", placesSize(g.places, len(g.rows)), placesAfter(p.medium, placeNames(p.medium, g.places, d.registries), d))
	if d.answers > 0 {
		p.line("")
		for _, r := range g.rows[:min(len(g.rows), d.answers)] {
			p.line("- %s at %s: %s", nameText(r.Image), nameText(r.Registry), lossesText(r))
		}
		markdownMore(p, len(g.rows)-d.answers, "image")
	}
	if len(g.rows) > 1 && d.commands {
		p.line("\nFor %s at %s:\n", nameText(g.rows[0].Image), nameText(g.rows[0].Registry))
	} else {
		p.line("\nTo do:\n")
	}
	for i, remedy := range g.remedy {
		switch {
		case remedy.Command == "":
			p.line("%d. %s", i+1, remedy.Text)
		case d.commands:
			p.line("%d. %s: %s", i+1, remedy.Text, nameText(remedy.Command))
		default:
			p.line("%d. %s.", i+1, remedy.Text)
		}
	}
}
