package report_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// series is one line of a metric.
type series struct {
	labels map[string]string
	text   string // the labels in their order and the value: a=b,c=d 1
}

// metricsOf reads the metrics of m with Prometheus' own parser.
func metricsOf(t *testing.T, m *matrix.Matrix, o report.Options) map[string][]series {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(render(t, "prometheus", m, o)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]series{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			one := series{labels: map[string]string{}}
			var pairs []string
			for _, label := range metric.GetLabel() {
				one.labels[label.GetName()] = label.GetValue()
				pairs = append(pairs, label.GetName()+"="+label.GetValue())
			}
			one.text = strings.TrimSpace(fmt.Sprintf("%s %g", strings.Join(pairs, ","), metric.GetGauge().GetValue()))
			out[name] = append(out[name], one)
		}
	}
	return out
}

func textsOf(all []series) []string {
	var out []string
	for _, one := range all {
		out = append(out, one.text)
	}
	return out
}

// TestPrometheus reads the metrics with Prometheus' own parser: each row has
// one series, and its labels come back as they were, spelled out where
// they were not printable.
func TestPrometheus(t *testing.T) {
	m := sample()
	m.Rows[0].Labels = map[string]string{"env": "prod", "cost-center": "42", "a-b": "dash", "a.b": "dot"}
	m.SetRows(append(m.Rows, m.Rows[0])) // a series must not come twice
	metrics := metricsOf(t, m, report.Options{})
	for metric, want := range map[string]int{"refmatrix_row_info": len(m.Rows) - 1, "refmatrix_registry_info": len(m.Registries)} {
		var names []string
		for _, one := range metrics[metric] {
			names = append(names, one.labels["registry"])
		}
		for _, want := range []string{"=cmd|' /C calc'!A0", "<script>alert(1)</script>", `\x1b[31mred\x1b]0;owned\x07`, `line\x0abreak\x0d\x0a`, `\u202eoverride`, "漢字漢字漢字漢字"} {
			if !slices.Contains(names, want) {
				t.Errorf("%s: %q is not among the series: %q", metric, want, names)
			}
		}
		if len(names) != want {
			t.Errorf("%s has %d series, want %d", metric, len(names), want)
		}
	}
	want := map[string]string{"registry": "registry-0", "label_env": "prod", "label_cost_center": "42", "label_a_b": "dash", "label_a_b_conflict2": "dot"}
	if diff := cmp.Diff(want, metrics["refmatrix_registry_labels"][0].labels); diff != "" {
		t.Errorf("the inventory's labels:\n%s", diff)
	}
}

// TestAlikeNames: what is shown alike is one series.
func TestAlikeNames(t *testing.T) {
	m := &matrix.Matrix{}
	m.SetRows([]matrix.Row{{Registry: "a\n", Image: "b:1", Reason: "c\n"}, {Registry: `a\x0a`, Image: "b:1", Reason: `c\x0a`}})
	metrics := metricsOf(t, m, report.Options{})
	for _, name := range []string{"refmatrix_row_info", "refmatrix_registry_info", "refmatrix_rows_by_reason"} {
		if n := len(metrics[name]); n != 1 {
			t.Errorf("%d series of %s", n, name)
		}
	}
}

// TestNewerSupport: each count of registries has all of them, and what a newer refmatrix found
// is not reported as an API that does not work.
func TestNewerSupport(t *testing.T) {
	m := &matrix.Matrix{}
	m.SetRows([]matrix.Row{{Registry: "a", Referrers: "partial"}, {Registry: "b", Referrers: matrix.Supported}, {Registry: "c"}})
	metrics := metricsOf(t, m, report.Options{})
	want := []string{"referrers=supported 1", "referrers=unsupported 0", "referrers=invalid 0", "referrers=mixed 0", "referrers=unknown 1", "referrers=partial 1"}
	if diff := cmp.Diff(want, textsOf(metrics["refmatrix_registries_by_referrers"])); diff != "" {
		t.Error(diff)
	}
	if got := textsOf(metrics["refmatrix_referrers_supported"]); !slices.Equal(got, []string{"registry=b,image= 1"}) {
		t.Errorf("%q", got)
	}
}

