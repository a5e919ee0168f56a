package verdict

import (
	"strings"
	"testing"

	"refmatrix/matrix"
)

// TestRowsAreConsistent: what a row says in one place does not contradict or repeat what
// it says in another.
func TestRowsAreConsistent(t *testing.T) {
	lost := &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true, NoList: true}
	refused := &matrix.Push{Strategy: matrix.PushRefused, Repository: "scratch", Detail: "The registry answered HTTP 405 to starting an upload."}
	left := &matrix.Push{Strategy: matrix.PushTag, Accepted: true, NoList: true, LeftBehind: []string{"sha256:1"}}
	product := func(name string) func(*Observation) { return func(o *Observation) { o.Product = Product{Name: name} } }
	wrongList := func(o *Observation) { o.Referrers.SameForAbsent = true }
	badPassword := func(o *Observation) { o.Manifest.Account = AccountRefused }
	for _, test := range []struct {
		name  string
		of    *Observation
		count map[string]int // how often the row says it, in findings and remedies
	}{
		{"pushes are lost", pushed(status(404), lost), map[string]int{"v1.1-referrers-tag": 1, "no referrers API, and what is pushed is lost": 1}},
		{"pushes are lost beside the API", pushed(index(matrix.IndexMediaType, 1), &matrix.Push{Strategy: matrix.PushLost, Accepted: true, OCISubject: true}), map[string]int{"the referrers API works, but what is pushed is lost": 1}},
		{"no release has it", with(subject(status(404)), product("Gitea")), map[string]int{"no release has it": 1, "Where the registry's release has": 0, "exempt sha256-* tags": 1}},
		{"no release has it, and it is refused", with(subject(status(406)), product("Gitea")), map[string]int{"no release has it": 1, "Upgrade the registry": 0}},
		{"releases have it", with(subject(status(404)), product("Harbor")), map[string]int{"Where the registry's release has": 1}},
		{"pushes are refused without the API", pushed(status(404), refused), map[string]int{"Grant the account permission to push": 1}},
		{"pushes are refused where the API works", pushed(index(matrix.IndexMediaType, 1), refused), map[string]int{"Grant the account permission to push": 1}},
		{"the probe's manifests stay", pushed(status(404), left), map[string]int{"Delete the named digests by hand": 1}},
		{"the list is of every digest", with(subject(index(matrix.IndexMediaType, 1)), wrongList), map[string]int{"oras, notation, cosign, crane, regctl, containerd take this list": 1}},
		{"the list is of the image", subject(index(matrix.IndexMediaType, 1)), map[string]int{"take this list": 0}},
		{"a wrong password", with(unresolvable(Answer{Status: 401}), badPassword), map[string]int{"Correct the account where it comes from": 1}},
	} {
		row := NewRow(Target{}, test.of)
		said := row.Detail + "\n" + strings.Join(row.Remedy, "\n")
		for _, f := range row.Findings {
			said += "\n" + f.Text
		}
		for text, want := range test.count {
			if got := strings.Count(said, text); got != want {
				t.Errorf("%s: %q stands %d times, want %d, in\n%s", test.name, text, got, want, said)
			}
		}
	}
}
