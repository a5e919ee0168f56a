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
	Size     string // "12 registries, 104 images"
	Places   []pagePlace
	More     int // registries that are not named
	Further  []pageFurther
	Details  []string // what was seen, each answer once
	MoreSeen int      // answers that are not shown
}

// pagePlace is a registry of an action, as a list names it.
type pagePlace struct{ ID, Registry, Images string }

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
			Size:     a.size(),
			More:     max(0, len(a.places)-maxNamedRegistries),
			MoreSeen: max(0, len(a.answers)-maxPageAnswers),
		}
		for i := range a.places[:min(len(a.places), maxNamedRegistries)] {
			place := &a.places[i]
			// The page's template escapes, so the text is wanted unchanged.
			images := strings.TrimPrefix(string(place.name(unescaped)), place.registry)
			p.Places = append(p.Places, pagePlace{ids[place.registry], place.registry, images})
		}
		for _, f := range a.further {
			p.Further = append(p.Further, pageFurther{f.text, listedUpTo(maxFurtherNames, f.registries, verbatim)})
		}
		for _, seen := range a.answers[:min(len(a.answers), maxPageAnswers)] {
			p.Details = append(p.Details, seen.detail)
		}
		out = append(out, p)
	}
	return out
}

func verbatim(text string) string { return text }

// unescaped is for text that the template escapes.
var unescaped = medium{text: verbatim, name: verbatim}
