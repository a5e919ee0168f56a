// Package matrix is the model: what was observed of an image at a registry,
// the verdict that follows from it, the rows of a scan and what two scans
// differ in. It does no I/O and imports nothing of refmatrix.
package matrix

// Severity says how much a row asks of its reader, from pass to fail.
type Severity string

// The severities in rising order.
const (
	Pass Severity = "pass" // the referrers API works
	Info Severity = "info" // nothing could be measured, for a reason on the asking side
	Warn Severity = "warn" // no usable referrers API: clients fall back to tags
	Fail Severity = "fail" // the registry, the network or the sign-in broke
)

// Severities lists every severity from the gravest to the mildest, the order
// in which summaries name them.
var Severities = []Severity{Fail, Warn, Info, Pass}

// AtLeast reports whether s is as grave as floor or graver.
func (s Severity) AtLeast(floor Severity) bool { return s.rank() >= floor.rank() }

func (s Severity) rank() int {
	for i, known := range Severities {
		if s == known {
			return len(Severities) - i
		}
	}
	return 0
}

// Support says what the repository does with GET /v2/<name>/referrers/<digest>.
type Support string

// Support values: Invalid is a 200 whose body is no OCI index.
const (
	Supported      Support = "supported"
	Unsupported    Support = "unsupported"
	Invalid        Support = "invalid"
	SupportUnknown Support = "unknown"
)

// Strategy is the way clients have to link signatures, SBOMs and attestations
// to an image here.
type Strategy string

// The strategies: the referrers API, or the referrers tag schema of the OCI
// distribution specification v1.1 ("Referrers Tag Schema").
const (
	ReferrersAPI    Strategy = "referrers-api"
	ReferrersTag    Strategy = "referrers-tag"
	StrategyUnknown Strategy = "unknown"
)

// Strategies lists every strategy in the order summaries name them.
var Strategies = []Strategy{ReferrersAPI, ReferrersTag, StrategyUnknown}

// Confidence says how far the evidence carries the verdict.
type Confidence string

// Proven: the answer leaves no other reading. Likely: another reading exists
// that one scan cannot exclude. Assumed: nothing was measured.
const (
	Proven  Confidence = "proven"
	Likely  Confidence = "likely"
	Assumed Confidence = "assumed"
)

// Reason names why a verdict fell; it is the stable key that scripts match.
type Reason string

// The reasons of measured answers. The faults follow below.
const (
	ReferrersListed  Reason = "referrers-listed"
	ReferrersEmpty   Reason = "referrers-empty"
	IndexOn404       Reason = "index-on-404"
	WrongContentType Reason = "wrong-content-type"
	NotFound         Reason = "not-found"
	MethodNotAllowed Reason = "method-not-allowed"
	Rejected         Reason = "rejected"
	RedirectedAway   Reason = "redirected-away"
	NotAnIndex       Reason = "not-an-index"
	SubjectRejected  Reason = "subject-rejected"
	ImageNotFound    Reason = "image-not-found"
	ManifestRejected Reason = "manifest-rejected"
	Unauthorized     Reason = "unauthorized"
	Forbidden        Reason = "forbidden"
	RateLimited      Reason = "rate-limited"
	NoDigest         Reason = "no-digest"
	ServerError      Reason = "server-error"
)

// The reasons of faults: no answer came that could be judged.
const (
	TokenError  Reason = "token-error"
	DNS         Reason = "dns"
	Connect     Reason = "connect"
	TLS         Reason = "tls"
	Timeout     Reason = "timeout"
	Protocol    Reason = "protocol"
	Redirect    Reason = "redirect"
	AuthRefused Reason = "auth-refused"
	Credentials Reason = "credentials"
)

// Verdict is what follows from an observation.
type Verdict struct {
	Severity         Severity
	Referrers        Support
	Strategy         Strategy
	Confidence       Confidence
	ConfidenceReason string // why the confidence is what it is, one clause
	Reason           Reason
	Detail           string // one plain sentence naming what was seen
	Rule             string // the condition that held, in words
	Status           int    // the HTTP status that decided; 0 where no answer came
}

// Judge gives the verdict on o: the first rule of the table whose condition
// holds. It is a pure function, and the table ends with a rule that always
// holds, so every observation has a verdict.
func Judge(o *Observation) Verdict {
	for i := range rules {
		r := &rules[i]
		if !r.when(o) {
			continue
		}
		v := Verdict{
			Severity: r.Severity, Referrers: r.Referrers, Strategy: r.Strategy, Reason: r.Reason,
			Detail: r.detail(o), Rule: r.Observed, Status: o.deciding().Status,
		}
		v.Confidence, v.ConfidenceReason = confidence(r, o)
		return v
	}
	panic("matrix: the verdict table has no closing rule")
}

// confidence raises a likely "supported" to proven where something was seen
// that a web page or a stub cannot show: descriptors, an announced filter, or
// the write probe's own artifact coming back.
func confidence(r *Rule, o *Observation) (Confidence, string) {
	if r.Confidence != Likely || r.Referrers != Supported {
		return r.Confidence, r.because
	}
	c := &o.Capabilities
	switch {
	case o.Referrers.Index != nil && o.Referrers.Index.Total > 0, c.Descriptors != nil && *c.Descriptors > 0:
		return Proven, "descriptors were listed"
	case c.FilterAnnounced():
		return Proven, "the registry announced OCI-Filters-Applied"
	case c.Push != nil && c.Push.Listed:
		return Proven, "an artifact pushed by the write probe was listed"
	case c.Push.Unlisted():
		return r.Confidence, "the list answers, but an artifact that the write probe pushed never came up in it"
	case c.Push != nil && r.Reason == ReferrersEmpty:
		return r.Confidence, "an empty list is all there is to see, and the write probe proved no more"
	}
	return r.Confidence, r.because
}
