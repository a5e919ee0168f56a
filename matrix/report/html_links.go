package report

import (
	"fmt"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Bounds of what the page shows of links: the rows hold the rest.
const (
	maxPageImages   = 10  // of one group, with what they lack or lost
	maxPageCoverage = 200 // lines of a table
)

// pageCoverage is the section on coverage.
type pageCoverage struct {
	Presence, Unknown string
	Kinds             []share
	Header            []string // of the counts
	Tables            []pageCoverageTable
	Missing           []pageMissing
}

// tableCoverages are the columns of a table after its percentage. What is not known stands beside
// that, so that a phone shows both.
var tableCoverages = []matrix.Coverage{
	matrix.CoverageUnknown, matrix.CoveragePresent, matrix.CoveragePartial, matrix.CoverageAbsent,
}

type pageCoverageTable struct {
	Title string
	Lines []pageCoverageLine
	More  int
}

type pageCoverageLine struct {
	Name, Kind, Share string
	Counts            []int
}

// pageMissing is the images that lack a kind and need the same commands.
type pageMissing struct {
	Kind     string
	Places   pagePlaces
	Partial  pageImages // those that have the kind on some platforms
	Example  *pageImage // that the commands are for
	Commands []attachCommand
	Notes    []pageFurther
}

// pageImages is the first of some images, and how many more there are.
type pageImages struct {
	Named []pageImage
	More  int
}

// pageImage is an image with what it lacks or lost.
type pageImage struct {
	Registry string
	Name     breakable
	Text     string
}

// newPageImages returns rows with a text for each.
func newPageImages(rows []*matrix.Row, text func(*matrix.Row) string) pageImages {
	out := pageImages{More: max(0, len(rows)-maxPageImages)}
	for _, r := range rows[:min(len(rows), maxPageImages)] {
		out.Named = append(out.Named, pageImage{r.Registry, newBreakable(r.Image), text(r)})
	}
	return out
}

// exampleOf returns the image that commands for all of rows name, nil if rows are a single one.
func exampleOf(rows []*matrix.Row) *pageImage {
	if len(rows) < 2 {
		return nil
	}
	return &pageImage{Registry: rows[0].Registry, Name: newBreakable(rows[0].Image)}
}

// newPageCoverage returns nil if nothing is required of any image. ids are those of the
// registries by their names.
func newPageCoverage(m *matrix.Matrix, ids map[string]string) *pageCoverage {
	section := newCoverageSection(m)
	if section == nil {
		return nil
	}
	p := &pageCoverage{
		Presence: presenceNote,
		Unknown:  unknownNote,
		Header:   texts(tableCoverages),
	}
	for _, l := range section.all {
		p.Kinds = append(p.Kinds, newCoverageShare(l))
	}
	p.addTable("registry", section.registries)
	p.addTable("label", section.labels)
	for _, g := range newAttachGroups(m.Rows) {
		p.Missing = append(p.Missing, pageMissing{
			Kind:     string(g.kind),
			Places:   newPagePlaces(g.places, len(g.rows), ids),
			Partial:  newPageImages(g.partial(), func(r *matrix.Row) string { return "missing " + lackingText(r, g.kind) }),
			Example:  exampleOf(g.rows),
			Commands: g.commands,
			Notes:    newPageFurther(g.notes),
		})
	}
	return p
}

// newCoverageShare returns the bar of a kind. Its percentages are of what is known, so the part
// that is unknown has none.
func newCoverageShare(l coverageLine) share {
	s := share{
		Title: string(l.kind),
		Note:  "nothing is known",
		Total: l.counts.Known() + l.counts.Unknown,
	}
	if l.counts.Known() > 0 {
		s.Note = fmt.Sprintf("%s of %d present", l.share(), l.counts.Known())
	}
	for _, coverage := range coverages {
		one := part{
			Name:  string(coverage),
			Class: "c-" + string(coverage),
			Count: l.counts.Of(coverage),
		}
		if coverage != matrix.CoverageUnknown && l.counts.Known() > 0 {
			one.Percent = percent(one.Count, l.counts.Known())
		}
		s.Parts = append(s.Parts, one)
	}
	s.measure()
	return s
}

func (p *pageCoverage) addTable(title string, groups []coverageLine) {
	if len(groups) == 0 {
		return
	}
	table := pageCoverageTable{Title: title}
	for _, l := range groups[:min(len(groups), maxPageCoverage)] {
		line := pageCoverageLine{
			Name:  l.name,
			Kind:  string(l.kind),
			Share: l.share(),
		}
		for _, coverage := range tableCoverages {
			line.Counts = append(line.Counts, l.counts.Of(coverage))
		}
		table.Lines = append(table.Lines, line)
	}
	table.More = len(groups) - len(table.Lines)
	p.Tables = append(p.Tables, table)
}

// pageLoss is the images that lost links and need the same to be done.
type pageLoss struct {
	Links   string // "3 links"
	Places  pagePlaces
	Images  pageImages
	Example *pageImage // that the commands are for
	Remedy  []verdict.Restore
}

// newPageLosses returns what was lost. ids are those of the registries by their names.
func newPageLosses(m *matrix.Matrix, ids map[string]string) []pageLoss {
	var out []pageLoss
	for _, g := range newLossGroups(m.Rows) {
		out = append(out, pageLoss{
			Links:   matrix.Quantity(g.links, "link"),
			Places:  newPagePlaces(g.places, len(g.rows), ids),
			Images:  newPageImages(g.rows, lossesText),
			Example: exampleOf(g.rows),
			Remedy:  g.remedy,
		})
	}
	return out
}
