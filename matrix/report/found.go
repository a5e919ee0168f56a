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
		p.group(group.label, &group.changeGroup)
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

// foundGroup is the rows that did not pass the same gates and read the same.
type foundGroup struct {
	label string
	changeGroup
}

func groupFound(rows []matrix.FoundRow) []*foundGroup {
	var out []*foundGroup
	index := map[[3]string]*foundGroup{}
	for _, r := range rows {
		one := foundGroup{
			label: strings.ToUpper(strings.Join(r.Labels, ", ")),
			changeGroup: changeGroup{
				fields: strings.Join(append([]string{shortVerdict(r.Row)}, linkGaps(&r)...), "; "),
				detail: r.Detail,
				images: map[string][]string{},
			},
		}
		key := [3]string{one.label, one.fields, one.detail}
		group := index[key]
		if group == nil {
			group = &one
			index[key], out = group, append(out, group)
		}
		group.add(r.Registry, r.Image)
	}
	return out
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
