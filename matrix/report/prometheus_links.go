package report

import (
	"slices"

	"refmatrix/matrix"
)

// coverageMetrics writes how many images have the kinds that are required of them. A registry
// has no ratio for a kind if nothing is known.
func coverageMetrics(p *lines, m *matrix.Matrix) {
	fleet := matrix.CoverageOf(printableCopy(m.Rows)) // names that are shown alike are one series
	each := func(write func(labels markup, counts matrix.CoverageCounts)) {
		for _, registry := range fleet.Registries {
			for _, kind := range fleet.Kinds {
				if counts, required := registry.Kinds[kind]; required {
					write(labelList("registry", registry.Name, "kind", string(kind)), counts)
				}
			}
		}
	}
	if len(fleet.Kinds) == 0 {
		return
	}
	writeHelp(p, "refmatrix_coverage", "Share of images that have a required kind of artifact attached, from 0 to 1, "+
		"among those of which it is known; absent where nothing is known. It says nothing of validity.")
	each(func(labels markup, counts matrix.CoverageCounts) {
		if ratio, known := counts.Ratio(); known {
			p.line("refmatrix_coverage{%s} %s", labels, formatFloat(ratio))
		}
	})
	writeHelp(p, "refmatrix_coverage_images", "Images by their coverage of a required kind of artifact.")
	each(func(labels markup, counts matrix.CoverageCounts) {
		for _, coverage := range coverages {
			p.line("refmatrix_coverage_images{%s,%s} %d", labels, labelList("coverage", string(coverage)), counts.Of(coverage))
		}
	})
}

// linkMetrics writes how many artifacts are attached and how many were lost.
func linkMetrics(p *lines, m *matrix.Matrix) {
	counts := matrix.CountLinks(printableCopy(m.Rows))
	for _, metric := range []struct {
		name, help markup
		of         func(matrix.LinkCounts) map[matrix.LinkKind]int
	}{
		{
			name: "refmatrix_links",
			help: "Artifacts attached to images and their platforms, by kind; absent where not measured.",
			of:   func(c matrix.LinkCounts) map[matrix.LinkKind]int { return c.Found },
		},
		{
			name: "refmatrix_links_lost",
			help: "Artifacts that an earlier scan found attached and that are gone, although the image is the same.",
			of:   func(c matrix.LinkCounts) map[matrix.LinkKind]int { return c.Lost },
		},
	} {
		helped := false
		for _, c := range counts {
			for _, kind := range append(slices.Clone(matrix.LinkKinds), "") {
				n, measured := metric.of(c)[kind]
				if !measured {
					continue
				}
				if !helped {
					writeHelp(p, metric.name, metric.help)
					helped = true
				}
				p.line("%s{%s} %d", metric.name, labelList("registry", c.Registry, "kind", kindText(kind)), n)
			}
		}
	}
}
