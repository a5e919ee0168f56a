package report

import "refmatrix/matrix"

// findingGroup is a finding with the places that have it.
type findingGroup struct {
	text   string
	places []place
}

// findingGroups returns what was found beside the verdicts, each text once.
func findingGroups(rows []matrix.Row) []findingGroup {
	var order []string
	found := map[string][]*matrix.Row{}
	for i := range rows {
		for _, f := range rows[i].Findings {
			if found[f.Text] == nil {
				order = append(order, f.Text)
			}
			found[f.Text] = append(found[f.Text], &rows[i])
		}
	}
	all := countRows(rows)
	var out []findingGroup
	for _, text := range order {
		out = append(out, findingGroup{text, placesOf(found[text], all)})
	}
	return out
}

// maxFindingPlaces bounds the registries that a finding names.
const maxFindingPlaces = 20

// findingSection lists findings with the registries that have them. It may take a quarter of
// what the report has left for it and for the matrix.
func findingSection(m *matrix.Matrix) markdownSection {
	s := markdownSection{
		head:  "\n## Findings\n\n",
		noun:  "finding",
		files: inJSON,
		share: 4,
	}
	for _, f := range findingGroups(m.Rows) {
		s.items = append(s.items, written(func(p *lines) {
			p.line("- %s At %s.", f.text, join(placeNames(p.medium, f.places, maxFindingPlaces), ", "))
		}))
	}
	return s
}
