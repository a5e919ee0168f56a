package matrix

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCountLinks: links are counted by registry and kind. A zero stands only where it is
// certain, and what was not measured is never zero.
func TestCountLinks(t *testing.T) {
	links := func(asked []Place, kinds ...LinkKind) *Links {
		var all []Link
		for _, kind := range kinds {
			all = append(all, Link{Kind: kind, Where: Places[:1], Depth: 1})
		}
		return NewLinks(all, asked, nil)
	}
	withZeros := func(found map[LinkKind]int) map[LinkKind]int {
		for _, kind := range LinkKinds {
			found[kind] += 0
		}
		return found
	}
	platform := func(asked []Place) *Links {
		return NewLinks(nil, Places, []Platform{{Platform: "linux/amd64", Digest: "sha256:1", Asked: asked}})
	}
	for _, test := range []struct {
		name string
		rows []Row
		want map[LinkKind]int
	}{
		{"not probed", []Row{{}}, map[LinkKind]int{}},
		{"nothing attached", []Row{{Links: links(Places)}}, withZeros(map[LinkKind]int{})},
		{"a place was refused", []Row{{Links: links(Places[:2], KindSBOM)}}, map[LinkKind]int{KindSBOM: 1}},
		{"a platform was refused", []Row{{Links: platform(nil)}}, map[LinkKind]int{}},
		{"a platform was read, its index for it", []Row{{Links: platform(Places[:3])}}, withZeros(map[LinkKind]int{})},
		{"a kind is not known", []Row{{Links: links(Places, KindSBOM, "")}}, map[LinkKind]int{KindSBOM: 1, "": 1}},
		{"a kind of a later version", []Row{{Links: &Links{Total: 1, ByKind: map[LinkKind]int{"seal": 1}, Asked: Places}}}, map[LinkKind]int{"": 1}},
		{"platforms were left out", []Row{{Links: links(Places), Omitted: &Omitted{Links: 1}}}, map[LinkKind]int{}},
		{"one image was not probed", []Row{{Links: links(Places, KindSBOM)}, {}}, map[LinkKind]int{KindSBOM: 1}},
		{"several images", []Row{{Links: links(Places, KindSBOM, KindSignature)}, {Links: links(Places, KindSBOM)}},
			withZeros(map[LinkKind]int{KindSBOM: 2, KindSignature: 1})},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := CountLinks(test.rows)
			want := []LinkCounts{{Found: test.want, Lost: map[LinkKind]int{}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	rows := []Row{
		{Registry: "b", Lost: []Lost{{Kind: KindSBOM}, {}, {Kind: KindSBOM}}},
		{Registry: "a"},
		{Registry: "b", Lost: []Lost{{Kind: "seal"}}},
	}
	want := []LinkCounts{
		{Registry: "b", Found: map[LinkKind]int{}, Lost: map[LinkKind]int{KindSBOM: 2, "": 2}},
		{Registry: "a", Found: map[LinkKind]int{}, Lost: map[LinkKind]int{}},
	}
	if diff := cmp.Diff(want, CountLinks(rows)); diff != "" {
		t.Errorf("losses: %s", diff)
	}
}
