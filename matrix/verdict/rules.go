package verdict

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Rule is one line of the verdict table.
type Rule struct {
	Reason     matrix.Reason
	Severity   matrix.Severity
	Referrers  matrix.Support
	Strategy   matrix.Strategy
	Confidence matrix.Confidence
	Observed   string // the condition in words

	because string // why the confidence is what it is
	when    func(*Observation) bool
	detail  func(*Observation) string
}

// Rules returns the verdict table in the order it is tried.
func Rules() []Rule { return slices.Clone(rules) }

// rules is the verdict table: the first line whose condition holds decides.
// Faults come first, then answers that either step can give, then the manifest
// step's own, then the referrers endpoint's.
var rules = slices.Concat(faultRules(), sharedRules, manifestRules, referrersRules)

// faultRules makes one line for each fault: no answer came, so nothing is
// known of the API.
func faultRules() []Rule {
	faults := []struct {
		reason   matrix.Reason
		observed string
	}{
		{matrix.TokenError, "the token endpoint failed or answered no token"},
		{matrix.DNS, "the host name could not be looked up"},
		{matrix.Connect, "no connection could be made, or it was cut"},
		{matrix.TLS, "the TLS handshake or the certificate was refused"},
		{matrix.Timeout, "no complete answer came within the timeout"},
		{matrix.Protocol, "the answer was broken HTTP or over a bound"},
		{matrix.Redirect, "a redirect loop, from https to http, or to a forbidden address"},
		{matrix.AuthRefused, "the challenge named a realm that must not get the credentials"},
		{matrix.Credentials, "the credentials could not be had from their helper or file"},
	}
	var out []Rule
	for _, f := range faults {
		out = append(out, Rule{
			Reason: f.reason, Severity: matrix.Fail, Referrers: matrix.SupportUnknown, Strategy: matrix.StrategyUnknown,
			Confidence: matrix.Assumed, because: nothingMeasured, Observed: f.observed,
			when: func(o *Observation) bool {
				fault := o.deciding().Fault
				return fault != nil && fault.Kind == f.reason
			},
			detail: func(o *Observation) string {
				return fmt.Sprintf("%s at %s: %s.", faultWords[f.reason], o.place(), o.deciding().Fault.Text)
			},
		})
	}
	return out
}

var faultWords = map[matrix.Reason]string{
	matrix.TokenError: "No token", matrix.DNS: "Host name not found", matrix.Connect: "No connection", matrix.TLS: "TLS failed",
	matrix.Timeout: "No answer in time", matrix.Protocol: "Broken HTTP", matrix.Redirect: "Redirect not followed",
	matrix.AuthRefused: "Credentials withheld", matrix.Credentials: "No credentials",
}

const (
	nothingMeasured = "the API's answer was never seen"
	oneReading      = "the answer leaves no other reading"
)

// unknown makes a line for an answer that says nothing of the API.
func unknown(reason matrix.Reason, severity matrix.Severity, observed string, when func(*Observation) bool, detail func(*Observation) string) Rule {
	return Rule{
		Reason: reason, Severity: severity, Referrers: matrix.SupportUnknown, Strategy: matrix.StrategyUnknown,
		Confidence: matrix.Assumed, because: nothingMeasured, Observed: observed, when: when, detail: detail,
	}
}

// sharedRules judge answers that mean the same at the manifest, the token
// endpoint and the referrers endpoint.
var sharedRules = []Rule{
	unknown(matrix.Unauthorized, matrix.Info, "401 after the auth flow, or 400 with UNAUTHORIZED", func(o *Observation) bool {
		a := o.deciding()
		// Without a challenge at the referrers endpoint a 401 is a refusal of the
		// endpoint, not of the account: the same credentials just read the manifest.
		// Where a redirect led to another origin, the credentials were not sent.
		denied := a.Status == http.StatusUnauthorized && (a.Challenge || a.Token || !o.resolved() || o.Referrers.Elsewhere != "")
		return denied || a.Status == http.StatusBadRequest && a.HasCode("UNAUTHORIZED")
	}, withheld("these credentials do not open this repository")),
	unknown(matrix.Forbidden, matrix.Info, "403, or 400 with DENIED", func(o *Observation) bool {
		a := o.deciding()
		return a.Status == http.StatusForbidden || a.Status == http.StatusBadRequest && a.HasCode("DENIED")
	}, withheld("the account lacks the permission")),
	unknown(matrix.RateLimited, matrix.Info, "429, also after the retries", statusIs(http.StatusTooManyRequests), func(o *Observation) string {
		a := o.deciding()
		wait := ""
		if a.RetryAfter > 0 {
			wait = fmt.Sprintf(", which asks to wait %s", a.RetryAfter)
		}
		return fmt.Sprintf("HTTP 429 from %s%s.", o.place(), wait)
	}),
	unknown(matrix.ServerError, matrix.Fail, "5xx (not 501); 502, 503 and 504 also after the retries", func(o *Observation) bool {
		s := o.deciding().Status
		return s >= 500 && s != http.StatusNotImplemented
	}, func(o *Observation) string {
		return fmt.Sprintf("%s from %s.", seen(o.deciding()), o.place())
	}),
}

