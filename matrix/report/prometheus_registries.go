package report

import (
	"maps"
	"slices"

	"refmatrix/matrix"
)

// registrySupports are what a registry's images come to, in the order of metrics.
var registrySupports = []matrix.Support{
	matrix.Supported, matrix.Unsupported, matrix.Invalid, matrix.SupportMixed, matrix.SupportUnknown,
}

// rowCountMetrics counts the rows. Each metric counts all of them, so that its sum is the
// number of rows: another label of refmatrix_rows would make that sum a multiple.
func rowCountMetrics(p *lines, m *matrix.Matrix) {
	writeHelp(p, "refmatrix_rows", "Rows by severity.")
	for _, severity := range matrix.Severities {
		p.line("refmatrix_rows{%s} %d", labelList("severity", string(severity)), m.Summary.Count(severity))
	}
	writeHelp(p, "refmatrix_rows_by_strategy", "Rows by linking strategy.")
	for _, strategy := range matrix.Strategies {
		p.line("refmatrix_rows_by_strategy{%s} %d", labelList("strategy", string(strategy)), m.Summary.Strategies[strategy])
	}
	writeHelp(p, "refmatrix_rows_by_reason", "Rows by reason; absent where no row has it.")
	countedSeries(p, "refmatrix_rows_by_reason", "reason", m.Summary.Reasons)
}

// countedSeries writes a series for each value that was counted. Values that are shown alike are
// one series, because what a file names them may be anything.
func countedSeries[K ~string](p *lines, metric markup, label string, counts map[K]int) {
	series := map[markup]int{}
	for value, n := range counts {
		series[labelList(label, string(value))] += n
	}
	for _, labels := range slices.Sorted(maps.Keys(series)) {
		p.line("%s{%s} %d", metric, labels, series[labels])
	}
}

// registryCountMetrics counts the registries, as rowCountMetrics does the rows.
func registryCountMetrics(p *lines, m *matrix.Matrix) {
	severities, supports := map[matrix.Severity]int{}, map[matrix.Support]int{}
	for i := range m.Registries {
		severities[m.Registries[i].Severity]++
		supports[m.Registries[i].Referrers]++
	}
	writeHelp(p, "refmatrix_registries", "Registries by the severity of their worst row.")
	for _, severity := range matrix.Severities {
		p.line("refmatrix_registries{%s} %d", labelList("severity", string(severity)), severities[severity])
	}
	writeHelp(p, "refmatrix_registries_by_referrers", "Registries by what they do with the referrers API; "+
		"mixed where it is not the same for all images.")
	for _, support := range registrySupports {
		p.line("refmatrix_registries_by_referrers{%s} %d", labelList("referrers", string(support)), supports[support])
		delete(supports, support)
	}
	countedSeries(p, "refmatrix_registries_by_referrers", "referrers", supports) // values of a newer refmatrix
}

// registryMetrics writes what each registry is, and how many rows of it have each severity.
func registryMetrics(p *lines, m *matrix.Matrix) {
	labels := registryCellsOf("severity", "strategy", "referrers", "product", "version")
	writeHelp(p, "refmatrix_registry_info", "What the images of a registry come to, always 1.")
	for key, r := range registrySeries(m) {
		for _, c := range labels {
			key += "," + labelList(c.key, c.value(r))
		}
		p.line("refmatrix_registry_info{%s} 1", key)
	}
	writeHelp(p, "refmatrix_registry_rows", "Rows of a registry by severity.")
	for key, r := range registrySeries(m) {
		for _, severity := range matrix.Severities {
			p.line("refmatrix_registry_rows{%s,%s} %d", key, labelList("severity", string(severity)), r.Count(severity))
		}
	}
}

// registrySeries yields the registries with the label that names them. A series must not come
// twice, so of registries whose names are shown alike the first one counts.
func registrySeries(m *matrix.Matrix) func(yield func(markup, *matrix.Registry) bool) {
	return func(yield func(markup, *matrix.Registry) bool) {
		seen := map[markup]bool{}
		for i := range m.Registries {
			r := &m.Registries[i]
			key := labelList("registry", r.Name)
			if seen[key] {
				continue
			}
			seen[key] = true
			if !yield(key, r) {
				return
			}
		}
	}
}
