package report

import (
	"fmt"
	"strings"
	"time"

	"refmatrix/matrix"
)

// changeText is what a kind of change means: as a heading, and in a sentence
// about one registry and about several.
var changeText = map[matrix.ChangeKind]struct{ heading, one, many markup }{
	matrix.Regression:       {"Lost the referrers API", "lost the referrers API", "lost the referrers API"},
	matrix.LinksLost:        {"Lost links", "lost links", "lost links"},
	matrix.NotMeasured:      {"No longer measured", "is not measured", "are not measured"},
	matrix.Removed:          {"Gone from the inventory", "has images that are gone", "have images that are gone"},
	matrix.Improvement:      {"Now has the referrers API", "now has the referrers API", "now have the referrers API"},
	matrix.Recovered:        {"Measured again", "is measured again", "are measured again"},
	matrix.Changed:          {"Other changes", "changed", "changed"},
	matrix.StillNotMeasured: {"Still not measured", "is still not measured", "are still not measured"},
	matrix.LinksNew:         {"New links", "has new links", "have new links"},
	matrix.Added:            {"New in the inventory", "has new images", "have new images"},
}

// headline returns what happened: one sentence, and a second one if an older refmatrix
// measured before.
func headline(d matrix.Diff, m medium) markup {
	s := changesSentence(d, m)
	if d.Reworded > 0 {
		s += m.sprintf(" In words alone: %s, measured by refmatrix %s before.", matrix.Quantity(d.Reworded, "image"), d.MeasuredBy)
	}
	return s
}

// changesSentence names registries while they are few.
func changesSentence(d matrix.Diff, m medium) markup {
	since := d.Before.UTC().Format(time.DateOnly)
	if d.Empty() {
		return m.sprintf("Nothing changed since %s.", since)
	}
	var parts []markup
	for _, kind := range matrix.ChangeKinds {
		names, text := registriesOf(d, kind), changeText[kind]
		switch last := len(names) - 1; {
		case len(names) == 0:
		case len(names) == 1:
			parts = append(parts, m.sprintf("%s %s", nameText(names[0]), text.one))
		case len(names) <= 3:
			parts = append(parts, m.sprintf("%s and %s %s", m.names(names[:last]), nameText(names[last]), text.many))
		default:
			parts = append(parts, m.sprintf("%d registries %s", len(names), text.many))
		}
	}
	return m.sprintf("%s since %s: %s.", matrix.Quantity(len(d.Changes), "change"), since, join(parts, "; "))
}

// registriesOf returns the registries with a change of kind, each once.
func registriesOf(d matrix.Diff, kind matrix.ChangeKind) []string {
	var names []string
	seen := map[string]bool{}
	for _, c := range d.Changes {
		if c.Kind == kind && !seen[c.Registry] {
			seen[c.Registry] = true
			names = append(names, c.Registry)
		}
	}
	return names
}

// fieldText returns what differs: "strategy referrers-tag → referrers-api", or the links.
// What follows from the strategy is left out. Of a row that is not measured the reason
// and what it was count, and of one that is measured again what it is now.
func fieldText(c matrix.Change) string {
	switch c.Kind {
	case matrix.LinksLost:
		return lostText(c.Lost)
	case matrix.LinksNew:
		return newText(c.Links)
	}
	var parts []string
	if c.Kind == matrix.NotMeasured || c.Kind == matrix.StillNotMeasured && len(c.Fields) == 0 {
		parts = append(parts, "reason "+string(c.Reason))
	}
	strategy := false
	for _, f := range c.Fields {
		if f.Field != "strategy" && strategy && (f.Field == "referrers" || f.Field == "severity") {
			continue
		}
		strategy = strategy || f.Field == "strategy"
		switch {
		case c.Kind == matrix.NotMeasured && f.Field == "strategy":
			parts = append(parts, "it was "+f.Before)
		case c.Kind == matrix.Recovered && f.Field == "strategy" && c.Known != "":
			parts = append(parts, "it is "+f.After+", as before")
		case c.Kind == matrix.Recovered && f.Field == "strategy":
			parts = append(parts, "it is "+f.After)
		case c.Kind != matrix.NotMeasured && c.Kind != matrix.Recovered:
			parts = append(parts, fmt.Sprintf("%s %s → %s", f.Field, orDash(f.Before), orDash(f.After)))
		}
	}
	if c.Known != "" && c.Kind != matrix.Recovered {
		parts = append(parts, "not measured in between")
	}
	if c.UnmeasuredScans > 1 {
		parts = append(parts, matrix.Quantity(c.UnmeasuredScans, "scan")+" in a row without a verdict")
	}
	return strings.Join(parts, ", ")
}

// changeGroup is the changes of a kind that read the same, whatever image they
// are of.
type changeGroup struct {
	detail     string
	fields     string
	remedy     string // what to do first, "" if nothing is
	registries []string
	images     map[string][]string // by registry
}

// groupChanges returns the changes of a kind that read the same together, in
// their order.
func groupChanges(d matrix.Diff, kind matrix.ChangeKind) []*changeGroup {
	var out []*changeGroup
	index := map[[3]string]*changeGroup{}
	for _, c := range d.Changes {
		if c.Kind != kind {
			continue
		}
		one := changeGroup{
			detail: c.Detail,
			fields: fieldText(c),
			images: map[string][]string{},
		}
		if len(c.Remedy) > 0 && kind != matrix.Improvement && kind != matrix.Recovered {
			one.remedy = c.Remedy[0]
		}
		key := [3]string{withoutIDs(one.detail, ""), one.fields, one.remedy}
		group := index[key]
		if group == nil {
			group = &one
			index[key], out = group, append(out, group)
		}
		group.add(c.Registry, c.Image)
	}
	return out
}

func (g *changeGroup) add(registry, image string) {
	if g.images[registry] == nil {
		g.registries = append(g.registries, registry)
	}
	g.images[registry] = append(g.images[registry], image)
}

// maxChangedImages bounds the images that one line of a diff names.
const maxChangedImages = 20

// where returns the registries of g with their images. registryFormat is how
// the medium sets a registry off.
func (g *changeGroup) where(m medium, registryFormat string) markup {
	var parts []markup
	left := maxChangedImages
	for i, registry := range g.registries {
		if left <= 0 {
			parts = append(parts, m.sprintf("and %d more registries", len(g.registries)-i))
			break
		}
		images := g.images[registry]
		shown := images[:min(len(images), left)]
		left -= len(shown)
		part := m.sprintf(registryFormat+" %s", nameText(registry), m.names(shown))
		if rest := len(images) - len(shown); rest > 0 {
			part += m.sprintf(" and %d more", rest)
		}
		parts = append(parts, part)
	}
	return join(parts, "; ")
}

// kindLabel is kind as the first word of a line: "NOT MEASURED".
func kindLabel(kind matrix.ChangeKind) string {
	return strings.ToUpper(strings.ReplaceAll(string(kind), "-", " "))
}

// group writes a group of rows after a label.
func (l *lines) group(label string, group *changeGroup) {
	l.wrapped(l.medium.sprintf("%-12s ", label), group.where(l.medium, "%s"))
	for _, text := range []string{group.fields, group.detail} {
		if text != "" {
			l.wrapped("  ", text)
		}
	}
}
