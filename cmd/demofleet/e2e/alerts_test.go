package e2e

import (
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// fromTarget are the labels that Prometheus adds to every series of a target.
var fromTarget = []string{"instance", "job"}

// TestAlerts: Prometheus takes the rules, each is complete, and rests on metrics and labels
// that the command writes. What to do about each stands in the documents.
func TestAlerts(t *testing.T) {
	promql := parser.NewParser(parser.Options{})
	groups, faults := rulefmt.Parse(read(t, "alerts.yaml"), false, model.UTF8Validation, promql, slog.New(slog.DiscardHandler))
	for _, fault := range faults {
		t.Errorf("alerts.yaml: %v", fault)
	}
	if groups == nil {
		t.Fatal("no rules")
	}
	metrics, documented := metricsOf(t), documentedAlerts(t)
	named := map[string]bool{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			named[rule.Alert] = true
			if documented[rule.Alert] != rule.Annotations["runbook"] {
				t.Errorf("%s: docs/ci.md says to do %q, and runbook says %q", rule.Alert, documented[rule.Alert], rule.Annotations["runbook"])
			}
			for _, key := range []string{"summary", "description", "runbook"} {
				if rule.Annotations[key] == "" {
					t.Errorf("%s has no %s", rule.Alert, key)
				}
			}
			if rule.For == 0 || rule.Labels["severity"] == "" {
				t.Errorf("%s has no for: or no severity", rule.Alert)
			}
			expr, err := promql.ParseExpr(rule.Expr)
			if err != nil {
				t.Errorf("%s: %v", rule.Alert, err)
				continue
			}
			judgeExpr(t, rule.Alert, expr, metrics)
			judgeTemplates(t, rule, expr)
		}
	}
	for _, alert := range slices.Sorted(maps.Keys(documented)) {
		if !named[alert] {
			t.Errorf("docs/ci.md has the alert %s, which is not in alerts.yaml", alert)
		}
	}
}

// metricsOf returns the labels of every metric that the command writes, of the example scan
// with an image that lost a link and is not what the inventory expects.
func metricsOf(t *testing.T) map[string][]string {
	t.Helper()
	content, err := os.ReadFile("../../../reports/example/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	row := m["rows"].([]any)[0].(map[string]any)
	row["expect"] = "referrers-api"
	row["lost"] = []any{map[string]any{"digest": row["digest"], "kind": "signature", "subject": row["digest"], "since": time.Unix(0, 0).UTC()}}
	if content, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv("REFMATRIX"), "report", "-", "-f", "prometheus", "-o", "-")
	cmd.Stdin = strings.NewReader(string(content))
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(strings.NewReader(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for name, family := range families {
		out[name] = slices.Clone(fromTarget)
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				out[name] = append(out[name], label.GetName())
			}
		}
	}
	return out
}

// judgeExpr fails if expr selects a metric or a label that is not written, groups or matches
// by such a label, or loads all samples of a long time.
func judgeExpr(t *testing.T, alert string, expr parser.Expr, metrics map[string][]string) {
	t.Helper()
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			if metrics[node.Name] == nil {
				t.Errorf("%s: the command does not write %s", alert, node.Name)
			}
			for _, matcher := range node.LabelMatchers {
				if matcher.Name != model.MetricNameLabel {
					judgeLabels(t, alert, node, []string{matcher.Name}, metrics)
				}
			}
		case *parser.MatrixSelector:
			t.Errorf("%s loads all samples of %s: write a subquery", alert, node.Range)
		case *parser.AggregateExpr:
			if !node.Without {
				judgeLabels(t, alert, node, node.Grouping, metrics)
			}
		case *parser.BinaryExpr:
			if node.VectorMatching != nil && node.VectorMatching.On {
				judgeLabels(t, alert, node, node.VectorMatching.MatchingLabels, metrics)
			}
		}
		return nil
	})
}

// judgeLabels fails if a metric in node lacks one of labels.
func judgeLabels(t *testing.T, alert string, node parser.Node, labels []string, metrics map[string][]string) {
	t.Helper()
	parser.Inspect(node, func(inner parser.Node, _ []parser.Node) error {
		selector, ok := inner.(*parser.VectorSelector)
		for _, label := range labels {
			if ok && !slices.Contains(metrics[selector.Name], label) {
				t.Errorf("%s: %s has no label %s", alert, selector.Name, label)
			}
		}
		return nil
	})
}

var labelInText = regexp.MustCompile(`\$labels\.(\w+)`)

// judgeTemplates fails if a text of rule has a label that an aggregation of expr leaves out.
func judgeTemplates(t *testing.T, rule rulefmt.Rule, expr parser.Expr) {
	t.Helper()
	aggregate, ok := expr.(*parser.AggregateExpr)
	if !ok || aggregate.Without {
		return
	}
	for key, text := range rule.Annotations {
		for _, found := range labelInText.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(aggregate.Grouping, found[1]) {
				t.Errorf("%s: %s has %s, which is not among %v", rule.Alert, key, found[0], aggregate.Grouping)
			}
		}
	}
}

var alertInDocs = regexp.MustCompile("(?m)^\\| `(Refmatrix\\w+)` \\| [^|]+ \\| ([^|]+) \\|$")

// documentedAlerts returns what docs/ci.md says to do about each alert.
func documentedAlerts(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../../docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, found := range alertInDocs.FindAllStringSubmatch(string(content), -1) {
		out[found[1]] = found[2]
	}
	return out
}
