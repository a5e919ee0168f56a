// Package migration predicts what happens to the signatures, SBOMs and attestations
// of images that move from one registry to another. It does no I/O and prints
// the commands of other tools: it copies nothing.
package migration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Verdict says what becomes of an image's links when it moves.
type Verdict string

// The verdicts, from the most severe.
const (
	LosesLinks       Verdict = "loses-links"        // every copy loses some
	CannotTell       Verdict = "cannot-tell"        // not measured far enough, or no client was run against it
	SafeWithCommands Verdict = "safe-with-commands" // a plain copy loses some, or may; the named command none
	Safe             Verdict = "safe"               // nothing is attached, any copy will do
)

// Verdicts lists every verdict in the order summaries name them.
var Verdicts = []Verdict{LosesLinks, CannotTell, SafeWithCommands, Safe}

// AssessmentSchema names the format of an assessment as JSON.
const AssessmentSchema = "refmatrix-assessment/v1"

// Assessment says what happens to the links of a source when its images move
// to a target.
type Assessment struct {
	Schema    string            `json:"schema"`
	Source    string            `json:"source"`
	Target    string            `json:"target"`
	Counts    map[Verdict]int   `json:"counts"`
	Platforms int               `json:"platforms_unasked,omitempty"` // images whose platforms' own links were not probed
	Images    []ImageAssessment `json:"images"`

	SourceNames []string `json:"-"` // the registries that Source names; nil if it says how many there are
}

// ImageAssessment is what happens to the links of one image.
type ImageAssessment struct {
	Registry string          `json:"registry"`
	Image    string          `json:"image"`
	Digest   string          `json:"digest,omitempty"`
	Verdict  Verdict         `json:"verdict"`
	Detail   string          `json:"detail"` // one sentence
	Links    Links           `json:"links"`
	Target   matrix.Strategy `json:"target_strategy"`
	Copies   []Copy          `json:"copies,omitempty"`
	Command  string          `json:"command,omitempty"` // that keeps every link, or loses the fewest
	Notes    []string        `json:"notes,omitempty"`   // what the verdict does not cover, a sentence each
}

// Assess compares the rows of source, image by image, with what target
// supports. Both have to come from a scan with every capability step. The
// error says why there is nothing to compare: no images, more than one
// registry to move to, or a registry that would move onto itself.
func Assess(source, target *matrix.Matrix) (Assessment, error) {
	a := Assessment{Schema: AssessmentSchema, Counts: map[Verdict]int{}}
	a.Source, a.SourceNames = named(source)
	a.Target, _ = named(target)
	if err := goTogether(source, target); err != nil {
		return a, err
	}
	push := pushOf(target)
	for i := range source.Rows {
		row := &source.Rows[i]
		image := assessImage(row, targetRow(target, row.Image), push)
		a.Counts[image.Verdict]++
		if slices.Contains(image.Notes, platformsNote) {
			a.Platforms++
		}
		a.Images = append(a.Images, image)
	}
	return a, nil
}

// goTogether returns an error if source and target cannot be compared.
func goTogether(source, target *matrix.Matrix) error {
	switch registries := matrix.Summarise(target.Rows).Registries; {
	case len(source.Rows) == 0:
		return errors.New("the source holds no images: scan it with --probe full")
	case registries == 0:
		return errors.New("the target holds no images, so nothing is known of it: scan it with --probe full")
	case registries > 1:
		text, _ := named(target)
		return fmt.Errorf("the target holds %d registries (%s): name the one to move to, as in matrix.json#NAME",
			registries, text)
	}
	for i := range source.Rows {
		if row, to := &source.Rows[i], &target.Rows[0]; row.URL == to.URL {
			return fmt.Errorf("source %s and target %s are both %s: name two registries", row.Registry, to.Registry, to.URL)
		}
	}
	return nil
}

// Safe reports whether a way was found to move every image without loss.
func (a Assessment) Safe() bool { return a.Counts[LosesLinks] == 0 && a.Counts[CannotTell] == 0 }

// named returns the registries of m as text, and their names unless they are too
// many: then the text is how many there are.
func named(m *matrix.Matrix) (text string, names []string) {
	for i := range m.Rows {
		if !slices.Contains(names, m.Rows[i].Registry) {
			names = append(names, m.Rows[i].Registry)
		}
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d registries", len(names)), nil
	}
	return strings.Join(names, ", "), names
}

// targetRow returns the row that shows what the target supports for image: that of
// the same image if it was measured, else any row if all that were measured agree.
// It returns nil if none was measured or if they differ, because support may
// depend on the repository.
func targetRow(target *matrix.Matrix, image string) *matrix.Row {
	var found *matrix.Row
	differ := false
	for i := range target.Rows {
		row := &target.Rows[i]
		switch {
		case row.Strategy == matrix.StrategyUnknown:
		case row.Image == image:
			return row
		case found == nil:
			found = row
		case !sameSupport(found, row):
			differ = true
		}
	}
	if differ {
		return nil
	}
	return found
}

