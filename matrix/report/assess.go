package report

import (
	"cmp"
	"fmt"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
)

// verdictText is what a verdict on the links of an image that moves means.
var verdictText = map[migration.Verdict]string{
	migration.LosesLinks:       "loses links",
	migration.CannotTell:       "cannot tell",
	migration.SafeWithCommands: "safe with commands",
	migration.Safe:             "safe",
}

// verdictCounts returns the verdicts on all images: "3 images from a to b: 1
// loses links, 2 safe".
func verdictCounts(a migration.Assessment, m medium) markup {
	var counts []string
	for _, verdict := range migration.Verdicts {
		if n := a.Counts[verdict]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, verdictText[verdict]))
		}
	}
	images := matrix.Quantity(len(a.Images), "image")
	sum := m.sprintf("%s from %s to %s: %s", images, sourceText(a, m), nameText(a.Target), strings.Join(counts, ", "))
	if a.Platforms > 0 {
		sum += m.sprintf("; of %d what is attached to the platforms was not probed", a.Platforms)
	}
	return sum
}

// linksText returns what is attached to an image: "2 by the API (SBOM (SPDX) × 2), 1
// only by the referrers tag, cosign tags .sig".
func linksText(l migration.Links) string {
	var parts []string
	if l.ByAPI > 0 {
		parts = append(parts, fmt.Sprintf("%d by the API", l.ByAPI)+typesText(l.Types))
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

// typesText returns which artifact types links are of:
// " (SBOM (SPDX) × 1, notation signature × 2)".
func typesText(types []matrix.ArtifactType) string {
	if len(types) == 0 {
		return ""
	}
	counts := make([]string, len(types))
	for i, t := range types {
		counts[i] = fmt.Sprintf("%s × %d", cmp.Or(t.Name, t.Type), t.Count)
	}
	return " (" + strings.Join(counts, ", ") + ")"
}

// copyText returns what a copy keeps and loses.
func copyText(c migration.Copy) string {
	switch {
	case c.Fails:
		return "fails"
	case c.AtLeast:
		return fmt.Sprintf("keeps %d or more, of %d", c.Kept, c.Kept+c.Lost)
	}
	return fmt.Sprintf("keeps %d, loses %d", c.Kept, c.Lost)
}

// sourceText returns the source as m shows it: its registries are names, and how
// many there are is plain text.
func sourceText(a migration.Assessment, m medium) markup {
	if len(a.SourceNames) > 0 {
		return m.names(a.SourceNames)
	}
	return m.escape(a.Source)
}
