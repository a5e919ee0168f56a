package report

import (
	"slices"

	"refmatrix/matrix"
)

// action is one thing to do, and the rows that do not pass, or are unexpected, until it is done. Reports group by it
// and not by reason, because one remedy often serves several reasons, and one reason needs
// other remedies at another product.
type action struct {
	severity matrix.Severity
	remedy   string // what to do first; "" if nothing is known
	further  []furtherRemedy
	reasons  []matrix.Reason // each once
	answers  []answer
	places   []place
	rows     int
}

// furtherRemedy is what to do besides, or after the first remedy did not help.
type furtherRemedy struct {
	text       string
	registries []string // nil = at all registries of the action
}

// answer is the rows of an action that read the same, but for addresses and ids.
type answer struct {
	detail string
	rows   []*matrix.Row
}

// place is the rows of one registry that need the same.
type place struct {
	registry string
	rows     []*matrix.Row
	all      int // rows that the registry has
}

// actionsOf returns what there is to do, the most severe first, and of equal severity what most
// registries need.
func actionsOf(rows []matrix.Row) []action {
	all := countRows(rows)
	var failing []*matrix.Row
	for i := range rows {
		if rows[i].Severity != matrix.Pass || rows[i].Unexpected {
			failing = append(failing, &rows[i])
		}
	}
	var out []action
	for _, same := range groupBy(failing, func(r *matrix.Row) string {
		return string(r.Severity) + "\x00" + firstRemedy(r)
	}) {
		out = append(out, newAction(same, all))
	}
	slices.SortStableFunc(out, func(a, b action) int {
		if by := slices.Index(matrix.Severities, a.severity) - slices.Index(matrix.Severities, b.severity); by != 0 {
			return by
		}
		return len(b.places) - len(a.places)
	})
	return out
}

// countRows counts the rows of each registry.
func countRows(rows []matrix.Row) map[string]int {
	all := map[string]int{}
	for i := range rows {
		all[rows[i].Registry]++
	}
	return all
}

// firstRemedy returns what to do first about a row. One that passes is there because it is
// unexpected, and its remedies are not about that.
func firstRemedy(r *matrix.Row) string {
	switch {
	case r.Severity == matrix.Pass:
		return r.ExpectationAction()
	case len(r.Remedy) == 0:
		return ""
	}
	return r.Remedy[0]
}

// newAction returns the action of rows that need the same. all counts the rows of each registry.
func newAction(rows []*matrix.Row, all map[string]int) action {
	a := action{
		severity: rows[0].Severity,
		remedy:   firstRemedy(rows[0]),
		rows:     len(rows),
	}
	for _, r := range rows {
		if !slices.Contains(a.reasons, r.Reason) {
			a.reasons = append(a.reasons, r.Reason)
		}
	}
	for _, same := range groupBy(rows, func(r *matrix.Row) string { return withoutIDs(r.Detail, r.URL) }) {
		a.answers = append(a.answers, answer{same[0].Detail, same})
	}
	a.places = placesOf(rows, all)
	a.further = furtherRemedies(rows, len(a.places))
	return a
}

// placesOf parts rows by registry. all counts the rows of each registry.
func placesOf(rows []*matrix.Row, all map[string]int) (out []place) {
	for _, same := range groupBy(rows, func(r *matrix.Row) string { return r.Registry }) {
		out = append(out, place{same[0].Registry, same, all[same[0].Registry]})
	}
	return out
}

// furtherRemedies returns all remedies of rows but the first, each once, with the registries
// that they are for.
func furtherRemedies(rows []*matrix.Row, registries int) []furtherRemedy {
	return namedTexts(rows, registries, func(r *matrix.Row) []string {
		if r.Severity == matrix.Pass {
			return nil
		}
		return r.Remedy[min(1, len(r.Remedy)):]
	})
}

// namedTexts returns the texts of rows, each once, with the registries that they are for.
// registries is how many the rows have.
func namedTexts(rows []*matrix.Row, registries int, texts func(*matrix.Row) []string) []furtherRemedy {
	var out []furtherRemedy
	index := map[string]int{}
	seen := map[[2]string]bool{}
	for _, r := range rows {
		for _, text := range texts(r) {
			at, ok := index[text]
			if !ok {
				at = len(out)
				index[text] = at
				out = append(out, furtherRemedy{text: text})
			}
			if key := [2]string{text, r.Registry}; !seen[key] {
				seen[key] = true
				out[at].registries = append(out[at].registries, r.Registry)
			}
		}
	}
	for i := range out {
		if len(out[i].registries) == registries {
			out[i].registries = nil
		}
	}
	return out
}

// maxNamedRegistries bounds the registries that an action names, and maxNamedImages the images
// of one of them.
const (
	maxNamedRegistries = 50
	maxNamedImages     = 2
)

// name is the place as a list names it, its images in brackets: "harbor (3 of 10)". Images are
// named while they are few, unless they are all of several.
func (p *place) name(m medium) markup {
	registry := m.escape(nameText(p.registry))
	switch {
	case len(p.rows) == p.all && p.all > 1:
		return registry + m.sprintf(" (all %d)", p.all)
	case len(p.rows) > maxNamedImages:
		return registry + m.sprintf(" (%d of %d)", len(p.rows), p.all)
	}
	var images []string
	for _, r := range p.rows {
		images = append(images, r.Image)
	}
	return registry + m.sprintf(" (%s)", m.names(images))
}

// names lists the places of a, limit of them at most.
func (a *action) names(m medium, limit int) []markup { return placeNames(m, a.places, limit) }

// placeNames lists places, limit of them at most.
func placeNames(m medium, places []place, limit int) []markup {
	var out []markup
	for i := range places {
		if i == limit {
			return append(out, m.sprintf("and %d more", len(places)-limit))
		}
		out = append(out, places[i].name(m))
	}
	return out
}

// size says how much needs a: "12 registries, 104 images".
func (a *action) size() string { return placesSize(a.places, a.rows) }

// placesSize says how much places are: "12 registries, 104 images".
func placesSize(places []place, rows int) string {
	return matrix.Quantity(len(places), "registry") + ", " + matrix.Quantity(rows, "image")
}

// groupBy parts rows into those with the same key, in the order they come.
func groupBy(rows []*matrix.Row, key func(*matrix.Row) string) [][]*matrix.Row {
	var out [][]*matrix.Row
	index := map[string]int{}
	for _, r := range rows {
		at, ok := index[key(r)]
		if !ok {
			at = len(out)
			index[key(r)] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], r)
	}
	return out
}