// sameSupport reports whether two rows of the target say the same about it. Rows
// that pass may differ in their reason, which is about what is attached.
func sameSupport(a, b *matrix.Row) bool {
	sameReason := a.Reason == b.Reason || b.Severity == matrix.Pass
	return a.Strategy == b.Strategy && a.Severity == b.Severity && sameReason
}

// pushOf returns what the write probe found at the target, or nil if it did not
// run or learned nothing. It runs once for a registry, on whichever image came
// first.
func pushOf(target *matrix.Matrix) *matrix.Push {
	for i := range target.Rows {
		row := &target.Rows[i]
		c := row.Capabilities
		switch {
		case c == nil || c.Push == nil || c.Push.Strategy == matrix.PushUnknown:
		case c.Push.WithoutAPI():
			// The scratch repository has no API, and others may be of another kind.
		default:
			return c.Push
		}
	}
	return nil
}

const (
	platformsNote = "Only what is attached to the image's own manifest was probed, " +
		"not what is attached to the manifests of its platforms."
	pathNote = "No command is printed: %s is at a base path, where copy tools do not look for /v2/; " +
		"it needs a host name of its own."
	hostNote = "No command is printed: the URL of %s holds no host that a command could name."
)

func assessImage(source, target *matrix.Row, push *matrix.Push) ImageAssessment {
	out := ImageAssessment{
		Registry: source.Registry,
		Image:    source.Image,
		Digest:   source.Digest,
		Target:   matrix.StrategyUnknown,
		Verdict:  CannotTell,
	}
	if target != nil {
		out.Target = target.Strategy
	}
	links, gap := linksOf(source)
	out.Links = links
	index := mayBeIndex(source)
	switch {
	case gap != "":
		out.Detail = gap
		return out
	case links.Total() == 0 && !index:
		out.Verdict, out.Detail = Safe, "Nothing is attached: any copy will do."
		return out
	case target == nil:
		out.Detail = "What the target supports was not measured, or differs between its repositories: " +
			"name an image of the same repository there."
		return out
	}
	if index {
		out.Notes = append(out.Notes, platformsNote)
	}
	for _, row := range []*matrix.Row{source, target} {
		if note := unnameable(row); note != "" {
			out.Notes = append(out.Notes, note)
		}
	}
	for _, tool := range copyTools {
		out.Copies = append(out.Copies, tool.copy(source, target, push, links, index))
	}
	out.conclude(index)
	return out
}

// conclude sets the verdict over all copies. A copy of an index that does not
// follow its platforms may lose links that were not probed.
func (a *ImageAssessment) conclude(index bool) {
	best, doubt := -1, -1
	for i := range a.Copies {
		c := &a.Copies[i]
		if best < 0 || c.Kept > a.Copies[best].Kept || index && c.Kept == a.Copies[best].Kept && c.platforms {
			best = i
		}
		if c.reason != "" && doubt < 0 {
			doubt = i
		}
	}
	kept, total := a.Copies[best], matrix.Quantity(a.Links.Total(), "link")
	switch {
	case kept.Lost == 0 && kept.reason == "" && (!index || kept.platforms):
		a.Verdict, a.Command = SafeWithCommands, kept.Command
		a.Detail = fmt.Sprintf("A plain copy loses %s; %s keeps them all.", total, kept.Tool)
		if a.Links.Total() == 0 {
			a.Detail = fmt.Sprintf("Nothing is attached to the index itself; %s takes along what is attached to its platforms.",
				kept.Tool)
		}
	case doubt >= 0:
		a.Verdict, a.Detail = CannotTell, "It cannot be told what "+a.Copies[doubt].Tool+" keeps: "+a.Copies[doubt].reason+"."
	case kept.Lost == 0:
		a.Verdict, a.Command = CannotTell, kept.Command
		a.Detail = fmt.Sprintf("%s keeps what is attached to the index, "+
			"but no copy that takes along what is attached to its platforms works here.", kept.Tool)
		if a.Links.Total() == 0 {
			a.Detail = "Nothing is attached to the index itself, " +
				"but no copy that takes along what is attached to its platforms works here."
		}
	case kept.Kept == 0:
		a.Verdict, a.Detail = LosesLinks, fmt.Sprintf("All of %s are lost with every copy.", total)
		if a.Links.Total() == 1 {
			a.Detail = "The link is lost with every copy."
		}
	default:
		a.Verdict, a.Command = LosesLinks, kept.Command
		a.Detail = fmt.Sprintf("%d of %s are lost with the best copy (%s).", kept.Lost, total, kept.Tool)
	}
}
