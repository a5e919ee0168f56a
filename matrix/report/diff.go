package report

import (
	"fmt"
	"slices"
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

// maxHeadlineNames is how many registries of one kind of change a headline names.
const maxHeadlineNames = 3

// headline returns what happened: one sentence, and a second one if an older refmatrix
// measured before. It names up to limit registries of each kind of change.
func headline(d matrix.Diff, m medium, limit int) markup {
	s := changesSentence(d, m, limit)
	if d.Reworded > 0 {
		s += m.sprintf(" In words alone: %s, measured by refmatrix %s before.", matrix.Quantity(d.Reworded, "image"), short(d.MeasuredBy))
	}
	return s
}

// wholeText is what a kind of change means if it is of all images of one registry and of
// several. Other kinds read the same as in changeText.
var wholeText = map[matrix.ChangeKind]struct{ one, many markup }{
	matrix.Removed: {"is gone", "are gone"},
	matrix.Added:   {"is new", "are new"},
}

// changesSentence names registries while they are few.
func changesSentence(d matrix.Diff, m medium, limit int) markup {
	since := d.Before.UTC().Format(time.DateOnly)
	if d.Empty() {
		return m.sprintf("Nothing changed since %s.", since)
	}
	var parts []markup
	for _, kind := range matrix.ChangeKinds {
		parts = append(parts, kindClauses(d, m, kind, limit)...)
	}
	return m.sprintf("%s since %s: %s.", matrix.Quantity(d.Size(), "change"), since, join(parts, "; "))
}

// kindClauses says of which registries a kind of change is: those that are gone or new as a
// whole, and then the others.
func kindClauses(d matrix.Diff, m medium, kind matrix.ChangeKind, limit int) (out []markup) {
	some := registriesOf(d, kind)
	if text, ok := wholeText[kind]; ok {
		var whole []string
		isWhole := wholeRegistries(d, kind)
		some = slices.DeleteFunc(some, func(name string) bool {
			if isWhole[name] {
				whole = append(whole, name)
			}
			return isWhole[name]
		})
		if len(whole) > 0 {
			clause := registriesClause(m, whole, limit, text.one, text.many)
			out = append(out, clause+m.sprintf(" (%s)", matrix.Quantity(imagesOf(d, kind), "image")))
		}
	}
	if len(some) > 0 {
		out = append(out, registriesClause(m, some, limit, changeText[kind].one, changeText[kind].many))
	}
	return out
}

// registriesClause says something of registries, which it names if there are limit at the most.
func registriesClause(m medium, names []string, limit int, one, many markup) markup {
	last := len(names) - 1
	switch {
	case len(names) > limit && last > 0:
		return m.sprintf("%d registries %s", len(names), many)
	case len(names) > limit:
		return m.sprintf("1 registry %s", one)
	case last == 0:
		return m.sprintf("%s %s", nameText(names[0]), one)
	}
	return m.sprintf("%s and %s %s", m.names(names[:last]), nameText(names[last]), many)
}

// imagesOf returns how many images the registries have of which all have a change of kind.
func imagesOf(d matrix.Diff, kind matrix.ChangeKind) (n int) {
	for _, r := range d.Registries {
		if r.Kind == kind {
			n += r.Images
		}
	}
	return n
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

// kindLabel is kind as the first word of a line: "NOT MEASURED".
func kindLabel(kind matrix.ChangeKind) string {
	return strings.ToUpper(strings.ReplaceAll(string(kind), "-", " "))
}
