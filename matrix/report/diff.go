package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"refmatrix/matrix"
)

// changeWords say what a kind of change means, for a heading and in a
// sentence.
var changeWords = map[matrix.ChangeKind]struct{ heading, sentence string }{
	matrix.Regression:  {"Lost the referrers API", "lost the referrers API"},
	matrix.Unreachable: {"Could not be measured any more", "could not be measured"},
	matrix.Removed:     {"Gone from the inventory", "is gone"},
	matrix.Improvement: {"Now has the referrers API", "now has the referrers API"},
	matrix.Recovered:   {"Measured again", "is measured again"},
	matrix.Changed:     {"Changed otherwise", "changed"},
	matrix.Added:       {"New in the inventory", "is new"},
}

// RenderDiff writes what changed as table (text for a terminal), markdown (for
// a weekly post) or json.
func RenderDiff(w io.Writer, d matrix.Diff, format string, o Options) error {
	switch format {
	case "json":
		return indented(w, d)
	case "markdown":
		return diffMarkdown(w, d)
	case "table":
		return diffText(w, d, o)
	}
	return fmt.Errorf("unknown format %q: choose table, markdown or json", format)
}

// indented writes v as JSON for people and programs.
func indented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
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
		names := registriesOf(d, kind)
		switch {
		case len(names) == 0:
		case len(names) <= 3:
			verb := changeWords[kind].sentence
			if len(names) > 1 {
				verb = strings.NewReplacer("has ", "have ", "is ", "are ").Replace(verb)
			}
			parts = append(parts, strings.Join(names, " and ")+" "+verb)
		default:
			parts = append(parts, fmt.Sprintf("%d registries: %s", len(names), changeWords[kind].sentence))
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
// follows from the strategy is left out, and of a registry that could not be
// measured only what it was counts.
func fieldWords(c matrix.Change) string {
	var words []string
	strategy := false
	for _, f := range c.Fields {
		if f.Field != "strategy" && strategy && (f.Field == "referrers" || f.Field == "severity") {
			continue
		}
		strategy = strategy || f.Field == "strategy"
		switch {
		case c.Kind != matrix.Unreachable:
			words = append(words, fmt.Sprintf("%s %s → %s", f.Field, orDash(f.Before), orDash(f.After)))
		case f.Field == "strategy":
			words = append(words, "it was "+f.Before)
		}
	}
	return strings.Join(words, ", ")
}

func diffMarkdown(w io.Writer, d matrix.Diff) error {
	p := &lines{w: w}
	p.line("## Referrers: what changed\n")
	p.line("%s", markdownText(headline(d)))
	for _, kind := range matrix.ChangeKinds {
		if d.Count(kind) == 0 {
			continue
		}
		p.line("\n### %s\n", changeWords[kind].heading)
		for _, c := range d.Changes {
			if c.Kind != kind {
				continue
			}
			line := fmt.Sprintf("- **%s** %s", markdownText(c.Registry), markdownText(c.Image))
			if c.Detail != "" {
				line += ": " + markdownText(c.Detail)
			}
			if words := fieldWords(c); words != "" {
				line += " (" + markdownText(words) + ")"
			}
			p.line("%s", line)
			if len(c.Remedy) > 0 && kind != matrix.Improvement && kind != matrix.Recovered {
				p.line("  - %s", markdownText(c.Remedy[0]))
			}
		}
	}
	return p.err
}

func diffText(w io.Writer, d matrix.Diff, o Options) error {
	p := &lines{w: w, width: o.Width}
	p.text("", clean(headline(d)))
	for _, c := range d.Changes {
		p.line("\n%-11s %s %s", strings.ToUpper(string(c.Kind)), clean(c.Registry), clean(c.Image))
		if words := fieldWords(c); words != "" {
			p.text("  ", clean(words))
		}
		if c.Detail != "" {
			p.text("  ", clean(c.Detail))
		}
	}
	return p.err
}
