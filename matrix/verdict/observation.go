package verdict

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"refmatrix/matrix"
)

// Observation is everything the probe saw of one image at one registry.
// Verdict, findings, client forecasts and remedies are functions of it. Its strings
// are raw: what came from the wire is as it was sent, and may hold an echoed secret
// or escape sequences. NewRow cleans what a row shows.
type Observation struct {
	Manifest     Manifest
	Referrers    Referrers
	Capabilities matrix.Capabilities
	Links        *Links // nil if they were not probed
	Product      Product
	Credentials  Credentials
	NotARegistry bool // neither the manifest request nor GET /v2/ was answered as a registry answers
	CutShort     bool // the scan ended before every step that follows the verdict ran
	DefaultImage bool // the inventory has no images, and this is the one that is tried then
	QuotaKept    bool // a GET of a manifest was not sent, because the registry has few pulls left
	WriteSkipped bool // the write probe was to run with this first image, but the referrers were not answered
}

// Credentials is where the account for the image comes from.
type Credentials struct {
	Source string // none, anonymous, inventory, auth file, docker config, docker config file, or helper NAME; "" = not known
	Looked string // where no account was found, if Source is "none"
}

// Answer is the last HTTP answer of a step, or the fault that came instead.
type Answer struct {
	Fault       *Fault        // nil if an answer came
	Status      int           // HTTP status; 0 if the step was not reached or has a Fault
	Token       bool          // the answer is the token endpoint's, not the step's own
	ContentType string        // as sent
	Body        BodyKind      // what the body was
	Codes       []string      // error codes of an OCI error body (distribution specification, "Error Codes")
	Message     string        // what an error body says to people, raw and whole
	Challenge   bool          // WWW-Authenticate held a challenge that a client can answer
	Location    string        // target of a redirect that led away from the endpoint; empty otherwise
	RetryAfter  time.Duration // of the last 429 or 503; 0 if it had none
	Account     Account       // what became of the account
}

// Account is what became of the account of a request.
type Account string

// What is known of an account once the answer is in. AccountUnsent is also what an
// anonymous token leaves it at.
const (
	AccountUnsent   Account = ""         // none was sent
	AccountSent     Account = "sent"     // whether the registry accepts it is not known
	AccountAccepted Account = "accepted" // by this answer, by GET /v2/ or by another repository
	AccountRefused  Account = "refused"  // by GET /v2/ too, or by two repositories where that asks for nothing
)

// Fault is why no answer could be judged. Kind is one of the fault reasons.
type Fault struct {
	Kind matrix.Reason
	Text string // one clause, without secrets: cleaned where it was made, because most of it is ours
	TLS  TLSCause
}

// TLSCause is why a TLS connection failed.
type TLSCause string

// The causes that have a remedy of their own.
const (
	PlainHTTP          TLSCause = "plain-http" // the server speaks HTTP without TLS
	UnknownAuthority   TLSCause = "unknown-authority"
	WrongName          TLSCause = "wrong-name"
	CertificateExpired TLSCause = "expired"            // or not valid yet
	ClientCertificate  TLSCause = "client-certificate" // none was sent, or it was refused
	TLSVersion         TLSCause = "version"            // the server's versions are too old
)

// BodyKind is what a response body was, judged by its bytes, not by its type.
type BodyKind string

// The kinds of body that verdicts tell apart.
const (
	BodyEmpty    BodyKind = "empty"
	BodyIndex    BodyKind = "oci-index"
	BodyManifest BodyKind = "manifest"
	BodyJSON     BodyKind = "json"
	BodyHTML     BodyKind = "html"
	BodyText     BodyKind = "text"
	BodyBinary   BodyKind = "binary"
)

// HasCode reports whether the error body held one of codes.
func (a Answer) HasCode(codes ...string) bool {
	return slices.ContainsFunc(a.Codes, func(have string) bool { return slices.Contains(codes, have) })
}

