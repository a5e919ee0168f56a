package matrix

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRegistryChanges: what all images of a registry have in common is one change of it, and
// what some of them have is not.
func TestRegistryChanges(t *testing.T) {
	scan := func(registries ...string) *Matrix {
		m := &Matrix{Complete: true}
		for _, registry := range registries {
			for i := range 3 {
				m.Rows = append(m.Rows, Row{
					Registry:  registry,
					Image:     fmt.Sprintf("app:%d", i),
					Referrers: Supported,
					Strategy:  ReferrersAPI,
					Severity:  Pass,
					Reason:    ReferrersEmpty,
				})
			}
		}
		return m
	}
	down := func(rows ...*Row) {
		for _, r := range rows {
			r.Referrers, r.Strategy, r.Severity, r.Reason = SupportUnknown, StrategyUnknown, Fail, Connect
		}
	}
	older, newer := scan("gone", "stays", "down", "flaky", "shrinks"), scan("stays", "down", "flaky", "shrinks", "new")
	down(&newer.Rows[3], &newer.Rows[4], &newer.Rows[5], &newer.Rows[6])
	newer.Rows = append(newer.Rows[:10], newer.Rows[11:]...)
	d := Compare(older, newer)
	want := []RegistryChange{
		{"down", NotMeasured, 3},
		{"gone", Removed, 3},
		{"new", Added, 3},
	}
	if diff := cmp.Diff(want, d.Registries); diff != "" {
		t.Error(diff)
	}
	if len(d.Changes) != 11 || d.Size() != 5 {
		t.Errorf("%d changes of images, %d changes", len(d.Changes), d.Size())
	}
	if diff := cmp.Diff(want[1:], d.OnlySignificant().Registries); diff != "" {
		t.Error(diff)
	}
	// The other way round, and with itself.
	if back := Compare(newer, older); len(back.Registries) != 3 || back.Registries[0].Kind != Removed {
		t.Errorf("%+v", back.Registries)
	}
	if same := Compare(newer, newer); same.Registries != nil || same.Size() != 0 {
		t.Errorf("%+v", same.Registries)
	}
}
