package verdict

import (
	"fmt"
	"net/http"

	"refmatrix/matrix"
)

// mayBeProxy reports whether the product has proxy projects whose list is empty whatever
// is attached upstream (Harbor 2.15.2, measured; an option since goharbor/harbor#23237).
func mayBeProxy(o *Observation) bool { return o.Product.Name == "Harbor" }

// referrersReasons judge the referrers endpoint for a digest that was just
// resolved, so that a 404 is about the endpoint and not about the image.
var referrersReasons = []reason{
	{
		name:       matrix.RedirectedAway,
		outcome:    without,
		confidence: likely("a sign-in proxy in between can redirect like this too"),
		observed:   "a redirect whose target no longer holds /referrers/<digest>",
		when:       func(o *Observation) bool { return o.Referrers.Location != "" },
		detail: func(s *shown) string {
			end := ""
			if s.Referrers.End != nil {
				end = " and ends in " + answerText(&s.Referrers.End.Answer)
			}
			return fmt.Sprintf("HTTP %d to %s, which is not a referrers endpoint%s: clients cannot list referrers.", s.Referrers.Status, s.Referrers.Location, end)
		},
		meaning: "The registry sends the question to its web site, which knows nothing of referrers.",
		remedies: []string{
			"Link by the referrers tag schema: referrers requests are sent to a web site.",
			"Where that is a sign-in page, let /v2/*/referrers/* pass the proxy that asks for it.",
		},
		source: "artifacthub/hub#4785, kubernetes/registry.k8s.io#287",
	},
	{
		name:       matrix.IgnoresDigest,
		outcome:    misleading,
		confidence: proven("such a list cannot be that of this digest"),
		observed:   "200 and an OCI index, but it is the image itself, or the same descriptors came for a digest that cannot exist",
		when: func(o *Observation) bool {
			return okIndex(o) && (o.Referrers.IsSubject || o.Referrers.SameForAbsent)
		},
		detail: func(s *shown) string {
			if s.Referrers.IsSubject {
				return "HTTP 200 with the image's own index instead of a list: clients take the platforms of the image for its referrers."
			}
			return fmt.Sprintf("HTTP 200 with %s, and the same for a digest that cannot exist: the answer does not depend on the digest, so what is attached here is not known.",
				matrix.Quantity(s.Referrers.Index.Total, "descriptor"))
		},
		meaning: "The list is not that of the digest that it was requested for: clients take for attached what is not.",
		remedies: []string{
			"Look for a stub, a cache or a proxy rule that answers every /v2/*/referrers/* alike, and let the requests reach the registry.",
			"Link by the referrers tag schema until then (oras --distribution-spec v1.1-referrers-tag): clients that trust the 200 find what is not attached.",
		},
		source: listing + " (descriptors whose subject is the digest)",
	},
	{
		name:       matrix.WrongContentType,
		outcome:    mistyped,
		confidence: likely("a valid index came, under a type that most clients refuse"),
		observed:   "200 and an OCI index, but Content-Type is not " + matrix.IndexMediaType,
		when:       func(o *Observation) bool { return okIndex(o) && !isIndexType(o.Referrers.ContentType) },
		detail: func(s *shown) string {
			return fmt.Sprintf("HTTP 200 with an OCI index sent as %s: the API is there, but clients that check the type fall back to tags.", typeText(s.Referrers.ContentType))
		},
		meaning: "The API is there, but its answers carry a media type that most clients refuse.",
		remedies: []string{
			"Upgrade the registry, or fix the proxy rule that rewrites Content-Type: the answer must be " + matrix.IndexMediaType + ".",
			"Until then link by the referrers tag schema (oras --distribution-spec v1.1-referrers-tag).",
		},
		source: listing + "; harbor#18865",
	},
	{
		name:       matrix.ReferrersListed,
		outcome:    works,
		confidence: likely("descriptors were listed; whether a digest that cannot exist has none was not measured"),
		observed:   "200 and an OCI index with descriptors, or the beginning of one that is over refmatrix's bound",
		when: func(o *Observation) bool {
			return okIndex(o) && (o.Referrers.Index.Total > 0 || o.Referrers.Bound > 0)
		},
		detail: func(s *shown) string {
			return fmt.Sprintf("HTTP 200 with an OCI index of %s: the referrers API works.", listedText(s))
		},
		meaning: "The referrers API works and lists what is attached to this image.",
		source:  listing,
	},
	{
		name:       matrix.ReferrersEmpty,
		outcome:    works,
		confidence: likely("an empty list is all there is to see: attach an artifact, or use the write probe, to prove it"),
		observed:   "200 and an OCI index without descriptors",
		when:       okIndex,
		detail: func(s *shown) string {
			if s.Referrers.Next {
				return "HTTP 200 with an empty OCI index and a link to a next page: the referrers API answers, " + pagesText(s) + "."
			}
			if n := s.Referrers.Index.Invalid; n > 0 {
				return fmt.Sprintf("HTTP 200 with an OCI index of %s, none of which is valid: the referrers API answers, "+
					"and what is attached here is not known.", matrix.Quantity(n, "descriptor"))
			}
			if mayBeProxy(&s.Observation) {
				return "HTTP 200 with an empty OCI index: the referrers API answers, and nothing is attached here; " +
					"a proxy project of Harbor answers so whatever its upstream has."
			}
			return "HTTP 200 with an empty OCI index: the referrers API answers, nothing is attached here."
		},
		meaning: "The referrers API answers with an empty list; nothing is attached to this image, or not by the API.",
		source:  listing,
	},
	{
		name:       matrix.NotAnIndex,
		outcome:    misleading,
		confidence: proven(oneReading),
		observed:   "200, but the body is no OCI index",
		when:       statusIs(http.StatusOK),
		detail: func(s *shown) string {
			return answerText(&s.Referrers.Answer) + ", but the body is " + s.Referrers.Body.Text() + " and no OCI index: something else answers for the referrers API."
		},
		meaning: "A 200 that is not a referrers list: a sign-in page or a web application answers in the registry's place.",
		remedies: []string{
			"Look for a sign-in page or a single-page application that answers for unknown paths, and let /v2/*/referrers/* reach the registry.",
			"Force the referrers tag schema until then: clients that trust the 200 lose links.",
		},
		source: "sigstore-js#1187, kubernetes/registry.k8s.io#287",
	},
	{
		name:       matrix.IndexOn404,
		outcome:    works,
		confidence: likely("the specification forbids a 404 here, so clients may never read the index"),
		observed:   "404 whose body is an OCI index",
		when: func(o *Observation) bool {
			return o.Referrers.Status == http.StatusNotFound && o.Referrers.Index != nil
		},
		detail: func(*shown) string {
			return "HTTP 404 with an OCI index as its body: the API answers under a status the specification forbids, and clients take it for no API."
		},
		meaning: "A valid list comes under a status that clients take for 'no API'.",
		remedies: []string{
			"Ask the vendor to answer 200: the specification forbids 404 from a registry that has the API.",
			"Until then let clients use the referrers tag schema, which is what they do on a 404.",
		},
		source: listing + " (a registry with the API must not answer 404)",
	},
	{
		name:       matrix.NotFound,
		outcome:    without,
		confidence: proven("the digest asked with had just been resolved, so the 404 is the endpoint's"),
		observed:   "404 without an OCI index, for a digest just resolved",
		when:       statusIs(http.StatusNotFound),
		detail: func(s *shown) string {
			return answerText(&s.Referrers.Answer) + ", no OCI index: the registry has no referrers API."
		},
		meaning: "The registry has no referrers API, and clients fall back to the referrers tag schema.",
		remedies: []string{
			"Link by the referrers tag schema, and exempt sha256-* tags from clean-up and immutability rules.",
			ifReleaseHasAPI,
			"A pull-through proxy has the API only where its upstream has it (replicated-docs#4287): scan the upstream too.",
		},
		source: listing + ", Referrers Tag Schema",
	},
	{
		name:       matrix.MethodNotAllowed,
		outcome:    without,
		confidence: proven(oneReading),
		observed:   "405",
		when:       statusIs(http.StatusMethodNotAllowed),
		detail: func(s *shown) string {
			return answerText(&s.Referrers.Answer) + ": the endpoint is known but switched off, and some clients fail on it instead of falling back."
		},
		meaning: "The endpoint is known but switched off; some clients fail here instead of falling back.",
		remedies: []string{
			"Switch the referrers API on in the registry's configuration, or let the proxy pass GET on /referrers/.",
		},
		source: "RFC 9110 section 15.5.6; olareg with the API off, measured",
	},
	{
		name:       matrix.SubjectRejected,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "400 with a MANIFEST_* or DIGEST_* code for a digest just resolved",
		when: func(o *Observation) bool {
			return o.Referrers.Status == http.StatusBadRequest && o.Referrers.hasCodePrefix("MANIFEST_", "DIGEST_")
		},
		detail: func(s *shown) string {
			return answerText(&s.Referrers.Answer) + " for a digest just resolved: the endpoint is there but refuses this subject."
		},
		meaning: "The endpoint is there but refuses the very digest whose manifest it serves.",
		remedies: []string{
			"Ask the vendor why GET referrers refuses a digest whose manifest it serves; try an image whose manifest is of an OCI media type.",
		},
		source: "quay#3071; " + errorTerm,
	},
	{
		name:       matrix.Rejected,
		outcome:    without,
		confidence: likely("a proxy or firewall in between can answer like this too"),
		observed:   "any other refusal: 400, 402, 406, 410, 415, 421, 422, 426, 451, 501 ...; 401 without a usable challenge; 403 with a web page where the manifest was readable; or a 2xx or 3xx that does not answer it",
		when:       func(*Observation) bool { return true },
		detail: func(s *shown) string {
			if s.Referrers.Status == http.StatusUnauthorized {
				return "HTTP 401 without a usable challenge, though the same credentials just read the manifest: the registry has no referrers API."
			}
			if isFirewall(&s.Observation) {
				return answerText(&s.Referrers.Answer) + ", a web page, though the same credentials just read the manifest: " +
					"a web application firewall or a proxy rule refuses /referrers/, so clients cannot list referrers."
			}
			return answerText(&s.Referrers.Answer) + ": " + s.Referrers.refusedOrIrrelevant("the request is refused") + ", so clients cannot list referrers."
		},
		meaning: "The request is refused for another reason than its absence: an old registry, a proxy or a firewall.",
		remedies: []string{
			"Let GET /v2/*/referrers/* pass the web application firewall or proxy rule that refuses it; the registry itself should answer 200 or 404.",
			upgradeForAPI,
		},
		source: "harbor#18305 (401 without a challenge), go-containerregistry#1962 (406)",
	},
}

// isFirewall reports whether a 403 of the referrers endpoint is that of a web application
// firewall or proxy: it is a web page without a challenge, which registries do not send
// there, and the same credentials just read the manifest.
func isFirewall(o *Observation) bool {
	a := &o.Referrers
	return o.resolved() && a.Status == http.StatusForbidden && !a.Token && a.Body == BodyHTML && !a.Challenge && a.Elsewhere == ""
}
