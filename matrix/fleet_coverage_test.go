package matrix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requires is a row of which kinds are required.
func requires(registry, image, env string, coverage map[LinkKind]Coverage) Row {
	return Row{
		Registry: registry,
		Image:    image,
		Labels:   map[string]string{"env": env},
		Coverage: coverage,
	}
}

// TestCoverageOf: images are counted by registry and by label, those of which nothing is
// required are not, and what is not known is counted beside what is.
func TestCoverageOf(t *testing.T) {
	rows := []Row{
		requires("b", "one", "prod", map[LinkKind]Coverage{KindSBOM: CoverageAbsent, KindSignature: CoveragePresent}),
		requires("a", "two", "test", map[LinkKind]Coverage{KindSignature: CoverageUnknown}),
		requires("b", "three", "prod", map[LinkKind]Coverage{KindSBOM: CoveragePartial, KindSignature: CoverageAbsent}),
		requires("a", "four", "test", nil),
		requires("c", "five", "prod", map[LinkKind]Coverage{KindSignature: "of a later version"}),
	}
	signature, sbom := CoverageCounts{Present: 1, Absent: 1}, CoverageCounts{Partial: 1, Absent: 1}
	want := FleetCoverage{
		Kinds: []LinkKind{KindSignature, KindSBOM},
		All: CoverageGroup{Kinds: map[LinkKind]CoverageCounts{
			KindSignature: {Present: 1, Absent: 1, Unknown: 2},
			KindSBOM:      sbom,
		}},
		Registries: []CoverageGroup{
			{Name: "b", Kinds: map[LinkKind]CoverageCounts{KindSignature: signature, KindSBOM: sbom}},
			{Name: "a", Kinds: map[LinkKind]CoverageCounts{KindSignature: {Unknown: 1}}},
			{Name: "c", Kinds: map[LinkKind]CoverageCounts{KindSignature: {Unknown: 1}}},
		},
		Labels: []CoverageGroup{
			{Name: "env=prod", Kinds: map[LinkKind]CoverageCounts{KindSignature: {Present: 1, Absent: 1, Unknown: 1}, KindSBOM: sbom}},
			{Name: "env=test", Kinds: map[LinkKind]CoverageCounts{KindSignature: {Unknown: 1}}},
		},
	}
	if diff := cmp.Diff(want, CoverageOf(rows)); diff != "" {
		t.Error(diff)
	}
	if got := CoverageOf([]Row{{Registry: "a"}}); len(got.Kinds)+len(got.Registries) != 0 {
		t.Errorf("nothing is required: %+v", got)
	}
}

// TestCoverageRatio: the share is of what is known, and there is not any if nothing is.
func TestCoverageRatio(t *testing.T) {
	for _, test := range []struct {
		name   string
		counts CoverageCounts
		want   float64
		known  bool
	}{
		{"all", CoverageCounts{Present: 3}, 1, true},
		{"half", CoverageCounts{Present: 2, Partial: 1, Absent: 1}, 0.5, true},
		{"unknown beside it", CoverageCounts{Present: 1, Absent: 1, Unknown: 8}, 0.5, true},
		{"certainly not", CoverageCounts{Partial: 1}, 0, true},
		{"unknown alone", CoverageCounts{Unknown: 8}, 0, false},
		{"no image", CoverageCounts{}, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, known := test.counts.Ratio(); got != test.want || known != test.known {
				t.Errorf("%v, %v, want %v, %v", got, known, test.want, test.known)
			}
		})
	}
}
