package report

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// gap is the images of one registry that lack one kind, and how to attach it.
type gap struct {
	kind     matrix.LinkKind
	registry string
	rows     []*matrix.Row
	example  *matrix.Row // the one that the commands name; nil if commands is empty
	commands []attachCommand
	notes    []string
}

// attachCommand is a command for a shell after a word that says whether it is one of several:
// do, or, then.
type attachCommand struct{ Word, Command string }

// newGaps returns the worklist. The images of a group need the same commands, so these are
// written once, for the first image that they can name.
func newGaps(groups []matrix.MissingGroup) []gap {
	var out []gap
	for _, group := range groups {
		g := gap{
			kind:     group.Kind,
			registry: group.Registry,
			rows:     group.Rows,
		}
		counts := map[string]int{}
		for _, r := range group.Rows {
			if g.example == nil {
				g.setExample(r)
			}
			for _, note := range verdict.AttachNotes(r, group.Kind) {
				if counts[note] == 0 {
					g.notes = append(g.notes, note)
				}
				counts[note]++
			}
		}
		for i, note := range g.notes {
			if n := counts[note]; n < len(g.rows) {
				g.notes[i] = fmt.Sprintf("%s (%d of %d images)", note, n, len(g.rows))
			}
		}
		out = append(out, g)
	}
	return out
}

// setExample has the commands name r, if any can.
func (g *gap) setExample(r *matrix.Row) {
	steps := verdict.HowToAttach(r, g.kind)
	if steps == nil {
		return
	}
	g.example = r
	for i, step := range steps {
		for j, command := range step {
			word := "do"
			switch {
			case j > 0:
				word = "or"
			case i > 0:
				word = "then"
			}
			g.commands = append(g.commands, attachCommand{word, command})
		}
	}
}

// attachTexts says for each kind that r lacks how to attach it, in a line.
func attachTexts(r *matrix.Row) (out []string) {
	for _, kind := range r.Missing() {
		var commands []string
		for _, step := range verdict.HowToAttach(r, kind) {
			commands = append(commands, step[0])
		}
		if commands != nil {
			out = append(out, fmt.Sprintf("To attach %s: `%s`", kind, strings.Join(commands, " && ")))
		}
	}
	return out
}

// maxNamedPlatforms bounds the platforms that the worklist names of one image: more than nearly
// every image has.
const maxNamedPlatforms = 16

// lackingText names the platforms of r that lack kind: "on linux/arm64". It is "" if the
// whole image lacks it.
func lackingText(r *matrix.Row, kind matrix.LinkKind) string {
	lacking := r.Lacking[kind]
	if len(lacking) == 0 {
		return ""
	}
	return "on " + listedUpTo(maxNamedPlatforms, lacking, func(platform string) string { return platform })
}

// images lists the images of g, at most limit of them.
func (g *gap) images(m medium, limit int) (out []markup) {
	for _, r := range g.rows[:min(len(g.rows), limit)] {
		image := m.escape(nameText(r.Image))
		if lacking := lackingText(r, g.kind); lacking != "" {
			image += m.sprintf(" (%s)", lacking)
		}
		out = append(out, image)
	}
	return out
}

// lossNote stands in every section on lost links.
const lossNote = "An earlier scan found these links. They are gone, although the digest of the image is the same."

// loss is the lost links of one registry's images, and what to do.
type loss struct {
	registry string
	rows     []*matrix.Row
	links    int               // of all rows
	remedy   []verdict.Restore // for the first image
}

// newLosses returns what was lost by registry, in the matrix's order.
func newLosses(m *matrix.Matrix) []loss {
	var lost []*matrix.Row
	for i := range m.Rows {
		if len(m.Rows[i].Lost) > 0 {
			lost = append(lost, &m.Rows[i])
		}
	}
	var out []loss
	for _, rows := range groupBy(lost, func(r *matrix.Row) string { return r.Registry }) {
		l := loss{registry: rows[0].Registry, rows: rows}
		for _, r := range rows {
			l.links += len(r.Lost)
		}
		l.remedy = lossRemedy(rows)
		out = append(out, l)
	}
	return out
}

// lossRemedy returns what to do about the first loss that was not replaced, and else what keeps
// the next one from happening.
func lossRemedy(rows []*matrix.Row) []verdict.Restore {
	stays := func(l matrix.Lost) bool { return !l.Replaced }
	for _, r := range rows {
		if at := slices.IndexFunc(r.Lost, stays); at >= 0 {
			return verdict.HowToRestore(r, r.Lost[at])
		}
	}
	return verdict.HowToRestore(rows[0], rows[0].Lost[0])
}

// attachGroup is the images of all registries that lack one kind and need the same commands but
// for their names.
type attachGroup struct {
	kind     matrix.LinkKind
	rows     []*matrix.Row
	places   []place
	commands []attachCommand // for the first of rows; nil if no command can name it
	notes    []furtherRemedy
}

// partial returns the images that have the kind on some of their platforms.
func (g *attachGroup) partial() (out []*matrix.Row) {
	for _, r := range g.rows {
		if len(r.Lacking[g.kind]) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// newAttachGroups returns the worklist of rows, by kind and in the matrix's order.
func newAttachGroups(rows []matrix.Row) (out []attachGroup) {
	all := countRows(rows)
	for _, kind := range matrix.LinkKinds {
		var missing []*matrix.Row
		for i := range rows {
			if slices.Contains(rows[i].Missing(), kind) {
				missing = append(missing, &rows[i])
			}
		}
		for _, same := range groupBy(missing, func(r *matrix.Row) string { return verdict.AttachPattern(r, kind) }) {
			example := gap{kind: kind}
			example.setExample(same[0])
			g := attachGroup{
				kind:     kind,
				rows:     same,
				places:   placesOf(same, all),
				commands: example.commands,
			}
			notes := func(r *matrix.Row) []string { return verdict.AttachNotes(r, kind) }
			g.notes = namedTexts(same, len(g.places), notes)
			out = append(out, g)
		}
	}
	return out
}

// lossGroup is the images of all registries that lost links and need the same to be done.
type lossGroup struct {
	rows   []*matrix.Row
	places []place
	links  int               // of all rows
	remedy []verdict.Restore // for the first of rows
}

// newLossGroups returns what was lost, in the matrix's order.
func newLossGroups(rows []matrix.Row) (out []lossGroup) {
	var lost []*matrix.Row
	for i := range rows {
		if len(rows[i].Lost) > 0 {
			lost = append(lost, &rows[i])
		}
	}
	all := countRows(rows)
	for _, same := range groupBy(lost, func(r *matrix.Row) string { return verdict.RestorePattern(r, firstLoss(r)) }) {
		g := lossGroup{
			rows:   same,
			places: placesOf(same, all),
			remedy: verdict.HowToRestore(same[0], firstLoss(same[0])),
		}
		for _, r := range same {
			g.links += len(r.Lost)
		}
		out = append(out, g)
	}
	return out
}

// firstLoss returns the first loss of r that was not replaced, and else the first one.
func firstLoss(r *matrix.Row) matrix.Lost {
	at := slices.IndexFunc(r.Lost, func(l matrix.Lost) bool { return !l.Replaced })
	return r.Lost[max(0, at)]
}
