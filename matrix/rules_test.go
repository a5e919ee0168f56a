package matrix

import (
	"strings"
	"testing"
	"time"
)

// unresolvable is an observation of an image that gave no digest.
func unresolvable(answer Answer) *Observation {
	return &Observation{Manifest: Manifest{Answer: answer, Method: "GET", NoDigest: "no header"}}
}

// fault is an answer that did not come.
func fault(kind Reason) Answer { return Answer{Fault: &Fault{kind, "why"}} }

// elsewhere is an answer of the origin that the question was redirected to.
func elsewhere(code int, codes ...string) Referrers {
	return Referrers{Answer: Answer{Status: code, Codes: codes}, Elsewhere: "other.example"}
}

// TestJudge: each line of the verdict table from both its sides: what it is
// for, and what is next to it and belongs to another line.
func TestJudge(t *testing.T) {
	away := Referrers{Answer: Answer{Status: 302, Location: "https://other.example/"}}
	under := func(code, descriptors int) Referrers {
		return Referrers{Answer: Answer{Status: code}, Index: &Index{Total: descriptors}}
	}
	next := index(IndexMediaType, 0)
	next.Next = true
	first := index(IndexMediaType, 2)
	first.Next = true
	token := func(code int, codes ...string) Answer { return Answer{Status: code, Token: true, Codes: codes} }
	for _, test := range []struct {
		name   string
		of     *Observation
		reason Reason
		detail string // part of it
	}{
		{"401 of the manifest", unresolvable(Answer{Status: 401}), Unauthorized, "from the manifest request: these credentials"},
		{"401 of the token endpoint", subject(Referrers{Answer: token(401)}), Unauthorized, "from the token endpoint"},
		{"401 with a challenge", subject(Referrers{Answer: Answer{Status: 401, Challenge: true}}), Unauthorized, "from the referrers endpoint"},
		{"401 without a challenge", subject(status(401)), Rejected, "without a usable challenge"},
		{"401 of another origin", subject(elsewhere(401)), Unauthorized, "other.example, to which the registry redirects"},
		{"400 UNAUTHORIZED", subject(coded(400, "UNAUTHORIZED")), Unauthorized, "(UNAUTHORIZED)"},
		{"404 UNAUTHORIZED", subject(coded(404, "UNAUTHORIZED")), NotFound, "(UNAUTHORIZED)"},
		{"403", subject(status(403)), Forbidden, "lacks the permission"},
		{"403 of another origin", subject(elsewhere(403)), Forbidden, "not sent to another origin"},
		{"400 DENIED", subject(coded(400, "DENIED")), Forbidden, "(DENIED)"},
		{"404 DENIED", subject(coded(404, "DENIED")), NotFound, "(DENIED)"},
		{"429", subject(status(429)), RateLimited, "HTTP 429 from the referrers endpoint."},
		{"429 with Retry-After", subject(Referrers{Answer: Answer{Status: 429, RetryAfter: 3 * time.Second}}), RateLimited, "asks to wait 3s"},
		{"500", subject(status(500)), ServerError, "HTTP 500"},
		{"599", unresolvable(Answer{Status: 599}), ServerError, "from the manifest request"},
		{"501", subject(status(501)), Rejected, "is refused"},
		{"no manifest", unresolvable(Answer{Status: 404}), ImageNotFound, "on HEAD and GET"},
		{"a manifest without a digest", unresolvable(Answer{Status: 200}), NoDigest, "no header"},
		{"a manifest that is refused", unresolvable(Answer{Status: 406}), ManifestRejected, "refuses the request itself"},
		{"a manifest of no content", unresolvable(Answer{Status: 204}), ManifestRejected, "no answer to the request"},
		{"a redirect away", subject(away), RedirectedAway, "HTTP 302 to https://other.example/"},
		{"another type", subject(index("application/json", 1)), WrongContentType, "sent as application/json"},
		{"no type", subject(index("", 1)), WrongContentType, "no media type at all"},
		{"the type with a parameter", subject(index(IndexMediaType+"; charset=utf-8", 1)), ReferrersListed, "an OCI index of 1 descriptor"},
		{"the first of two pages", subject(first), ReferrersListed, "at least 2 descriptors"},
		{"an empty list", subject(index(IndexMediaType, 0)), ReferrersEmpty, "nothing is attached here"},
		{"an empty page", subject(next), ReferrersEmpty, "what the other pages list was not read"},
		{"a web page", subject(page(200, "text/html", BodyHTML)), NotAnIndex, "a web page and no OCI index"},
		{"an index under 404", subject(under(404, 0)), IndexOn404, "under a status the specification forbids"},
		{"an index under 410", subject(under(410, 1)), Rejected, "HTTP 410"},
		{"404", subject(status(404)), NotFound, "no OCI index"},
		{"405", subject(status(405)), MethodNotAllowed, "switched off"},
		{"400 MANIFEST_INVALID", subject(coded(400, "MANIFEST_INVALID")), SubjectRejected, "refuses this subject"},
		{"404 MANIFEST_UNKNOWN", subject(coded(404, "MANIFEST_UNKNOWN")), NotFound, "(MANIFEST_UNKNOWN)"},
		{"422 MANIFEST_INVALID", subject(coded(422, "MANIFEST_INVALID")), Rejected, "HTTP 422"},
		{"400 NAME_INVALID", subject(coded(400, "NAME_INVALID")), Rejected, "is refused"},
		{"204", subject(status(204)), Rejected, "no answer to the request"},
		{"no token", subject(Referrers{Answer: Answer{Token: true, Fault: &Fault{TokenError, "why"}}}), TokenError, "No token at the token endpoint: why."},
		{"a fault of the manifest step", unresolvable(fault(DNS)), DNS, "Host name not found at the manifest request: why."},
		{"a fault of the referrers step", subject(Referrers{Answer: fault(Redirect)}), Redirect, "at the referrers endpoint"},
	} {
		v := Judge(test.of)
		if v.Reason != test.reason || !strings.Contains(v.Detail, test.detail) {
			t.Errorf("%s: %s, %q, want %s, %q", test.name, v.Reason, v.Detail, test.reason, test.detail)
		}
	}
}