// withheld words a refusal of the account, unless it is of another origin, to
// which no credentials were sent.
func withheld(why string) func(*Observation) string {
	return func(o *Observation) string {
		if o.resolved() && o.Referrers.Elsewhere != "" {
			return fmt.Sprintf("%s from %s, to which the registry redirects the question: credentials are not sent to another origin, so its answer is not known.", seen(o.deciding()), o.Referrers.Elsewhere)
		}
		return fmt.Sprintf("%s from %s: %s.", seen(o.deciding()), o.place(), why)
	}
}

// manifestRules judge an image that could not be resolved to a digest.
var manifestRules = []Rule{
	unknown(matrix.ImageNotFound, matrix.Info, "the manifest answers 404 on HEAD and GET",
		unresolved(statusIs(http.StatusNotFound)),
		func(o *Observation) string {
			return seen(&o.Manifest.Answer) + " on " + o.Manifest.asked() + " of the manifest: the image is not there, or this account may not see it."
		}),
	unknown(matrix.NoDigest, matrix.Info, "the manifest answered, but its digest cannot be had, is malformed or differs",
		unresolved(statusIs(http.StatusOK)),
		func(o *Observation) string {
			return "The manifest answered, but gave no digest to ask with: " + o.Manifest.NoDigest + "."
		}),
	unknown(matrix.ManifestRejected, matrix.Info, "the manifest request is refused (400, 405, 406 ...) on HEAD, and on GET where that may differ",
		unresolved(func(*Observation) bool { return true }),
		func(o *Observation) string {
			return seen(&o.Manifest.Answer) + " on " + o.Manifest.asked() + " of the manifest: " + o.Manifest.notWhatWasAsked("the registry refuses the request itself") + "."
		}),
}

// referrersRules judge the referrers endpoint for a digest that was just
// resolved, so that a 404 speaks of the endpoint and not of the image.
var referrersRules = []Rule{
	{
		Reason: matrix.RedirectedAway, Severity: matrix.Warn, Referrers: matrix.Unsupported, Strategy: matrix.ReferrersTag,
		Confidence: matrix.Likely, because: "a sign-in proxy in between can redirect like this too",
		Observed: "a redirect whose target no longer holds /referrers/<digest>",
		when:     func(o *Observation) bool { return o.Referrers.Location != "" },
		detail: func(o *Observation) string {
			return fmt.Sprintf("HTTP %d to %s, which is no referrers endpoint: clients cannot list referrers.", o.Referrers.Status, o.Referrers.Location)
		},
	},
	{
		Reason: matrix.WrongContentType, Severity: matrix.Warn, Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI,
		Confidence: matrix.Likely, because: "a valid index came, under a type that most clients refuse",
		Observed: "200 and an OCI index, but Content-Type is not " + IndexMediaType,
		when:     func(o *Observation) bool { return okIndex(o) && !isIndexType(o.Referrers.ContentType) },
		detail: func(o *Observation) string {
			return fmt.Sprintf("HTTP 200 with an OCI index sent as %s: the API is there, but clients that check the type fall back to tags.", typeWords(o.Referrers.ContentType))
		},
	},
	{
		Reason: matrix.ReferrersListed, Severity: matrix.Pass, Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI,
		Confidence: matrix.Proven, because: "descriptors were listed",
		Observed: "200 and an OCI index with descriptors",
		when:     func(o *Observation) bool { return okIndex(o) && o.Referrers.Index.Total > 0 },
		detail: func(o *Observation) string {
			return fmt.Sprintf("HTTP 200 with an OCI index of %s: the referrers API works.", listedWords(o))
		},
	},
	{
		Reason: matrix.ReferrersEmpty, Severity: matrix.Pass, Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI,
		Confidence: matrix.Likely, because: "an empty list is all there is to see: attach an artifact, or use the write probe, to prove it",
		Observed: "200 and an OCI index without descriptors",
		when:     okIndex,
		detail: func(o *Observation) string {
			if o.Referrers.Next {
				return "HTTP 200 with an empty OCI index and a link to a next page: the referrers API answers, " + pagesWords(o) + "."
			}
			return "HTTP 200 with an empty OCI index: the referrers API answers, nothing is attached here."
		},
	},
	{
		Reason: matrix.NotAnIndex, Severity: matrix.Warn, Referrers: matrix.Invalid, Strategy: matrix.ReferrersTag,
		Confidence: matrix.Proven, because: oneReading,
		Observed: "200, but the body is no OCI index",
		when:     statusIs(http.StatusOK),
		detail: func(o *Observation) string {
			return seen(&o.Referrers.Answer) + ", but the body is " + bodyWords[o.Referrers.Body] + " and no OCI index: something else answers for the referrers API."
		},
	},
	{
		Reason: matrix.IndexOn404, Severity: matrix.Pass, Referrers: matrix.Supported, Strategy: matrix.ReferrersAPI,
		Confidence: matrix.Likely, because: "the specification forbids a 404 here, so clients may never read the index",
		Observed: "404 whose body is an OCI index",
		when: func(o *Observation) bool {
			return o.Referrers.Status == http.StatusNotFound && o.Referrers.Index != nil
		},
		detail: func(*Observation) string {
			return "HTTP 404 with an OCI index as its body: the API answers under a status the specification forbids, and clients take it for no API."
		},
	},
	{
		Reason: matrix.NotFound, Severity: matrix.Warn, Referrers: matrix.Unsupported, Strategy: matrix.ReferrersTag,
		Confidence: matrix.Proven, because: "the digest asked with had just been resolved, so the 404 is the endpoint's",
		Observed: "404 without an OCI index, for a digest just resolved",
		when:     statusIs(http.StatusNotFound),
		detail: func(o *Observation) string {
			return seen(&o.Referrers.Answer) + ", no OCI index: the registry has no referrers API."
		},
	},
	{
		Reason: matrix.MethodNotAllowed, Severity: matrix.Warn, Referrers: matrix.Unsupported, Strategy: matrix.ReferrersTag,
		Confidence: matrix.Proven, because: oneReading,
		Observed: "405",
		when:     statusIs(http.StatusMethodNotAllowed),
		detail: func(o *Observation) string {
			return seen(&o.Referrers.Answer) + ": the endpoint is known but switched off, and some clients fail on it instead of falling back."
		},
	},
	unknown(matrix.SubjectRejected, matrix.Info, "400 with a MANIFEST_* code for a digest just resolved", func(o *Observation) bool {
		return o.Referrers.Status == http.StatusBadRequest && o.Referrers.hasCodePrefix("MANIFEST_")
	}, func(o *Observation) string {
		return seen(&o.Referrers.Answer) + " for a digest just resolved: the endpoint is there but refuses this subject."
	}),
	{
		Reason: matrix.Rejected, Severity: matrix.Warn, Referrers: matrix.Unsupported, Strategy: matrix.ReferrersTag,
		Confidence: matrix.Likely, because: "a proxy or firewall in between can answer like this too",
		Observed: "any other refusal: 400, 406, 410, 415, 422, 501 ..., or 401 without a usable challenge; or a 2xx or 3xx that is no answer to it",
		when:     func(*Observation) bool { return true },
		detail: func(o *Observation) string {
			if o.Referrers.Status == http.StatusUnauthorized {
				return "HTTP 401 without a usable challenge, though the same credentials just read the manifest: the registry has no referrers API."
			}
			return seen(&o.Referrers.Answer) + ": " + o.Referrers.notWhatWasAsked("the request is refused") + ", so clients cannot list referrers."
		},
	},
}

