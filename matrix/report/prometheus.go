package report

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"refmatrix/matrix"
)

// rowMetric is a metric with one series for each registry and image; value
// returns false if a row has none.
type rowMetric struct {
	name, help markup
	labels     []*rowCell // besides registry and image
	value      func(*matrix.Row) (float64, bool)
}

var rowMetrics = []rowMetric{
	{
		name:   "refmatrix_row_info",
		help:   "What was measured for an image, always 1.",
		labels: cellsOf("severity", "strategy", "referrers", "reason", "product", "version"),
		value:  func(*matrix.Row) (float64, bool) { return 1, true },
	},
	{
		name: "refmatrix_referrers_supported",
		help: "Whether the referrers API works for an image: 1 it does, 0 it does not; absent where unknown.",
		value: func(r *matrix.Row) (float64, bool) {
			known := []matrix.Support{matrix.Supported, matrix.Unsupported, matrix.Invalid}
			return boolValue(r.Referrers == matrix.Supported), slices.Contains(known, r.Referrers)
		},
	},
	{
		name:  "refmatrix_row_unexpected",
		help:  "Whether a row differs from what the inventory expects.",
		value: func(r *matrix.Row) (float64, bool) { return boolValue(r.Unexpected), r.Expect != "" },
	},
	{
		name:  "refmatrix_row_requests",
		help:  "HTTP requests made for an image.",
		value: func(r *matrix.Row) (float64, bool) { return float64(r.Requests), true },
	},
	{
		name:  "refmatrix_row_duration_seconds",
		help:  "Time that probing an image took.",
		value: func(r *matrix.Row) (float64, bool) { return r.DurationMS / 1000, true },
	},
}

// exposition is the Prometheus text format.
var exposition = medium{text: labelValue, name: labelValue}

// prometheus renders the Prometheus text format, which node_exporter's
// textfile collector reads. Names, units and help follow its conventions
// (https://prometheus.io/docs/practices/naming/). It ends without "# EOF",
// because that collector refuses the line.
//
// Series of rows are only as many as a server takes from one scan without harm, unless
// o.Series asks for all. Those of registries are always there.
func prometheus(w io.Writer, m *matrix.Matrix, o Options) error {
	p := &lines{w: w, medium: exposition}
	omitted := 0
	if o.Series != AllSeries && len(m.Rows) > MaxRowSeries {
		omitted = len(m.Rows)
	} else {
		writeRowMetrics(p, m.Rows)
	}
	writeHelp(p, "refmatrix_row_series_omitted", "Rows that have no series of their own, because the scan has too many: "+
		"0 or all of them; --series all writes them.")
	p.line("refmatrix_row_series_omitted %d", omitted)
	registryMetrics(p, m)
	registryLabels(p, m)
	coverageMetrics(p, m)
	linkMetrics(p, m)
	registryCountMetrics(p, m)
	rowCountMetrics(p, m)
	writeHelp(p, "refmatrix_scan_start_time_seconds", "When the scan began, in seconds since 1970.")
	p.line("refmatrix_scan_start_time_seconds %s", formatFloat(float64(m.Started.UnixMilli())/1000))
	writeHelp(p, "refmatrix_scan_end_time_seconds", "When the scan ended, in seconds since 1970.")
	p.line("refmatrix_scan_end_time_seconds %s", formatFloat(float64(m.Finished.UnixMilli())/1000))
	writeHelp(p, "refmatrix_scan_complete", "Whether every image of the inventory was measured.")
	p.line("refmatrix_scan_complete %s", formatFloat(boolValue(m.Complete)))
	return p.err
}

// writeRowMetrics writes the series of each row.
func writeRowMetrics(p *lines, rows []matrix.Row) {
	for _, metric := range rowMetrics {
		writeHelp(p, metric.name, metric.help)
		seen := map[markup]bool{} // a series must not come twice, whatever a merge brought together
		for i := range rows {
			r := &rows[i]
			key := labelList("registry", r.Registry, "image", r.Image)
			value, ok := metric.value(r)
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			for _, c := range metric.labels {
				key += "," + labelList(c.key, c.value(r))
			}
			p.line("%s{%s} %s", metric.name, key, formatFloat(value))
		}
	}
}

// registryLabels writes one series for each registry that carries the labels of
// the inventory, as kube-state-metrics does for those of pods: an alert joins
// it (group_left) to know whose registry it is. Where rows of one registry
// differ, which only a merge can bring about, the first one counts.
func registryLabels(l *lines, m *matrix.Matrix) {
	writeHelp(l, "refmatrix_registry_labels", "The inventory's labels of a registry, always 1.")
	seen := map[markup]bool{}
	for i := range m.Rows {
		r := &m.Rows[i]
		key := labelList("registry", r.Registry)
		if len(r.Labels) == 0 || seen[key] {
			continue
		}
		seen[key] = true
		var pairs []string
		for _, one := range labelNames(slices.Sorted(maps.Keys(r.Labels))) {
			pairs = append(pairs, one.name, r.Labels[one.key])
		}
		l.line("refmatrix_registry_labels{%s,%s} 1", key, labelList(pairs...))
	}
}

// labelName is a key of the inventory as Prometheus names it.
type labelName struct{ key, name string }

var notInLabel = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// labelNames makes label names of keys, "cost-center" label_cost_center. Where
// keys become the same name, all but the first are numbered.
func labelNames(keys []string) []labelName {
	used := map[string]bool{}
	var out []labelName
	for _, key := range keys {
		base := "label_" + notInLabel.ReplaceAllString(key, "_")
		name := base
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s_conflict%d", base, n)
		}
		used[name] = true
		out = append(out, labelName{key, name})
	}
	return out
}

func writeHelp(l *lines, name, help markup) {
	l.line("# HELP %s %s", name, help)
	l.line("# TYPE %s gauge", name)
}

// labelList returns pairs of names and values as the labels of a series.
func labelList(pairs ...string) markup {
	var list []markup
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, exposition.sprintf(`%s="%s"`, markup(pairs[i]), pairs[i+1]))
	}
	return join(list, ",")
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func formatFloat(f float64) markup { return markup(strconv.FormatFloat(f, 'f', -1, 64)) }