// TestVerdictOfEachReason: what a reason comes to, which gates and the strategy
// of clients rest on.
func TestVerdictOfEachReason(t *testing.T) {
	verdict := func(s Severity, r Support, by Strategy, c Confidence) Verdict {
		return Verdict{Severity: s, Referrers: r, Strategy: by, Confidence: c}
	}
	var (
		broken  = verdict(Fail, SupportUnknown, StrategyUnknown, Assumed)
		closed  = verdict(Info, SupportUnknown, StrategyUnknown, Assumed)
		without = verdict(Warn, Unsupported, ReferrersTag, Proven)
		unclear = verdict(Warn, Unsupported, ReferrersTag, Likely)
		works   = verdict(Pass, Supported, ReferrersAPI, Likely)
	)
	want := map[Reason]Verdict{
		TokenError: broken, DNS: broken, Connect: broken, TLS: broken, Timeout: broken, Protocol: broken, Redirect: broken,
		AuthRefused: broken, Credentials: broken, ServerError: broken,
		Unauthorized: closed, Forbidden: closed, RateLimited: closed, ImageNotFound: closed, NoDigest: closed,
		ManifestRejected: closed, SubjectRejected: closed,
		NotFound: without, MethodNotAllowed: without, Rejected: unclear, RedirectedAway: unclear,
		NotAnIndex:       verdict(Warn, Invalid, ReferrersTag, Proven),
		ReferrersListed:  verdict(Pass, Supported, ReferrersAPI, Proven),
		ReferrersEmpty:   works,
		IndexOn404:       works,
		WrongContentType: verdict(Warn, Supported, ReferrersAPI, Likely),
	}
	for _, r := range Rules() {
		if got := verdict(r.Severity, r.Referrers, r.Strategy, r.Confidence); got != want[r.Reason] {
			t.Errorf("%s: %+v, want %+v", r.Reason, got, want[r.Reason])
		}
		delete(want, r.Reason)
	}
	for reason := range want {
		t.Errorf("no line of the table gives %s", reason)
	}
}
