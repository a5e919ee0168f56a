package matrix

import "testing"

// TestOneScanMeasuredMore: a verdict that rests on a step that the other scan did not take
// is not a change of the registry, in either direction. Everything else is compared.
func TestOneScanMeasuredMore(t *testing.T) {
	warn := func(r *Row) { r.Severity = Warn }
	supported := func(r *Row) { r.Referrers = Supported }
	push := func(s PushStrategy) func(*Row) {
		return func(r *Row) { r.Capabilities = &Capabilities{Push: &Push{Strategy: s}} }
	}
	absent := func(answer string) func(*Row) {
		return func(r *Row) { r.Referrers, r.Capabilities = Invalid, &Capabilities{AbsentSubject: answer} }
	}
	product := func(name, version string) func(*Row) {
		return func(r *Row) { r.Product = &Product{Name: name, Version: version} }
	}
	listed := oneRow(ReferrersAPI, ReferrersListed)
	lost := oneRow(ReferrersTag, ReferrersListed, supported, warn, push(PushLost))
	listedAfterProbe := oneRow(ReferrersAPI, ReferrersListed, push(PushAPI))
	const verdict = " strategy severity"
	for _, test := range []struct {
		name         string
		older, newer *Matrix
		want         string
	}{
		{"no write probe before", listed, lost, ""},
		{"no write probe now", lost, listed, ""},
		{"a write probe that learned nothing before", oneRow(ReferrersAPI, ReferrersListed, push(PushUnknown)), lost, ""},
		{"an empty list that stays empty", oneRow(ReferrersAPI, ReferrersEmpty), oneRow(ReferrersTag, ReferrersEmpty, supported, warn, push(PushTag)), ""},
		{"an expectation that only the write probe disappoints", listed, oneRow(ReferrersTag, ReferrersListed, supported, warn, push(PushLost), func(r *Row) { r.Unexpected = true }), ""},
		{"what is pushed is lost now", listedAfterProbe, lost, "changed!" + verdict + " push"},
		{"what is pushed is listed now", lost, listedAfterProbe, "changed!" + verdict + " push"},
		{"another answer, and no write probe before", oneRow(ReferrersTag, NotFound), lost, "improvement! referrers severity reason"},

		{"--probe basic before", listed, oneRow(ReferrersTag, IgnoresDigest, warn, absent("index")), ""},
		{"--probe basic now", oneRow(ReferrersTag, IgnoresDigest, warn, absent("index")), listed, ""},
		{"the list is the image itself", listed, oneRow(ReferrersTag, IgnoresDigest, warn, absent("")), "regression! strategy referrers severity reason"},
		{"the digest does not matter any more", oneRow(ReferrersAPI, ReferrersListed, func(r *Row) { r.Capabilities = &Capabilities{AbsentSubject: "empty-index"} }),
			oneRow(ReferrersTag, IgnoresDigest, warn, absent("index")), "regression! strategy referrers severity reason"},

		{"a name that the version decides", oneRow(ReferrersTag, NotFound, product("Gitea or Forgejo", "")), oneRow(ReferrersTag, NotFound, product("Gitea", "1.26.0")), ""},
		{"a version that is not shown any more", oneRow(ReferrersTag, NotFound, product("Forgejo", "11.0.1")), oneRow(ReferrersTag, NotFound, product("Gitea or Forgejo", "")), ""},
		{"a name that was not among the two", oneRow(ReferrersTag, NotFound, product("Harbor", "")), oneRow(ReferrersTag, NotFound, product("Gitea or Forgejo", "")), "changed! product"},
	} {
		if got := summaryOf(Compare(test.older, test.newer)); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
