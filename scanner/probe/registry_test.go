package probe_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// TestAbsentSubjectOnce: standard requests a digest that cannot exist once in a registry,
// or once more if no answer came, and each row compares its own list with the answer.
func TestAbsentSubjectOnce(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	list := answer{Type: "index", Body: `{"schemaVersion":2,"manifests":[{types}]}`}
	empty := answer{Type: "index", Body: `{"schemaVersion":2,"manifests":[]}`}
	late := answer{Status: 429}
	for _, test := range []struct {
		name     string
		depth    probe.Depth
		own      answers // of the images, in order
		absent   answers
		requests int
		want     []matrix.Reason
	}{
		{"one list for everything", probe.Standard, answers{list, list, empty}, answers{list}, 1,
			[]matrix.Reason{matrix.IgnoresDigest, matrix.IgnoresDigest, matrix.ReferrersEmpty}},
		{"no list", probe.Standard, answers{list, empty}, answers{empty}, 1,
			[]matrix.Reason{matrix.ReferrersListed, matrix.ReferrersEmpty}},
		{"in each repository", probe.Full, answers{list, list}, answers{empty, list}, 2,
			[]matrix.Reason{matrix.ReferrersListed, matrix.IgnoresDigest}},
		{"once more", probe.Standard, answers{list, list, list}, answers{late, late, list}, 3, // with its retry
			[]matrix.Reason{matrix.ReferrersListed, matrix.IgnoresDigest, matrix.IgnoresDigest}},
		{"at basic not at all", probe.Basic, answers{list}, answers{list}, 0, []matrix.Reason{matrix.ReferrersListed}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, client := profile{Referrers: test.own, Filtered: answers{{Status: 400}}, Absent: test.absent}.start(t)
			target := probe.NewRegistry(client)
			for i, want := range test.want {
				image := inventory.Image{Repository: fmt.Sprintf("team/app%d", i), Tag: "1.0"}
				session := client.NewSession()
				outcome, err := target.Image(context.Background(), session, image, probe.Options{Depth: test.depth})
				if err != nil {
					t.Fatal(err)
				}
				session.Close()
				if v := verdict.Judge(&outcome.Observation); v.Reason != want {
					t.Errorf("image %d: %s, want %s: %s", i, v.Reason, want, v.Detail)
				}
			}
			if got := s.asked["absent"]; got != test.requests {
				t.Errorf("%d requests for the absent digest, want %d", got, test.requests)
			}
		})
	}
}

// lasts reports whether every step of the profile is answered in one way, however often, and
// without a retry.
func (p profile) lasts() bool {
	for _, step := range []answers{
		p.Version, p.Head, p.Get, p.Referrers, p.Token, p.Other, p.Tag, p.Filtered, p.Page, p.Absent, p.Malformed, p.HeadList, p.Cosign, p.WellKnown,
	} {
		if len(step) > 1 || len(step) == 1 && registry.IsTransient(step[0].Status) {
			return false
		}
	}
	return true
}

// TestWireOfARepository: the images of a repository have the verdict and the capabilities that
// one image alone has, although each question is asked once.
func TestWireOfARepository(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	for _, p := range readProfiles(t) {
		if p.Expect.Referrers == matrix.SupportUnknown || strings.Contains(p.Image, "@") || !p.lasts() {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			s, client := p.start(t)
			target := probe.NewRegistry(client)
			var first string
			for i := range 3 {
				s.manifest = manifestBytes + strings.Repeat("\n", min(i, 1)) // the last has the digest of the one before
				session := client.NewSession()
				image := inventory.Image{Repository: "team/app", Tag: fmt.Sprint("1.", i)}
				outcome, err := target.Image(context.Background(), session, image, probe.Options{Depth: probe.Full})
				if err != nil {
					t.Fatal(err)
				}
				seen := &outcome.Observation
				seen.Capabilities.FromRepository = nil
				if tag := seen.Capabilities.TagSchema; tag != nil {
					tag.Tag, tag.Digest = "", ""
				}
				row := verdict.NewRow(verdict.Target{Registry: "wire"}, seen)
				encoded, err := json.Marshal([]any{row.Severity, row.Referrers, row.Strategy, row.Reason, row.Confidence, row.Capabilities, row.Clients})
				if err != nil {
					t.Fatal(err)
				}
				session.Close()
				if first = cmp.Or(first, string(encoded)); string(encoded) != first {
					t.Errorf("image %d: %s\nthe first:  %s", i, encoded, first)
				}
			}
		})
	}
}
