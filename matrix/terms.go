package matrix

// Severity says how much a row asks of its reader, from pass to fail.
type Severity string

// The severities in rising order.
const (
	Pass Severity = "pass" // the referrers API works
	Info Severity = "info" // not measured, for a reason on your side
	Warn Severity = "warn" // no usable referrers API: clients fall back to tags
	Fail Severity = "fail" // the registry, the network or the sign-in broke
)

// Severities lists every severity from the most severe to the mildest, the order
// in which summaries name them.
var Severities = []Severity{Fail, Warn, Info, Pass}

// AtLeast reports whether s is at least as severe as floor.
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

// Support values: Invalid is a 200 whose body is not an OCI index.
const (
	Supported      Support = "supported"
	Unsupported    Support = "unsupported"
	Invalid        Support = "invalid"
	SupportUnknown Support = "unknown"
	SupportMixed   Support = "mixed" // of a registry: its images differ
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
	StrategyMixed   Strategy = "mixed" // of a registry: its images differ
)

// Strategies lists every strategy of a row in the order summaries name them.
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

// Reason names why the verdict is what it is; it is the stable key that scripts
// match.
type Reason string

// The reasons of measured answers. The faults follow below.
const (
	ReferrersListed    Reason = "referrers-listed"
	ReferrersEmpty     Reason = "referrers-empty"
	IndexOn404         Reason = "index-on-404"
	WrongContentType   Reason = "wrong-content-type"
	NotFound           Reason = "not-found"
	MethodNotAllowed   Reason = "method-not-allowed"
	Rejected           Reason = "rejected"
	RedirectedAway     Reason = "redirected-away"
	NotAnIndex         Reason = "not-an-index"
	IgnoresDigest      Reason = "ignores-digest"
	SubjectRejected    Reason = "subject-rejected"
	ImageNotFound      Reason = "image-not-found"
	ManifestRejected   Reason = "manifest-rejected"
	NotARegistry       Reason = "not-a-registry"
	Unauthorized       Reason = "unauthorized"
	CredentialsRefused Reason = "credentials-refused"
	Forbidden          Reason = "forbidden"
	RateLimited        Reason = "rate-limited"
	NoDigest           Reason = "no-digest"
	TooLarge           Reason = "too-large"
	ServerError        Reason = "server-error"
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
