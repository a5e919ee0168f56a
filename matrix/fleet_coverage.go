package matrix

import (
	"cmp"
	"slices"
)

// CoverageCounts counts images by their coverage of one kind.
type CoverageCounts struct {
	Present int `json:"present"`
	Partial int `json:"partial"`
	Absent  int `json:"absent"`
	Unknown int `json:"unknown"`
}

// Known returns the number of images whose coverage is known.
func (c CoverageCounts) Known() int { return c.Present + c.Partial + c.Absent }

// Missing returns the number of images that lack the kind, wholly or on some platforms.
func (c CoverageCounts) Missing() int { return c.Partial + c.Absent }

// Ratio returns the share of what is known that is present, from 0 to 1. It returns false if
// nothing is known: an image whose coverage is unknown does not lack the kind.
func (c CoverageCounts) Ratio() (float64, bool) {
	if c.Known() == 0 {
		return 0, false
	}
	return float64(c.Present) / float64(c.Known()), true
}

// Of returns the number of images that have the coverage.
func (c CoverageCounts) Of(coverage Coverage) int {
	return map[Coverage]int{
		CoveragePresent: c.Present,
		CoveragePartial: c.Partial,
		CoverageAbsent:  c.Absent,
		CoverageUnknown: c.Unknown,
	}[coverage]
}

// add counts an image. A coverage that this version does not know is unknown.
func (c *CoverageCounts) add(coverage Coverage) {
	switch coverage {
	case CoveragePresent:
		c.Present++
	case CoveragePartial:
		c.Partial++
	case CoverageAbsent:
		c.Absent++
	default:
		c.Unknown++
	}
}

// CoverageGroup is the coverage of images that have something in common.
type CoverageGroup struct {
	Name  string // of the registry, or key=value of the label
	Kinds map[LinkKind]CoverageCounts
}

// FleetCoverage is the coverage of all images of which kinds are required.
type FleetCoverage struct {
	Kinds      []LinkKind // required of some image, in the order of LinkKinds
	All        CoverageGroup
	Registries []CoverageGroup // in the matrix's order
	Labels     []CoverageGroup // sorted by name
}

// CoverageOf returns the coverage of rows. Rows of which nothing is required do not count.
func CoverageOf(rows []Row) FleetCoverage {
	all, registries, labels := newCoverageGroups(), newCoverageGroups(), newCoverageGroups()
	for i := range rows {
		r := &rows[i]
		if len(r.Coverage) == 0 {
			continue
		}
		all.add("", r)
		registries.add(r.Registry, r)
		for key, value := range r.Labels {
			labels.add(key+"="+value, r)
		}
	}
	slices.SortFunc(labels.groups, func(a, b CoverageGroup) int { return cmp.Compare(a.Name, b.Name) })
	out := FleetCoverage{
		Registries: registries.groups,
		Labels:     labels.groups,
	}
	if len(all.groups) > 0 {
		out.All = all.groups[0]
	}
	for _, kind := range LinkKinds {
		if _, required := out.All.Kinds[kind]; required {
			out.Kinds = append(out.Kinds, kind)
		}
	}
	return out
}

// coverageGroups are groups that are found by their names.
type coverageGroups struct {
	groups []CoverageGroup
	index  map[string]int
}

func newCoverageGroups() *coverageGroups { return &coverageGroups{index: map[string]int{}} }

// add counts every kind that is required of r in the group called name.
func (g *coverageGroups) add(name string, r *Row) {
	at, ok := g.index[name]
	if !ok {
		at = len(g.groups)
		g.index[name] = at
		g.groups = append(g.groups, CoverageGroup{Name: name, Kinds: map[LinkKind]CoverageCounts{}})
	}
	for _, kind := range LinkKinds {
		if coverage, required := r.Coverage[kind]; required {
			counts := g.groups[at].Kinds[kind]
			counts.add(coverage)
			g.groups[at].Kinds[kind] = counts
		}
	}
}
