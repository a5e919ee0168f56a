package report

import (
	"io"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Found writes what the gates of --fail-on found, for a terminal or a mail: the rows,
// those that read the same together, and then what changed. It writes nothing if every
// gate was passed.
func Found(w io.Writer, found matrix.Found, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	for _, group := range groupFound(found.Rows) {
		p.wrapped(p.medium.sprintf("%-12s ", group.label), foundPlaces(p.medium, &group.places))
		for _, text := range []string{group.fields, group.detail} {
			if text != "" {
				p.wrapped("  ", text)
			}
		}
	}
	if found.Change == nil {
		return p.err
	}
	if len(found.Rows) > 0 {
		p.line("")
	}
	if p.err != nil {
		return p.err
	}
	text, _ := Diffs.Find("text")
	return text.Render(w, *found.Change, o)
}

// foundGroup is the rows that did not pass the same gates and read the same, but for addresses
// and ids.
type foundGroup struct {
	label  string
	fields string
	detail string // of the first row
	places changePlaces
}

func groupFound(rows []matrix.FoundRow) []*foundGroup {
	var out []*foundGroup
	index := map[[3]string]*foundGroup{}
	for _, r := range rows {
		one := foundGroup{
			label:  strings.ToUpper(strings.Join(r.Labels, ", ")),
			fields: strings.Join(append([]string{shortVerdict(r.Row)}, linkGaps(&r)...), "; "),
			detail: r.Detail,
		}
		key := [3]string{one.label, one.fields, withoutIDs(one.detail, r.URL)}
		group := index[key]
		if group == nil {
			group = &one
			index[key], out = group, append(out, group)
		}
		group.places.add(r.Registry, r.Image)
	}
	return out
}

// maxFoundImages bounds the images that are named of one group.
const maxFoundImages = 20

// foundPlaces names every image of a group while these are few, and else its registries.
func foundPlaces(m medium, places *changePlaces) markup {
	if places.total > maxFoundImages {
		return places.names(m, "%s", nil, maxNamedRegistries)
	}
	var parts []markup
	for _, registry := range places.registries {
		parts = append(parts, m.sprintf("%s %s", nameText(registry), m.names(places.images[registry])))
	}
	return join(parts, "; ")
}

// linkGaps says what r lacks and what it lost, as far as a gate found it.
func linkGaps(r *matrix.FoundRow) (out []string) {
	if slices.Contains(r.Labels, string(matrix.GateMissing)) {
		out = append(out, "missing "+missingText(r.Row))
	}
	if slices.Contains(r.Labels, string(matrix.GateLost)) {
		out = append(out, "lost "+lostText(r.Lost))
	}
	return out
}

// shortVerdict is the verdict on r in short: "not measured, reason connect".
func shortVerdict(r *matrix.Row) string {
	text := "not measured"
	if r.Measured() {
		text = string(r.Strategy)
	}
	text += ", reason " + string(r.Reason)
	if r.Unexpected {
		text += ", expected " + r.Expect
	}
	return text
}
