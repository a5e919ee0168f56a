package matrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNewLinks: all links of depth 1 are counted, by kind and by place, and the same ones are
// kept in whatever order they come.
func TestNewLinks(t *testing.T) {
	platforms := make([]Platform, MaxLinks+1)
	var all []Link
	for i := range 300 {
		all = append(all, Link{
			Digest: fmt.Sprintf("sha256:%03d", i),
			Kind:   LinkKinds[i%2],
			Where:  Places[:1+i%2],
			Depth:  1,
		})
	}
	all = append(all, Link{Digest: "sha256:000", Where: Places[2:3], Depth: 1}, Link{Digest: "sha256:000", Kind: KindSBOM, Where: Places[:1], Depth: 2})
	links := NewLinks(all, Places, platforms)
	if want := (map[LinkKind]int{KindSignature: 150, KindSBOM: 150}); links.Total != 301 || !cmp.Equal(links.ByKind, want) {
		t.Errorf("%d links, %v", links.Total, links.ByKind)
	}
	if want := (map[Place]int{PlaceAPI: 300, PlaceTag: 150, PlaceCosignTag: 1}); !cmp.Equal(links.ByPlace, want) {
		t.Errorf("by place: %v", links.ByPlace)
	}
	if len(links.Items) != MaxLinks || len(links.Platforms) != MaxLinks || links.Items[MaxLinks-1].Digest != "sha256:198" {
		t.Errorf("%d links and %d platforms are kept, the last is %+v", len(links.Items), len(links.Platforms), links.Items[len(links.Items)-1])
	}
	slices.Reverse(all)
	if diff := cmp.Diff(links, NewLinks(all, Places, platforms)); diff != "" {
		t.Errorf("in another order: %s", diff)
	}
}

// TestMissing: what is absent or partial is missing, and what is unknown is not.
func TestMissing(t *testing.T) {
	r := &Row{Coverage: map[LinkKind]Coverage{
		KindProvenance: CoverageAbsent,
		KindSignature:  CoveragePartial,
		KindSBOM:       CoveragePresent,
		KindVEX:        CoverageUnknown,
	}}
	if got := fmt.Sprint(r.Missing()); got != "[signature provenance]" {
		t.Errorf("%s is missing", got)
	}
	if got := (&Row{}).Missing(); got != nil {
		t.Errorf("%v is missing of a row without coverage", got)
	}
}

// TestBoundOfLinks: links, platforms and losses over 50 are left out of a row that is too
// large, and counted.
func TestBoundOfLinks(t *testing.T) {
	long := strings.Repeat(`"`, 600)
	r := &Row{
		Links: &Links{
			Items:     make([]Link, MaxLinks),
			Platforms: slices.Repeat([]Platform{{Platform: long}}, 60),
			Total:     1000,
		},
		Lacking: map[LinkKind][]string{KindSBOM: slices.Repeat([]string{long}, 70)},
		Lost:    slices.Repeat([]Lost{{Digest: long}}, 80),
	}
	r.Bound()
	if want := (Omitted{Links: 150 + 10 + 20 + 30}); r.Omitted == nil || *r.Omitted != want {
		t.Errorf("left out: %+v, want %+v", r.Omitted, want)
	}
	if r.Links.Total != 1000 || len(r.Links.Items) != 50 || len(r.Lacking[KindSBOM]) != 50 {
		t.Errorf("%d of %d links are kept, %d platforms lack an SBOM", len(r.Links.Items), r.Links.Total, len(r.Lacking[KindSBOM]))
	}
	if encoded, err := json.Marshal(r); err != nil || len(encoded) > MaxRow {
		t.Errorf("the row takes %d KiB, %v", len(encoded)>>10, err)
	}
	small := &Row{Links: &Links{Items: make([]Link, MaxLinks), Platforms: make([]Platform, 60)}}
	small.Bound()
	if small.Omitted != nil {
		t.Errorf("left out of a small row: %+v", small.Omitted)
	}
}
