package report

import (
	"fmt"
	"io"
	"strings"

	"refmatrix/matrix"
)

// changeWords say what a kind of change means, for a heading, and in a sentence
// of one registry and of several.
var changeWords = map[matrix.ChangeKind]struct{ heading, one, many string }{
	matrix.Regression:       {"Lost the referrers API", "lost the referrers API", "lost the referrers API"},
	matrix.Unreachable:      {"Could not be measured any more", "could not be measured", "could not be measured"},
	matrix.Removed:          {"Gone from the inventory", "is gone", "are gone"},
	matrix.Improvement:      {"Now has the referrers API", "now has the referrers API", "now have the referrers API"},
	matrix.Recovered:        {"Measured again", "is measured again", "are measured again"},
	matrix.Changed:          {"Changed otherwise", "changed", "changed"},
	matrix.StillUnreachable: {"Still not measured, for another reason", "is still not measured", "are still not measured"},
	matrix.Added:            {"New in the inventory", "is new", "are new"},
}

// headline says in one sentence what happened, naming registries while they
// are few.
func headline(d matrix.Diff) string {
	since := d.Before.UTC().Format("2006-01-02")
	if d.Empty() {
		return "Nothing changed since " + since + "."
	}
	var parts []string
	for _, kind := range matrix.ChangeKinds {
		names, words := registriesOf(d, kind), changeWords[kind]
		switch {
		case len(names) == 0:
		case len(names) == 1:
			parts = append(parts, names[0]+" "+words.one)
		case len(names) <= 3:
			last := len(names) - 1
			parts = append(parts, strings.Join(names[:last], ", ")+" and "+names[last]+" "+words.many)
		default:
			parts = append(parts, fmt.Sprintf("%d registries %s", len(names), words.many))
		}
	}
	noun := "changes"
	if len(d.Changes) == 1 {
		noun = "change"
	}
	return fmt.Sprintf("%d %s since %s: %s.", len(d.Changes), noun, since, strings.Join(parts, "; "))
}

// registriesOf names the registries with a change of kind, each once.
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

// fieldWords words what differs: "strategy referrers-tag → referrers-api". What
// follows from the strategy is left out. Of a registry that could not be
// measured only what it was counts, and of one that is measured again what it
// is now.
func fieldWords(c matrix.Change) string {
	var words []string
	strategy := false
	for _, f := range c.Fields {
		if f.Field != "strategy" && strategy && (f.Field == "referrers" || f.Field == "severity") {
			continue
		}
		strategy = strategy || f.Field == "strategy"
		switch {
		case c.Kind == matrix.Unreachable && f.Field == "strategy":
			words = append(words, "it was "+f.Before)
		case c.Kind == matrix.Recovered && f.Field == "strategy" && c.Known != "":
			words = append(words, "it is "+f.After+", as before")
		case c.Kind == matrix.Recovered && f.Field == "strategy":
			words = append(words, "it is "+f.After)
		case c.Kind != matrix.Unreachable && c.Kind != matrix.Recovered:
			words = append(words, fmt.Sprintf("%s %s → %s", f.Field, orDash(f.Before), orDash(f.After)))
		}
	}
	if c.Known != "" && c.Kind != matrix.Recovered {
		words = append(words, "not measured in between")
	}
	return strings.Join(words, ", ")
}

// likeChanges is a set of changes that read the same but for their places.
type likeChanges struct {
	kind           matrix.ChangeKind
	detail, fields string
	remedy         string // what to do first, "" where nothing is
	registries     []string
	images         map[string][]string // by registry
}

// together gathers the changes of a kind that read the same, in their order.
func together(d matrix.Diff, kind matrix.ChangeKind) []*likeChanges {
	var out []*likeChanges
	index := map[[3]string]*likeChanges{}
	for _, c := range d.Changes {
		if c.Kind != kind {
			continue
		}
		one := likeChanges{kind: kind, detail: c.Detail, fields: fieldWords(c)}
		if len(c.Remedy) > 0 && kind != matrix.Improvement && kind != matrix.Recovered {
			one.remedy = c.Remedy[0]
		}
		at := [3]string{one.detail, one.fields, one.remedy}
		group := index[at]
		if group == nil {
			group = &one
			group.images = map[string][]string{}
			index[at], out = group, append(out, group)
		}
		if group.images[c.Registry] == nil {
			group.registries = append(group.registries, c.Registry)
		}
		group.images[c.Registry] = append(group.images[c.Registry], c.Image)
	}
	return out
}

// diffPlaces bounds the images and registries that one line names.
const diffPlaces = 20

// places words where: each registry by name, with its images, each by image.
func (l *likeChanges) places(name, image func(string) string) string {
	var words []string
	left := diffPlaces
	for i, registry := range l.registries {
		if left <= 0 {
			words = append(words, fmt.Sprintf("and %d more registries", len(l.registries)-i))
			break
		}
		images := l.images[registry]
		shown := images[:min(len(images), left)]
		left -= len(shown)
		word := name(registry)
		separator := " "
		for _, one := range shown {
			word += separator + image(one)
			separator = ", "
		}
		if rest := len(images) - len(shown); rest > 0 {
			word += fmt.Sprintf(" and %d more", rest)
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

// diffMarkdown renders what changed for a weekly post.
func diffMarkdown(w io.Writer, d matrix.Diff, _ Options) error {
	p := &lines{w: w}
	p.line("## Referrers: what changed\n")
	p.line("%s", markdownText(headline(d)))
	for _, kind := range matrix.ChangeKinds {
		groups := together(d, kind)
		if len(groups) == 0 {
			continue
		}
		p.line("\n### %s\n", changeWords[kind].heading)
		for i, g := range groups {
			line := "- " + g.places(func(s string) string { return "**" + markdownText(s) + "**" }, markdownText)
			if g.detail != "" {
				line += ": " + markdownText(g.detail)
			}
			if g.fields != "" {
				line += " (" + markdownText(g.fields) + ")"
			}
			p.line("%s", line)
			// A remedy is written once, below the last of those it is for.
			if g.remedy != "" && (i == len(groups)-1 || groups[i+1].remedy != g.remedy) {
				p.line("  - %s", markdownText(g.remedy))
			}
		}
	}
	return p.err
}

// diffText renders what changed for a terminal.
func diffText(w io.Writer, d matrix.Diff, o Options) error {
	p := &lines{w: w, width: o.Width}
	p.text("", clean(headline(d)))
	for _, kind := range matrix.ChangeKinds {
		for _, g := range together(d, kind) {
			p.line("")
			p.text(fmt.Sprintf("%-11s ", strings.ToUpper(string(kind))), g.places(clean, clean))
			for _, words := range []string{g.fields, g.detail} {
				if words != "" {
					p.text("  ", clean(words))
				}
			}
		}
	}
	return p.err
}
