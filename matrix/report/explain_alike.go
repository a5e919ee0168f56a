package report

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// maxSameImages bounds the images that are named below the one that is shown.
const maxSameImages = 20

// alikeRows are rows that read the same. The first one is shown.
type alikeRows struct {
	rows    []Explanation
	answers map[string]bool // those of the first row
}

// readAlike parts the rows of one registry into those that read the same, in the order they
// come. Of such rows the first one is shown in full, and nothing of the others is lost but
// ids, digests, addresses and times: explainRow writes the same of them, and each of their
// exchanges was answered as one that is shown.
func readAlike(explained []Explanation) [][]Explanation {
	var all []*alikeRows
	byText := map[string][]*alikeRows{}
	for _, e := range explained {
		text, answers := textOf(e.Row), answersOf(e.Row)
		shown := byText[text]
		at := slices.IndexFunc(shown, func(a *alikeRows) bool { return e.Row.Omitted == nil && covers(a.answers, answers) })
		if at >= 0 {
			shown[at].rows = append(shown[at].rows, e)
			continue
		}
		another := &alikeRows{[]Explanation{e}, answers}
		byText[text] = append(shown, another)
		all = append(all, another)
	}
	out := make([][]Explanation, len(all))
	for i, a := range all {
		out[i] = a.rows
	}
	return out
}

// textOf returns what is shown of a row beside its exchanges, as it is compared with others.
// That an answer was not requested again, because another image of the repository has it, is
// not compared: the first image of a repository differs so from all others.
func textOf(row *matrix.Row) string {
	compared := *row
	if row.Capabilities != nil {
		capabilities := *row.Capabilities
		capabilities.FromRepository = nil
		compared.Capabilities = &capabilities
	}
	var out strings.Builder
	explainRow(&lines{w: &out, medium: terminal}, &compared, Options{}) // a Builder returns no error
	return withoutIDs(out.String(), row.URL)
}

// answersOf returns how the exchanges of a row were answered. Which addresses they went to
// differs from image to image, and so does what bodies say of it: a refusal's own words are
// part of the verdict.
func answersOf(row *matrix.Row) map[string]bool {
	out := map[string]bool{}
	for i := range row.Exchanges {
		x := &row.Exchanges[i]
		answer := fmt.Sprintf("%s %s %d %q %q", x.Step, x.Method, x.Status, x.ContentType, x.Error)
		out[withoutIDs(answer, row.URL)] = true
	}
	return out
}

// covers reports whether every answer of other is one of shown.
func covers(shown, other map[string]bool) bool {
	for answer := range other {
		if !shown[answer] {
			return false
		}
	}
	return true
}

// explainOthers names the images of rows that read like the one above.
func explainOthers(p *lines, others []Explanation) {
	if len(others) == 0 {
		return
	}
	section(p, "The same for")
	var names []markup
	for _, e := range others[:min(len(others), maxSameImages)] {
		names = append(names, p.medium.escape(nameText(e.Row.Image)))
	}
	if more := len(others) - len(names); more > 0 {
		names = append(names, p.medium.sprintf("and %d more", more))
	}
	p.items("  ", names)
	p.wrapped("  ", "They differ in digests, ids, addresses and times alone. "+
		"To see one of them: refmatrix explain NAME/IMAGE")
}
