package report

import (
	"fmt"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Bounds of what the page shows of links: the rows hold the rest.
const (
	maxFirst        = 6   // registries that are shown at once
	maxUnfolded     = 100 // registries, those that unfold with them
	maxPageImages   = 20  // of one group
	maxPageCoverage = 200 // lines of a table
)

// pageCoverage is the section on coverage.
type pageCoverage struct {
	Presence, Unknown string
	Kinds             []share
	Header            []string // of the counts
	Tables            []pageCoverageTable
	Gaps              []pageGaps
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

// pageGaps is the worklist of one kind.
type pageGaps struct {
	Kind       string
	Registries folded[pageGap]
}

// pageGap is the images of one registry that lack one kind.
type pageGap struct {
	Registry    string
	Count, More int // images; those that are not named
	Images      []pageImage
	Commands    []attachCommand
	Notes       []string
}

// pageImage is an image with what it lacks or lost.
type pageImage struct {
	Name          breakable
	Lacking, Lost string
}

// newPageCoverage returns nil if nothing is required of any image.
func newPageCoverage(m *matrix.Matrix) *pageCoverage {
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
	for _, kind := range section.all {
		if gaps := section.gapsOf(kind.kind); len(gaps) > 0 {
			p.Gaps = append(p.Gaps, pageGaps{string(kind.kind), newFolded(gaps, newPageGap)})
		}
	}
	return p
}

// folded is a list of which the first are shown, and others unfold.
type folded[T any] struct {
	First, More []T
	Unnamed     int // those that are not shown
}

// newFolded returns what the page shows of each of all.
func newFolded[T, From any](all []From, show func(From) T) (out folded[T]) {
	for i, one := range all[:min(len(all), maxUnfolded)] {
		if i < maxFirst {
			out.First = append(out.First, show(one))
		} else {
			out.More = append(out.More, show(one))
		}
	}
	out.Unnamed = max(0, len(all)-maxUnfolded)
	return out
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

func newPageGap(g gap) pageGap {
	out := pageGap{
		Registry: g.registry,
		Count:    len(g.rows),
		Commands: g.commands,
		Notes:    g.notes,
	}
	for _, r := range g.rows[:min(len(g.rows), maxPageImages)] {
		out.Images = append(out.Images, pageImage{Name: newBreakable(r.Image), Lacking: lackingText(r, g.kind)})
	}
	out.More = len(g.rows) - len(out.Images)
	return out
}

// pageLosses is the section on lost links.
type pageLosses struct {
	Note       string
	Registries folded[pageLoss]
}

type pageLoss struct {
	Registry    string
	Count, More int // links; images that are not named
	Images      []pageImage
	Remedy      []verdict.Restore
}

// newPageLosses returns nil if nothing was lost.
func newPageLosses(m *matrix.Matrix) *pageLosses {
	if all := newLosses(m); len(all) > 0 {
		return &pageLosses{Note: lossNote, Registries: newFolded(all, newPageLoss)}
	}
	return nil
}

func newPageLoss(l loss) pageLoss {
	out := pageLoss{
		Registry: l.registry,
		Count:    l.links,
		Remedy:   l.remedy,
	}
	for _, r := range l.rows[:min(len(l.rows), maxPageImages)] {
		out.Images = append(out.Images, pageImage{Name: newBreakable(r.Image), Lost: lossesText(r)})
	}
	out.More = len(l.rows) - len(out.Images)
	return out
}