// hasCodePrefix reports whether an error code begins with one of prefixes.
func (a Answer) hasCodePrefix(prefixes ...string) bool {
	return slices.ContainsFunc(a.Codes, func(have string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(have, prefix) })
	})
}

// Manifest is the outcome of resolving the image to a digest.
type Manifest struct {
	Answer
	Method    string // the request that Answer belongs to: HEAD, or GET after it
	Digest    string // the resolved digest; empty if the image has no known one
	NoDigest  NoDigest
	MediaType string // of the manifest, as the registry names it
}

// NoDigest is why a manifest that answered has no digest, one clause: our words
// around what the registry claimed. It is zero if there is a digest.
type NoDigest struct {
	Before  string // what the clause begins with, ours
	Claimed string // the Docker-Content-Digest that the clause names, as sent
	After   string // what the clause ends with, ours
}

func (n NoDigest) text() string { return n.Before + n.Claimed + n.After }

// AbsentType is an artifact type that nobody uses: the filter is tried with it if
// nothing listed has a type.
const AbsentType = "application/vnd.refmatrix.absent.v1"

// methods names the methods that the manifest was requested with: GET does not
// follow every answer to HEAD.
func (m *Manifest) methods() string {
	if m.Method == http.MethodHead {
		return "HEAD"
	}
	return "HEAD and GET"
}

// Referrers is the outcome of GET /v2/<name>/referrers/<digest>.
type Referrers struct {
	Answer
	Index          *Index // the body, if it is an OCI index
	Bytes          int64  // of the body, after decoding; over what was read if Content-Length says so
	Sized          bool   // Content-Length was there
	FiltersApplied string // the OCI-Filters-Applied header
	Next           bool   // a Link header with rel="next" was there

	// Bound is what refmatrix reads of a list, in bytes, if the list is larger. Index has
	// what it begins with then. 0 means that it was read whole.
	Bound int64

	IsSubject     bool // the body is the image's own manifest, an index
	SameForAbsent bool // a digest that cannot exist got the same descriptors, at least one

	// Elsewhere is the host that answered, if a redirect led off the registry's
	// origin. No credentials were sent there.
	Elsewhere string

	// End is the answer at the end of a redirect chain that led away from the endpoint.
	// It is nil without such a chain (see Location), or if its end was not read.
	End *RedirectEnd
}

// RedirectEnd is the answer at the end of a redirect chain.
type RedirectEnd struct {
	Answer
	Elsewhere string // the host that answered, if it is not of the registry's origin
}

// Index is an OCI image index as far as refmatrix needs it. The descriptors
// kept are bounded. Total counts each digest once, but for those that are not valid;
// beyond 20,000 descriptors of one list it counts each descriptor.
type Index struct {
	Null        bool // "manifests": null, an empty list as some registries write it
	Total       int
	Invalid     int // without a valid digest, or with a type over 255 bytes
	Descriptors []matrix.Descriptor
}

// resolved reports whether the manifest step found a digest, so that the referrers
// were requested.
func (o *Observation) resolved() bool { return o.Manifest.Digest != "" }

// atEnd returns o with the answer that clients act on. They follow redirects to the end,
// on the registry's origin and off it (clients measured), and do not know that the verdict
// stops at a redirect away from the endpoint.
func (o *Observation) atEnd() *Observation {
	end := o.Referrers.End
	if end == nil {
		return o
	}
	followed := *o
	followed.Referrers = Referrers{Answer: end.Answer, Elsewhere: end.Elsewhere}
	return &followed
}

// decisive is the answer that the verdict rests on: the manifest's if the image
// could not be resolved, the referrers endpoint's otherwise.
func (o *Observation) decisive() *Answer {
	if o.resolved() {
		return &o.Referrers.Answer
	}
	return &o.Manifest.Answer
}

// endpoint names the request behind decisive, for sentences.
func (o *Observation) endpoint() string {
	a := o.decisive()
	switch {
	case a.Token:
		return "the token endpoint"
	case o.resolved():
		return "the referrers endpoint"
	}
	return "the manifest request"
}
