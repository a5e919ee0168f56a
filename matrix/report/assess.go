package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
)

// moveWords say what a verdict on a move means.
var moveWords = map[migration.Verdict]string{
	migration.LosesLinks:       "loses links",
	migration.CannotTell:       "cannot tell",
	migration.SafeWithCommands: "safe with commands",
	migration.Safe:             "safe",
}

// movesInSum words the verdicts over all images: "1 loses links, 2 safe".
func movesInSum(a migration.Assessment) string {
	var parts []string
	for _, move := range migration.Verdicts {
		if n := a.Counts[move]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, moveWords[move]))
		}
	}
	noun := "images"
	if len(a.Images) == 1 {
		noun = "image"
	}
	sum := fmt.Sprintf("%d %s from %s to %s: %s", len(a.Images), noun, a.Source, a.Target, strings.Join(parts, ", "))
	if a.Platforms > 0 {
		sum += fmt.Sprintf("; of %d what hangs on the platforms was not asked", a.Platforms)
	}
	return sum
}

// linkWords words what hangs on an image: "2 by the API (SBOM (SPDX) × 2), 1
// only by the referrers tag, cosign tags .sig".
func linkWords(l migration.Links) string {
	var parts []string
	if l.ByAPI > 0 {
		parts = append(parts, fmt.Sprintf("%d by the API", l.ByAPI)+typeWords(l.Types))
	}
	if l.OnlyTag > 0 {
		parts = append(parts, fmt.Sprintf("%d only by the referrers tag", l.OnlyTag))
	}
	if len(l.CosignTags) > 0 {
		parts = append(parts, "cosign tags "+strings.Join(l.CosignTags, " "))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// typeWords words of which artifact types links are:
// " (SBOM (SPDX) × 1, notation signature × 2)".
func typeWords(types []matrix.ArtifactType) string {
	if len(types) == 0 {
		return ""
	}
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = fmt.Sprintf("%s × %d", cmp.Or(t.Name, t.Type), t.Count)
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func copyWords(c migration.Copy) string {
	switch {
	case c.Fails:
		return "fails"
	case c.Unsure:
		return fmt.Sprintf("keeps %d or more, of %d", c.Kept, c.Kept+c.Lost)
	}
	return fmt.Sprintf("keeps %d, loses %d", c.Kept, c.Lost)
}

// assessmentText renders an assessment for a terminal.
func assessmentText(w io.Writer, a migration.Assessment, o Options) error {
	p := &lines{w: w, width: o.Width}
	for _, image := range a.Images {
		p.line("%-18s %s %s", strings.ToUpper(moveWords[image.Verdict]), clean(image.Registry), clean(image.Image))
		p.text("  ", clean(image.Detail))
		p.text("  ", "links at the source: "+clean(linkWords(image.Links))+"; target: "+clean(string(image.Target)))
		for _, c := range image.Copies {
			p.text(fmt.Sprintf("  %-17s  ", clean(c.Tool)), copyWords(c)+" ("+c.Note+")")
		}
		for _, note := range image.Notes {
			p.text("  ", clean(note))
		}
		if image.Command != "" {
			p.line("  $ %s", clean(image.Command))
		}
		p.line("")
	}
	p.line("%s", clean(movesInSum(a)))
	return p.err
}

// assessmentMarkdown renders an assessment for a ticket or a wiki.
func assessmentMarkdown(w io.Writer, a migration.Assessment, _ Options) error {
	p := &lines{w: w}
	p.line("## Moving %s to %s\n", markdownText(a.Source), markdownText(a.Target))
	p.line("%s.\n", markdownText(movesInSum(a)))
	head := append([]string{"registry", "image", "verdict", "links at the source", "target"}, tools(a)...)
	p.line("| %s |", strings.Join(head, " | "))
	p.line("|%s", strings.Repeat(" --- |", len(head)))
	for _, image := range a.Images {
		cells := []string{markdownText(image.Registry), markdownText(image.Image), moveWords[image.Verdict], markdownText(linkWords(image.Links)), string(image.Target)}
		for i := range tools(a) {
			word := "–"
			if i < len(image.Copies) {
				word = copyWords(image.Copies[i])
			}
			cells = append(cells, word)
		}
		p.line("| %s |", strings.Join(cells, " | "))
	}
	for _, image := range a.Images {
		if image.Verdict == migration.Safe {
			continue
		}
		p.line("\n### %s %s\n\n%s\n", markdownText(image.Registry), markdownText(image.Image), markdownText(strings.Join(append([]string{image.Detail}, image.Notes...), " ")))
		if image.Command != "" {
			p.line("    %s", clean(image.Command))
		}
	}
	return p.err
}

// tools names the copies that were weighed.
func tools(a migration.Assessment) []string {
	var longest []migration.Copy
	for _, image := range a.Images {
		if len(image.Copies) > len(longest) {
			longest = image.Copies
		}
	}
	names := make([]string, 0, len(longest))
	for _, c := range longest {
		names = append(names, c.Tool)
	}
	return names
}