// notWhatWasAsked gives refusal for a status of 400 and over, and words for one
// that refuses nothing and answers nothing: 201, 204, 206, 304.
func (a *Answer) notWhatWasAsked(refusal string) string {
	if a.Status < http.StatusBadRequest {
		return "that is no answer to the request"
	}
	return refusal
}

func statusIs(status int) func(*Observation) bool {
	return func(o *Observation) bool { return o.deciding().Status == status }
}

func unresolved(when func(*Observation) bool) func(*Observation) bool {
	return func(o *Observation) bool { return !o.resolved() && when(o) }
}

func okIndex(o *Observation) bool {
	return o.Referrers.Status == http.StatusOK && o.Referrers.Index != nil
}

// listedWords counts what the list holds: all of it where every page was read,
// else what its first page has.
func listedWords(o *Observation) string {
	switch total := o.Capabilities.Descriptors; {
	case total != nil:
		return matrix.Quantity(*total, "descriptor")
	case o.Referrers.Next:
		return "at least " + matrix.Quantity(o.Referrers.Index.Total, "descriptor")
	}
	return matrix.Quantity(o.Referrers.Index.Total, "descriptor")
}

// pagesWords says what is behind an empty first page.
func pagesWords(o *Observation) string {
	if total := o.Capabilities.Descriptors; total != nil {
		return "its pages list " + matrix.Quantity(*total, "descriptor")
	}
	return "what the other pages list was not read"
}

var bodyWords = map[BodyKind]string{
	BodyEmpty: "empty", BodyIndex: "an OCI index", BodyManifest: "another kind of manifest", BodyJSON: "other JSON",
	BodyHTML: "a web page", BodyText: "plain text", BodyBinary: "binary data", "": "unread",
}

// seen words an answer: status, media type and error codes.
func seen(a *Answer) string {
	words := fmt.Sprintf("HTTP %d", a.Status)
	if a.ContentType != "" {
		words += " " + mediaType(a.ContentType)
	}
	if len(a.Codes) > 0 {
		words += " (" + strings.Join(a.Codes, ", ") + ")"
	}
	return words
}

func typeWords(contentType string) string {
	if contentType == "" {
		return "no media type at all"
	}
	return mediaType(contentType)
}
