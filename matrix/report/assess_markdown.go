package report

import (
	"io"
	"strings"

	"refmatrix/matrix/migration"
)

// assessmentMarkdown renders an assessment for a ticket or a wiki.
func assessmentMarkdown(w io.Writer, a migration.Assessment, _ Options) error {
	p := &lines{w: w, medium: markdownLine}
	p.line("## Moving %s to %s\n", sourceText(a, p.medium), nameText(a.Target))
	p.line("%s.\n", verdictCounts(a, p.medium))
	assessedTools := tools(a)
	header := []any{"registry", "image", "verdict", "links at the source", "target"}
	for _, tool := range assessedTools {
		header = append(header, tool)
	}
	p.tableHead(header...)
	for _, image := range a.Images {
		cells := []any{
			nameText(image.Registry),
			nameText(image.Image),
			verdictText[image.Verdict],
			linksText(image.Links),
			image.Target,
		}
		for i := range assessedTools {
			if i < len(image.Copies) {
				cells = append(cells, copyText(image.Copies[i]))
			} else {
				cells = append(cells, "–")
			}
		}
		p.tableRow(cells...)
	}
	for _, image := range a.Images {
		if image.Verdict == migration.Safe {
			continue
		}
		p.line("\n### %s %s\n", nameText(image.Registry), nameText(image.Image))
		p.line("%s\n", strings.Join(append([]string{image.Detail}, image.Notes...), " "))
		if image.Command != "" {
			p.line("    %s", codeBlock(image.Command))
		}
	}
	return p.err
}

// tools returns the tools whose copies were assessed.
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
