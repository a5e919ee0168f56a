package report

import (
	"io"

	"refmatrix/matrix"
)

// diffMarkdown renders what changed for a weekly post.
func diffMarkdown(w io.Writer, d matrix.Diff, _ Options) error {
	p := &lines{w: w, medium: markdownLine}
	p.line("## Referrers: what changed\n")
	p.line("%s", headline(d, p.medium))
	for _, kind := range matrix.ChangeKinds {
		groups := groupChanges(d, kind)
		if len(groups) == 0 {
			continue
		}
		p.line("\n### %s\n", changeText[kind].heading)
		for i, group := range groups {
			line := group.where(p.medium, "**%s**")
			if group.detail != "" {
				line += p.medium.sprintf(": %s", detailText(group.detail))
			}
			if group.fields != "" {
				line += p.medium.sprintf(" (%s)", group.fields)
			}
			p.line("- %s", line)
			// A remedy is written once, below the last of those it is for.
			if group.remedy != "" && (i == len(groups)-1 || groups[i+1].remedy != group.remedy) {
				p.line("  - %s", group.remedy)
			}
		}
	}
	return p.err
}
