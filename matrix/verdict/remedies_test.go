package verdict

import (
	"strconv"
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestRemediesByReason: what a product does under a reason comes before what
// holds for any; a row that passes says what its findings ask for.
func TestRemediesByReason(t *testing.T) {
	named := func(name string) func(*Observation) {
		return func(o *Observation) { o.Product = Product{Name: name} }
	}
	for _, test := range []struct {
		of   *Observation
		want string // the beginning of the first
	}{
		{with(subject(coded(400, "MANIFEST_INVALID")), named("Quay")), "Quay from 3.12.1 answers so"},
		{with(subject(index("application/json", 0)), named("Harbor")), "Upgrade Harbor to 2.10"},
		{with(subject(index(matrix.IndexMediaType, 1)), func(o *Observation) { o.Capabilities.Pagination = matrix.PageLoop }), "Fix the next links"},
		{unnamed(404), "In the inventory, name an image of this registry under images:."},
		{unnamed(403), "In the inventory, name an image of this registry under images:."},
		{unnamed(500), "Look into the registry's own log"},
	} {
		got := remediesFor(test.of, show(test.of, nil), Judge(test.of))
		if len(got) == 0 || !strings.HasPrefix(got[0], test.want) {
			t.Errorf("%q, want %q first", got, test.want)
		}
	}
}

// unnamed is an image that is tried because the inventory names none, and that the
// registry answers with status.
func unnamed(status int) *Observation {
	o := &Observation{DefaultImage: true}
	o.Manifest.Answer = Answer{Status: status, Body: BodyJSON}
	o.Manifest.Method = "GET"
	return o
}

// TestWaysOut: what clients can do where the endpoint alone refuses, by their forecasts.
func TestWaysOut(t *testing.T) {
	ways := []string{"--distribution-spec v1.1-referrers-tag", "no signatures found", "a bundle fails or is lost here", "regctl and containerd, which"}
	for _, test := range []struct {
		name string
		of   *Observation
		want string // indexes of ways
	}{
		{"405", subject(status(405)), "0 1 3"},
		{"403 DENIED of the endpoint", subject(coded(403, "DENIED")), "0 1 3"},
		{"403 with a web page", subject(page(403, "text/html", BodyHTML)), "0 1 3"},
		{"500", subject(status(500)), "0 1 3"},
		{"406, under which cosign reads", subject(status(406)), "0 2 3"},
		{"400, under which cosign works", subject(status(400)), "0 3"},
		{"404", subject(status(404)), ""},
		{"a redirect to a page of 429", subject(away(page(429, "text/html", BodyHTML))), "0 1 3"},
		{"a redirect to a page of 200", subject(away(page(200, "text/html", BodyHTML))), "2"},
		{"404, and the push was refused", pushed(status(404), &matrix.Push{Strategy: matrix.PushRefused}), ""},
		{"405, and the push was refused", pushed(status(405), &matrix.Push{Strategy: matrix.PushRefused}), "0 3"},
		{"404 after OCI-Subject", pushed(status(404), &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}), "0"},
		{"429", subject(status(429)), ""},
		{"401", subject(Referrers{Answer: Answer{Status: 401, Challenge: true}}), ""},
		{"403 of the manifest", unresolvable(Answer{Status: 403}), ""},
		{"403 of the token endpoint", subject(Referrers{Answer: Answer{Status: 403, Token: true}}), ""},
		{"an API that works", subject(index(matrix.IndexMediaType, 1)), ""},
	} {
		all := strings.Join(remediesFor(test.of, show(test.of, nil), Judge(test.of)), "\n")
		var got []string
		for i, way := range ways {
			if strings.Contains(all, way) {
				got = append(got, strconv.Itoa(i))
			}
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s: %s, want %s in\n%s", test.name, got, test.want, all)
		}
	}
}

// TestNoCosignCopy: `cosign copy` is deprecated since 3.0.5 and copies no referrers, so that
// nothing recommends it.
func TestNoCosignCopy(t *testing.T) {
	var remedies []string
	for _, r := range reasons {
		remedies = append(remedies, r.remedies...)
	}
	for _, f := range findingRules {
		remedies = append(remedies, f.remedy)
	}
	for _, note := range capabilityNotes {
		remedies = append(remedies, note.remedy)
	}
	for _, remedy := range remedies {
		if strings.Contains(remedy, "cosign copy") {
			t.Errorf("a remedy names cosign copy: %s", remedy)
		}
	}
}