// TestRegistryMetrics: what is counted and what each registry is stands in the metrics,
// whatever the scan holds.
func TestRegistryMetrics(t *testing.T) {
	m := linked()
	m.Rows = append(m.Rows, matrix.Row{Registry: "harbor", Image: "z:1", Severity: matrix.Fail, Reason: matrix.Timeout,
		Referrers: matrix.SupportUnknown, Strategy: matrix.StrategyUnknown})
	m.SetRows(m.Rows)
	metrics := metricsOf(t, m, report.Options{})
	for name, want := range map[string][]string{
		"refmatrix_rows":                    {"severity=fail 1", "severity=warn 1", "severity=info 0", "severity=pass 4"},
		"refmatrix_rows_by_strategy":        {"strategy=referrers-api 4", "strategy=referrers-tag 1", "strategy=unknown 1"},
		"refmatrix_rows_by_reason":          {"reason=not-found 1", "reason=referrers-listed 4", "reason=timeout 1"},
		"refmatrix_registries":              {"severity=fail 1", "severity=warn 1", "severity=info 0", "severity=pass 2"},
		"refmatrix_registries_by_referrers": {"referrers=supported 3", "referrers=unsupported 1", "referrers=invalid 0", "referrers=mixed 0", "referrers=unknown 0"},
		"refmatrix_row_series_omitted":      {"0"},
		"refmatrix_registry_info": {
			"registry=harbor,severity=fail,strategy=referrers-api,referrers=supported,product=,version= 1",
			"registry=quay,severity=warn,strategy=referrers-tag,referrers=unsupported,product=,version= 1",
			"registry=ecr,severity=pass,strategy=referrers-api,referrers=supported,product=,version= 1",
			"registry=free,severity=pass,strategy=referrers-api,referrers=supported,product=,version= 1",
		},
	} {
		if diff := cmp.Diff(want, textsOf(metrics[name])); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	rows := textsOf(metrics["refmatrix_registry_rows"])
	if want := "registry=harbor,severity=fail 1"; len(rows) != 16 || !slices.Contains(rows, want) {
		t.Errorf("%q lacks %s, or has not 4 series for each registry", rows, want)
	}
}

// TestOmittedSeries: over the bound rows have no series, the metrics say so, and all else is
// there; all series are there if they are asked for.
func TestOmittedSeries(t *testing.T) {
	m := &matrix.Matrix{}
	for i := range report.MaxRowSeries {
		m.Rows = append(m.Rows, matrix.Row{Registry: fmt.Sprint("registry-", i%7), Image: fmt.Sprint("app:", i), Severity: matrix.Pass,
			Referrers: matrix.Supported, Expect: "referrers-api"})
	}
	m.SetRows(m.Rows)
	bound := metricsOf(t, m, report.Options{})
	m.SetRows(append(m.Rows, matrix.Row{Registry: "last", Image: "app", Severity: matrix.Pass, Referrers: matrix.Supported, Expect: "referrers-api"}))
	few := metricsOf(t, m, report.Options{})
	all := metricsOf(t, m, report.Options{Series: report.AllSeries})
	ofRows := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == "refmatrix_row_series_omitted" {
			continue
		}
		had, has, n := len(bound[name]), len(few[name]), len(all[name])
		if had == report.MaxRowSeries {
			ofRows++
			if has != 0 || n != had+1 {
				t.Errorf("%s: %d series, with all %d", name, has, n)
			}
		} else if has != n || has == 0 {
			t.Errorf("%s: %d series, with all %d", name, has, n)
		}
	}
	if ofRows != 5 {
		t.Errorf("%d metrics have a series for each row", ofRows)
	}
	for want, metrics := range map[string]map[string][]series{"5001": few, "0": all} {
		if got := textsOf(metrics["refmatrix_row_series_omitted"]); !slices.Equal(got, []string{want}) {
			t.Errorf("refmatrix_row_series_omitted is %q, want %s", got, want)
		}
	}
}

// TestDocumentedMetrics: the tables of docs/ci.md name every metric once.
func TestDocumentedMetrics(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]int{}
	for line := range strings.Lines(string(content)) {
		names, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for name := range strings.SplitSeq(names, ", ") {
			named[strings.Trim(name, "`")]++
		}
	}
	for name := range metricsOf(t, fleet(t), report.Options{}) {
		if named[name] != 1 {
			t.Errorf("%s has %d lines in the tables", name, named[name])
		}
	}
}
