package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// What stands in every section on coverage.
const (
	presenceNote = "Presence, not validity: present means that an artifact of the kind is attached. " +
		"refmatrix does not verify signatures and does not read SBOMs."
	unknownNote = "A percentage is of the images of which it is known. Unknown is not absent: " +
		"a refusal, a limit or a bound hides it."
)

// coverages are those that reports count, in the order in which they name them.
var coverages = []matrix.Coverage{
	matrix.CoveragePresent, matrix.CoveragePartial, matrix.CoverageAbsent, matrix.CoverageUnknown,
}

// coverageLine is the coverage of a kind among images that have something in common.
type coverageLine struct {
	kind   matrix.LinkKind
	name   string // of the registry, or key=value of the label; "" for all images
	counts matrix.CoverageCounts
}

// share is the percentage of what is known, or a dash if nothing is.
func (l coverageLine) share() string {
	if l.counts.Known() == 0 {
		return "–"
	}
	return percent(l.counts.Present, l.counts.Known())
}

// String is the line without its name: "67% of 3: 2 present, 1 partial, 0 absent; unknown 1".
func (l coverageLine) String() string {
	c := l.counts
	unknown := fmt.Sprintf("unknown %d", c.Unknown)
	if c.Known() == 0 {
		return unknown + ", nothing is known"
	}
	return fmt.Sprintf("%s of %d: %d present, %d partial, %d absent; %s", l.share(), c.Known(), c.Present, c.Partial, c.Absent, unknown)
}

// coverageSection is what a report shows of the coverage of all images.
type coverageSection struct {
	all                []coverageLine // a line for each kind
	registries, labels []coverageLine // those that lack most first, kind by kind
}

// newCoverageSection returns nil if nothing is required of any image.
func newCoverageSection(m *matrix.Matrix) *coverageSection {
	fleet := matrix.CoverageOf(m.Rows)
	if len(fleet.Kinds) == 0 {
		return nil
	}
	return &coverageSection{
		all:        coverageLines(fleet.Kinds, fleet.All),
		registries: coverageLines(fleet.Kinds, fleet.Registries...),
		labels:     coverageLines(fleet.Kinds, fleet.Labels...),
	}
}

func coverageLines(kinds []matrix.LinkKind, groups ...matrix.CoverageGroup) (out []coverageLine) {
	for _, kind := range kinds {
		first := len(out)
		for _, group := range groups {
			if counts, required := group.Kinds[kind]; required {
				out = append(out, coverageLine{kind, group.Name, counts})
			}
		}
		slices.SortStableFunc(out[first:], func(a, b coverageLine) int {
			return cmp.Or(b.counts.Missing()-a.counts.Missing(), b.counts.Unknown-a.counts.Unknown)
		})
	}
	return out
}

// ofKind returns the lines of one kind.
func ofKind(lines []coverageLine, kind matrix.LinkKind) []coverageLine {
	return slices.DeleteFunc(slices.Clone(lines), func(l coverageLine) bool { return l.kind != kind })
}

// coverageText is the coverage of a row in short: "signature present; sbom partial
// (linux/arm64)". It names every platform.
func coverageText(r *matrix.Row) string {
	var parts []string
	for _, kind := range matrix.LinkKinds {
		coverage, required := r.Coverage[kind]
		if !required {
			continue
		}
		text := string(kind) + " " + string(coverage)
		if lacking := r.Lacking[kind]; len(lacking) > 0 {
			text += " (" + strings.Join(lacking, ", ") + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// kindCountsText is how many links of which kinds there are: "signature 2; sbom 1".
func kindCountsText(counts []matrix.KindCount) string {
	var parts []string
	for _, counted := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", kindText(counted.Kind), counted.N))
	}
	return strings.Join(parts, "; ")
}

// kindText is a kind, or "unknown" if it is not known.
func kindText(kind matrix.LinkKind) string {
	if kind == "" {
		return "unknown"
	}
	return string(kind)
}
