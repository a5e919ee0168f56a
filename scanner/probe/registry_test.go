package probe_test

import (
	"context"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
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
		{"in each row", probe.Full, answers{list, list}, answers{empty, list}, 2,
			[]matrix.Reason{matrix.ReferrersListed, matrix.IgnoresDigest}},
		{"once more", probe.Standard, answers{list, list, list}, answers{late, late, list}, 3, // with its retry
			[]matrix.Reason{matrix.ReferrersListed, matrix.IgnoresDigest, matrix.IgnoresDigest}},
		{"at basic not at all", probe.Basic, answers{list}, answers{list}, 0, []matrix.Reason{matrix.ReferrersListed}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, client := profile{Referrers: test.own, Filtered: answers{{Status: 400}}, Absent: test.absent}.start(t)
			image, err := inventory.ParseImage("team/app:1.0")
			if err != nil {
				t.Fatal(err)
			}
			target := probe.NewRegistry(client)
			for i, want := range test.want {
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
