package report

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// attachCommand is a command for a shell after a word that says whether it is one of several:
// do, or, then.
type attachCommand struct{ Word, Command string }

// commandsFor returns the commands that attach kind to r, nil if no command can name it.
func commandsFor(r *matrix.Row, kind matrix.LinkKind) []attachCommand {
	var out []attachCommand
	for i, step := range verdict.HowToAttach(r, kind) {
		for j, command := range step {
			word := "do"
			switch {
			case j > 0:
				word = "or"
			case i > 0:
				word = "then"
			}
			out = append(out, attachCommand{word, command})
		}
	}
	return out
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

// lossNote stands in every section on lost links.
const lossNote = "An earlier scan found these links. They are gone, although the digest of the image is the same."

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
			g := attachGroup{
				kind:     kind,
				rows:     same,
				places:   placesOf(same, all),
				commands: commandsFor(same[0], kind),
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
