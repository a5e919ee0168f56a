package report

import (
	"strings"

	"refmatrix/matrix"
)

// pageAction is one thing to do, and where.
type pageAction struct {
	Severity matrix.Severity
	Remedy   string // "" if nothing is known
	Reasons  string // codes
	Places   pagePlaces
	Further  []pageFurther
	Details  []string // what was seen, each answer once
	MoreSeen int      // answers that are not shown
}

// pagePlaces is the registries that need the same.
type pagePlaces struct {
	Size  string // "12 registries, 104 images"
	Named []pagePlace
	More  int // registries that are not named
}

// pagePlace is a registry as a list names it.
type pagePlace struct{ ID, Registry, Images string }

// newPagePlaces returns what the page says of places with rows images. ids are those of the
// registries by their names.
func newPagePlaces(places []place, rows int, ids map[string]string) pagePlaces {
	out := pagePlaces{
		Size: placesSize(places, rows),
		More: max(0, len(places)-maxNamedRegistries),
	}
	for i := range places[:min(len(places), maxNamedRegistries)] {
		place := &places[i]
		// The page's template escapes, so the text is wanted unchanged.
		images := strings.TrimPrefix(string(place.name(unescaped)), place.registry)
		out.Named = append(out.Named, pagePlace{ids[place.registry], place.registry, images})
	}
	return out
}

// pageFurther is what to do besides, and at which registries if not at all of the action.
type pageFurther struct{ Text, At string }

// Bounds of what is shown at once: the other actions unfold, and the rows hold the rest.
const (
	maxActions      = 6
	maxPageAnswers  = 10
	maxFurtherNames = 10
)

// newPageActions returns what there is to do. ids are those of the registries by their names.
func newPageActions(rows []matrix.Row, ids map[string]string) []pageAction {
	var out []pageAction
	for _, a := range actionsOf(rows) {
		p := pageAction{
			Severity: a.severity,
			Remedy:   a.remedy,
			Reasons:  strings.Join(texts(a.reasons), ", "),
			Places:   newPagePlaces(a.places, a.rows, ids),
			Further:  newPageFurther(a.further),
			MoreSeen: max(0, len(a.answers)-maxPageAnswers),
		}
		for _, seen := range a.answers[:min(len(a.answers), maxPageAnswers)] {
			p.Details = append(p.Details, seen.detail)
		}
		out = append(out, p)
	}
	return out
}

func newPageFurther(all []furtherRemedy) []pageFurther {
	var out []pageFurther
	for _, f := range all {
		out = append(out, pageFurther{f.text, listedUpTo(maxFurtherNames, f.registries, verbatim)})
	}
	return out
}

func verbatim(text string) string { return text }

// unescaped is for text that the template escapes.
var unescaped = medium{text: verbatim, name: verbatim}
