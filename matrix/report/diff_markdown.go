package report

import (
	"io"
	"slices"

	"refmatrix/matrix"
)

// diffMarkdown renders what changed for a weekly post, within Options.MaxBytes. Of what does not
// fit, fewer registries are named, and then the mildest changes are counted alone.
func diffMarkdown(w io.Writer, d matrix.Diff, o Options) error {
	opening := diffOpening(d, maxHeadlineNames)
	if len(opening) > LeastMarkdown/4 { // names of somebody else's, at any length
		opening = diffOpening(d, 0)
	}
	limit := o.maxBytes() - len(opening)
	fixes := map[matrix.ChangeKind][]*changeFix{}
	for _, kind := range matrix.ChangeKinds {
		fixes[kind] = changeFixes(d, kind)
	}
	sections := fullestOf(limit, func(much detail) (out []markdownSection) {
		for _, kind := range matrix.ChangeKinds {
			out = append(out, changeSection(d, kind, fixes[kind], much))
		}
		return out
	})
	return writeTexts(w, slices.Insert(fitAll(sections, limit), 0, opening))
}

func diffOpening(d matrix.Diff, names int) string {
	return written(func(p *lines) {
		p.line("## Referrers: what changed\n")
		p.line("%s", headline(d, p.medium, names))
	})
}

// changeSection is the changes of one kind.
func changeSection(d matrix.Diff, kind matrix.ChangeKind, fixes []*changeFix, much detail) markdownSection {
	s := markdownSection{
		head:  written(func(p *lines) { p.line("\n### %s\n", changeText[kind].heading) }),
		noun:  "group",
		which: markdownLine.sprintf(" of changes (%s)", kind),
		files: "refmatrix diff -f json",
	}
	whole := wholeRegistries(d, kind)
	for _, f := range fixes {
		s.items = append(s.items, written(func(p *lines) { markdownChange(p, f, whole, much) }))
	}
	return s
}

// markdownChange writes where something changed, what was seen there, and what to do. If more
// was seen than is quoted, the places come first and then examples.
func markdownChange(p *lines, f *changeFix, whole map[string]bool, much detail) {
	const name = "**%s**"
	if len(f.seen) <= much.answers {
		for i := range f.seen {
			p.line("- %s%s", f.seen[i].places.names(p.medium, name, whole, much.registries), seenText(p.medium, &f.seen[i]))
		}
	} else {
		p.line("- %s", f.places.names(p.medium, name, whole, much.registries))
		for i := range f.seen[:much.answers] {
			one := &f.seen[i]
			p.line("  - %s%s", one.places.names(p.medium, "%s", whole, maxAnswerRegistries), seenText(p.medium, one))
		}
		p.line("  - and %s", matrix.Quantity(len(f.seen)-much.answers, "other difference"))
	}
	if f.remedy != "" {
		p.line("  - To do: %s", f.remedy)
	}
}

// seenText is what was seen behind its place: ": HTTP 404. (strategy referrers-api → unknown)".
func seenText(m medium, seen *changeSeen) (out markup) {
	if seen.detail != "" {
		out = m.sprintf(": %s", detailText(seen.detail))
	}
	if seen.fields != "" {
		out += m.sprintf(" (%s)", seen.fields)
	}
	return out
}
