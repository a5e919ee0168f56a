package matrix

import (
	"fmt"
	"strings"
)

// Action returns what to do first about the row, "" if there is nothing to do. It is what
// Registry.Do is for a registry without other rows.
func (r *Row) Action() string { return firstAction([]*Row{r}) }

// ExpectationAction returns what to do about a row that is not as its inventory expects.
func (r *Row) ExpectationAction() string {
	return fmt.Sprintf("The inventory expects %s and %s was measured: correct expect, or find out what changed.",
		r.Expect, r.Strategy)
}

// firstAction returns what to do first about the rows of one registry, "" if there is nothing
// to do: the first remedy of the most severe rows, of several the one that most rows need.
// Of rows that pass it is what their inventory or an earlier scan misses.
func firstAction(rows []*Row) string {
	var worst []*Row // that have a remedy
	for _, r := range rows {
		if r.Severity == Pass || len(r.Remedy) == 0 {
			continue
		}
		if len(worst) > 0 && r.Severity != worst[0].Severity {
			if worst[0].Severity.AtLeast(r.Severity) {
				continue
			}
			worst = nil
		}
		worst = append(worst, r)
	}
	if worst == nil {
		return actionOfPassing(rows)
	}
	counts := map[string]int{}
	for _, r := range worst {
		counts[r.Remedy[0]]++
	}
	first := worst[0].Remedy[0]
	for _, r := range worst { // in the matrix's order, so that it is the same on every run
		if counts[r.Remedy[0]] > counts[first] {
			first = r.Remedy[0]
		}
	}
	return first
}

// actionOfPassing returns what to do at a registry all of whose rows pass.
func actionOfPassing(rows []*Row) string {
	lost := false
	missing := map[LinkKind]bool{}
	expected := ""
	for _, r := range rows {
		lost = lost || len(r.Lost) > 0
		for _, kind := range r.Missing() {
			missing[kind] = true
		}
		if r.Unexpected && expected == "" {
			expected = r.ExpectationAction()
		}
	}
	switch {
	case lost:
		return lossRemedy
	case len(missing) > 0:
		var kinds []string
		for _, kind := range LinkKinds {
			if missing[kind] {
				kinds = append(kinds, string(kind))
			}
		}
		return "Attach what is missing: " + strings.Join(kinds, ", ") + "."
	}
	return expected
}
