package verdict

import (
	"strings"
	"testing"
	"time"

	"refmatrix/matrix"
)

// unresolvable is an observation of an image that gave no digest.
func unresolvable(answer Answer) *Observation {
	return &Observation{Manifest: Manifest{Answer: answer, Method: "GET", NoDigest: NoDigest{Before: "no header"}}}
}

// fault is an answer that did not come.
func faultOf(kind matrix.Reason) Answer { return Answer{Fault: &Fault{Kind: kind, Text: "why"}} }

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
	next := index(matrix.IndexMediaType, 0)
	next.Next = true
	first := index(matrix.IndexMediaType, 2)
	first.Next = true
	itself, mistyped, same := index(matrix.IndexMediaType, 2), index("text/plain", 2), index(matrix.IndexMediaType, 2)
	itself.IsSubject, mistyped.IsSubject, same.SameForAbsent = true, true, true
	bounded, bare := index(matrix.IndexMediaType, 2), index(matrix.IndexMediaType, 0)
	bounded.Bound, bare.Bound = 8<<20, 8<<20
	token := func(code int, codes ...string) Answer { return Answer{Status: code, Token: true, Codes: codes} }
	for _, test := range []struct {
		name   string
		of     *Observation
		reason matrix.Reason
		detail string // part of it
	}{
		{"401 of the manifest", unresolvable(Answer{Status: 401}), matrix.Unauthorized, "no credentials were sent: the answer has no challenge"},
		{"401 of the token endpoint", subject(Referrers{Answer: token(401)}), matrix.Unauthorized, "from the token endpoint"},
		{"401 with a challenge", subject(Referrers{Answer: Answer{Status: 401, Challenge: true}}), matrix.Unauthorized, "from the referrers endpoint"},
		{"401 of an account that GET /v2/ refuses", unresolvable(Answer{Status: 401, Account: AccountRefused}), matrix.CredentialsRefused, "refuses the account itself"},
		{"401 of an account that GET /v2/ accepts", unresolvable(Answer{Status: 401, Account: AccountAccepted}), matrix.Forbidden, "accepts the account, but not for this repository"},
		{"401 of an account of which nothing is known", unresolvable(Answer{Status: 401, Account: AccountSent}), matrix.Unauthorized, "from the manifest request"},
		{"403 of the token endpoint, the account refused", subject(Referrers{Answer: Answer{Status: 403, Token: true, Account: AccountRefused}}), matrix.CredentialsRefused, "from the token endpoint"},
		{"400 of the token endpoint, of an account of which nothing is known", unresolvable(Answer{Status: 400, Token: true, Account: AccountSent, Codes: []string{"invalid_grant"}}), matrix.Unauthorized, "(invalid_grant) from the token endpoint"},
		{"404, the account refused", unresolvable(Answer{Status: 404, Account: AccountRefused}), matrix.ImageNotFound, "on HEAD and GET"},
		{"401 without a challenge of an accepted account", subject(Referrers{Answer: Answer{Status: 401, Account: AccountAccepted}}), matrix.Rejected, "without a usable challenge"},
		{"401 without a challenge", subject(status(401)), matrix.Rejected, "without a usable challenge"},
		{"401 of another origin", subject(elsewhere(401)), matrix.Unauthorized, "no credentials were sent: the registry redirects the question to another origin"},
		{"400 UNAUTHORIZED", subject(coded(400, "UNAUTHORIZED")), matrix.Unauthorized, "(UNAUTHORIZED)"},
		{"404 UNAUTHORIZED", subject(coded(404, "UNAUTHORIZED")), matrix.NotFound, "(UNAUTHORIZED)"},
		{"403", subject(status(403)), matrix.Forbidden, "no credentials were sent"},
		{"403 of an account", subject(Referrers{Answer: Answer{Status: 403, Account: AccountSent}}), matrix.Forbidden, "lacks the permission"},
		{"403 with a web page", subject(page(403, "text/html", BodyHTML)), matrix.Rejected, "text/html, a web page, though the same credentials just read the manifest: a web application firewall"},
		{"403 with a web page for the manifest", unresolvable(page(403, "text/html", BodyHTML).Answer), matrix.Forbidden, "from the manifest request"},
		{"403 with a web page of another origin", subject(Referrers{Answer: Answer{Status: 403, Body: BodyHTML}, Elsewhere: "other.example"}), matrix.Forbidden, "not sent to another origin"},
		{"403 with text", subject(page(403, "text/plain", BodyText)), matrix.Forbidden, "no credentials were sent"},
		{"402", subject(status(402)), matrix.Rejected, "HTTP 402: the request is refused"},
		{"403 of another origin", subject(elsewhere(403)), matrix.Forbidden, "not sent to another origin"},
		{"400 DENIED", subject(coded(400, "DENIED")), matrix.Forbidden, "(DENIED)"},
		{"404 DENIED", subject(coded(404, "DENIED")), matrix.NotFound, "(DENIED)"},
		{"429", subject(status(429)), matrix.RateLimited, "HTTP 429 from the referrers endpoint."},
		{"429 with Retry-After", subject(Referrers{Answer: Answer{Status: 429, RetryAfter: 3 * time.Second}}), matrix.RateLimited, "asks to wait 3s"},
		{"500", subject(status(500)), matrix.ServerError, "HTTP 500"},
		{"599", unresolvable(Answer{Status: 599}), matrix.ServerError, "from the manifest request"},
		{"501", subject(status(501)), matrix.Rejected, "is refused"},
		{"no manifest", unresolvable(Answer{Status: 404}), matrix.ImageNotFound, "on HEAD and GET"},
		{"a manifest without a digest", unresolvable(Answer{Status: 200}), matrix.NoDigest, "no header"},
		{"a manifest that is refused", unresolvable(Answer{Status: 406}), matrix.ManifestRejected, "refuses the request itself"},
		{"a manifest of no content", unresolvable(Answer{Status: 204}), matrix.ManifestRejected, "not answer the request"},
		{"a redirect away", subject(away), matrix.RedirectedAway, "HTTP 302 to https://other.example/"},
		{"another type", subject(index("application/json", 1)), matrix.WrongContentType, "sent as application/json"},
		{"no type", subject(index("", 1)), matrix.WrongContentType, "no media type at all"},
		{"the type with a parameter", subject(index(matrix.IndexMediaType+"; charset=utf-8", 1)), matrix.ReferrersListed, "an OCI index of 1 descriptor"},
		{"the first of two pages", subject(first), matrix.ReferrersListed, "at least 2 descriptors"},
		{"a list over the bound", subject(bounded), matrix.ReferrersListed, "at least 2 descriptors"},
		{"a list over the bound, of which no descriptor was read", subject(bare), matrix.ReferrersListed, "more than refmatrix reads"},
		{"a manifest over the bound", unresolvable(faultOf(matrix.TooLarge)), matrix.TooLarge, "The answer of the manifest request was not read to its end: why."},
		{"the image itself", subject(itself), matrix.IgnoresDigest, "the image's own index"},
		{"the image itself, under another type", subject(mistyped), matrix.IgnoresDigest, "the image's own index"},
		{"the list of an absent digest", subject(same), matrix.IgnoresDigest, "with 2 descriptors, and the same for a digest that cannot exist"},
		{"an empty list", subject(index(matrix.IndexMediaType, 0)), matrix.ReferrersEmpty, "nothing is attached here"},
		{"an empty list of Harbor", with(subject(index(matrix.IndexMediaType, 0)), func(o *Observation) { o.Product = Product{Name: "Harbor"} }), matrix.ReferrersEmpty, "a proxy project of Harbor answers so whatever its upstream has"},
		{"an empty page", subject(next), matrix.ReferrersEmpty, "what the other pages list was not read"},
		{"a web page", subject(page(200, "text/html", BodyHTML)), matrix.NotAnIndex, "a web page and no OCI index"},
		{"an index under 404", subject(under(404, 0)), matrix.IndexOn404, "under a status the specification forbids"},
		{"an index under 410", subject(under(410, 1)), matrix.Rejected, "HTTP 410"},
		{"404", subject(status(404)), matrix.NotFound, "no OCI index"},
		{"405", subject(status(405)), matrix.MethodNotAllowed, "switched off"},
		{"400 MANIFEST_INVALID", subject(coded(400, "MANIFEST_INVALID")), matrix.SubjectRejected, "refuses this subject"},
		{"400 DIGEST_INVALID", subject(coded(400, "DIGEST_INVALID")), matrix.SubjectRejected, "(DIGEST_INVALID) for a digest just resolved"},
		{"404 MANIFEST_UNKNOWN", subject(coded(404, "MANIFEST_UNKNOWN")), matrix.NotFound, "(MANIFEST_UNKNOWN)"},
		{"422 MANIFEST_INVALID", subject(coded(422, "MANIFEST_INVALID")), matrix.Rejected, "HTTP 422"},
		{"400 NAME_INVALID", subject(coded(400, "NAME_INVALID")), matrix.Rejected, "is refused"},
		{"204", subject(status(204)), matrix.Rejected, "not answer the request"},
		{"no token", subject(Referrers{Answer: Answer{Token: true, Fault: &Fault{Kind: matrix.TokenError, Text: "why"}}}), matrix.TokenError, "No token at the token endpoint: why."},
		{"a fault of the manifest step", unresolvable(faultOf(matrix.DNS)), matrix.DNS, "Host name not found at the manifest request: why."},
		{"a fault of the referrers step", subject(Referrers{Answer: faultOf(matrix.Redirect)}), matrix.Redirect, "at the referrers endpoint"},
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
	verdict := func(s matrix.Severity, r matrix.Support, by matrix.Strategy, c matrix.Confidence) Verdict {
		return Verdict{Severity: s, Referrers: r, Strategy: by, Confidence: c}
	}
	var (
		broken  = verdict(matrix.Fail, matrix.SupportUnknown, matrix.StrategyUnknown, matrix.Assumed)
		closed  = verdict(matrix.Info, matrix.SupportUnknown, matrix.StrategyUnknown, matrix.Assumed)
		without = verdict(matrix.Warn, matrix.Unsupported, matrix.ReferrersTag, matrix.Proven)
		unclear = verdict(matrix.Warn, matrix.Unsupported, matrix.ReferrersTag, matrix.Likely)
		works   = verdict(matrix.Pass, matrix.Supported, matrix.ReferrersAPI, matrix.Likely)
	)
	want := map[matrix.Reason]Verdict{
		matrix.TokenError: broken, matrix.DNS: broken, matrix.Connect: broken, matrix.TLS: broken, matrix.Timeout: broken, matrix.Protocol: broken, matrix.Redirect: broken,
		matrix.AuthRefused: broken, matrix.Credentials: broken, matrix.ServerError: broken, matrix.CredentialsRefused: broken, matrix.NotARegistry: broken,
		matrix.Unauthorized: closed, matrix.Forbidden: closed, matrix.RateLimited: closed, matrix.ImageNotFound: closed, matrix.NoDigest: closed,
		matrix.ManifestRejected: closed, matrix.TooLarge: closed, matrix.SubjectRejected: closed,
		matrix.NotFound: without, matrix.MethodNotAllowed: without, matrix.Rejected: unclear, matrix.RedirectedAway: unclear,
		matrix.NotAnIndex:       verdict(matrix.Warn, matrix.Invalid, matrix.ReferrersTag, matrix.Proven),
		matrix.IgnoresDigest:    verdict(matrix.Warn, matrix.Invalid, matrix.ReferrersTag, matrix.Proven),
		matrix.ReferrersListed:  works,
		matrix.ReferrersEmpty:   works,
		matrix.IndexOn404:       works,
		matrix.WrongContentType: verdict(matrix.Warn, matrix.Supported, matrix.ReferrersAPI, matrix.Likely),
	}
	for _, r := range reasons {
		if got := verdict(r.outcome.severity, r.outcome.referrers, r.outcome.strategy, r.confidence.level); got != want[r.name] {
			t.Errorf("%s: %+v, want %+v", r.name, got, want[r.name])
		}
		delete(want, r.name)
	}
	for reason := range want {
		t.Errorf("no line of the table gives %s", reason)
	}
}
