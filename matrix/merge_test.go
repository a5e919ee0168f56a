package matrix

import (
	"slices"
	"testing"
)

// TestMergeOfOneName: two networks may both call a registry "harbor". Its rows are one registry
// in every report, so that is not done without a word.
func TestMergeOfOneName(t *testing.T) {
	part := func(name, url string) Part {
		m := &Matrix{Schema: Schema, Complete: true}
		m.SetRows([]Row{
			{Registry: "harbor", URL: url, Image: "of " + name},
			{Registry: "harbor", URL: url, Image: "also of " + name},
			{Registry: "quay", URL: "https://quay.example", Image: "of " + name},
		})
		return Part{name, m}
	}
	parts := []Part{part("a.json", "https://a.example"), part("b.json", "https://b.example"), part("c.json", "https://c.example")}
	want := []string{"harbor is https://a.example in a.json and https://b.example in b.json: " +
		"reports count it as one registry; if it is not, give it two names"}
	if _, warnings, err := Merge(parts, nil); err != nil || !slices.Equal(warnings, want) {
		t.Errorf("%v, %q", err, warnings)
	}
	if _, warnings, err := Merge([]Part{parts[0], part("b.json", "https://a.example")}, nil); err != nil || len(warnings) > 0 {
		t.Errorf("%v, %q", err, warnings)
	}
}
