package report

import (
	"io"
	"slices"

	"refmatrix/matrix"
)

// markdown renders GitHub Flavored Markdown: a headline, what to do, the matrix of registries,
// and the images.
//
// What does not fit into Options.MaxBytes is left out at whole lines and counted: first the
// images, then the registries. What to do is never left out: it names fewer registries.
func markdown(w io.Writer, m *matrix.Matrix, o Options) error {
	opening := written(func(p *lines) { markdownOpening(p, m) })
	closing := written(func(p *lines) { markdownClosing(p, m) })
	fleet := matrix.CoverageOf(m.Rows)
	registries, images := matrixSections(m, o)
	registries = append(registries, labelSection(&fleet))
	findings := findingSection(m)

	// In the order of need, which is that of reading but for the findings.
	others := slices.Concat([]markdownSection{findings}, registries, images)
	limit := o.maxBytes() - len(opening) - len(closing)
	needed := neededSections(m, &fleet, limit-leastSize(others))
	texts := fitAll(slices.Concat(needed, others), limit)
	from, to := len(needed), len(needed)+1+len(registries)
	order := slices.Concat(texts[:from], texts[from+1:to], texts[from:from+1], texts[to:])
	return writeTexts(w, slices.Concat([]string{opening}, order, []string{closing}))
}

// neededSections returns what a reader needs before the matrix, as detailed as limit bytes hold
// it.
func neededSections(m *matrix.Matrix, fleet *matrix.FleetCoverage, limit int) []markdownSection {
	actions, losses, missing := actionsOf(m.Rows), newLossGroups(m.Rows), newAttachGroups(m.Rows)
	return fullestOf(limit, func(d detail) []markdownSection {
		return []markdownSection{
			actionSection(actions, d),
			lossSection(losses, d),
			kindSection(fleet),
			missingSection(missing, d),
		}
	})
}

// markdownOpening writes the title, and in a few sentences what the report holds.
func markdownOpening(p *lines, m *matrix.Matrix) {
	p.line("# Referrers matrix\n")
	s := p.medium.sprintf("**%s.** %s.", registryHeadline(m.Registries), imagesHeadline(m))
	if m.Shard != "" {
		s += p.medium.sprintf(" This is shard %s of the inventory.", short(m.Shard))
	}
	if !m.Complete {
		s += " The scan is not complete: images of the inventory are missing here."
	}
	p.line("%s", s)
	if risk := riskSentence(m.Registries); risk != "" {
		p.line("\n%s", risk)
	}
}

// markdownClosing is the only place with times, so that two runs over the same
// answers differ in nothing else.
func markdownClosing(p *lines, m *matrix.Matrix) {
	tool := p.medium.sprintf("%s %s", short(m.Tool.Name), short(m.Tool.Version))
	p.line("\n---\nMeasured by %s, %s to %s.", tool, scanTime(m.Started), scanTime(m.Finished))
}
