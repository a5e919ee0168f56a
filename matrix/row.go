package matrix

// Row is the answer for one image at one registry.
type Row struct {
	Registry string            `json:"registry"`
	URL      string            `json:"url"`
	Image    string            `json:"image"`
	Labels   map[string]string `json:"labels"`
	Digest   string            `json:"digest,omitempty"`

	MediaType string `json:"media_type,omitempty"` // of the manifest, as the registry names it

	Severity         Severity   `json:"severity"`
	Referrers        Support    `json:"referrers"`
	Strategy         Strategy   `json:"strategy"`
	Confidence       Confidence `json:"confidence"`
	ConfidenceReason string     `json:"confidence_reason,omitempty"`
	Reason           Reason     `json:"reason"`
	Detail           string     `json:"detail"`
	Rule             string     `json:"rule,omitempty"`
	Remedy           []string   `json:"remedy"`
	Status           int        `json:"status,omitempty"`
	Message          string     `json:"message,omitempty"` // of the registry, as Detail quotes it

	Expect     string `json:"expect,omitempty"`     // what the inventory expects
	Unexpected bool   `json:"unexpected,omitempty"` // the row differs from it

	// Credentials is where the row's account comes from: none, anonymous, inventory, auth
	// file, docker config, docker config file, or helper NAME.
	Credentials string `json:"credentials,omitempty"`

	// UnmeasuredScans counts the scans in a row that ended without a verdict for this
	// image, this one included. It is counted from baseline to baseline: 0 if the row has
	// a verdict, or if the scan had no baseline.
	UnmeasuredScans int `json:"unmeasured_scans,omitempty"`

	Requests   int     `json:"requests"`
	DurationMS float64 `json:"duration_ms"`

	Product      *Product            `json:"product,omitempty"`
	Capabilities *Capabilities       `json:"capabilities,omitempty"`
	Clients      map[string]Forecast `json:"clients,omitempty"`
	Findings     []Finding           `json:"findings,omitempty"`
	Links        *Links              `json:"links,omitempty"` // nil if they were not probed

	// Coverage is of the kinds that the inventory requires, empty if it requires none.
	// Lacking names the platforms that lack a kind which is partial.
	Coverage map[LinkKind]Coverage `json:"coverage,omitempty"`
	Lacking  map[LinkKind][]string `json:"lacking,omitempty"`

	// Lost is the links that are gone since an earlier scan. A loss stays until the link is
	// back or the image's digest moves; see FindLosses.
	Lost []Lost `json:"lost,omitempty"`

	Exchanges []Exchange `json:"exchanges,omitempty"`
	Omitted   *Omitted   `json:"omitted,omitempty"` // what was left out of a row that was too large
}

// Measured reports whether the row has a verdict on the referrers API.
func (r *Row) Measured() bool { return r.Referrers != SupportUnknown }

// WithoutExchanges returns a copy of r as the history keeps it. Exchanges are four fifths of
// a row's JSON, and nothing that compares scans reads them. Omitted counts what was left out
// because the row was too large, so it then counts links alone.
func (r *Row) WithoutExchanges() *Row {
	out := *r
	out.Exchanges, out.Omitted = nil, nil
	if r.Omitted != nil && r.Omitted.Links > 0 {
		out.Omitted = &Omitted{Links: r.Omitted.Links}
	}
	return &out
}

// Steps that exchanges name, beside those of the probe alone.
const (
	TokenStep    = "token"    // a request for a token
	LoginStep    = "login"    // GET /v2/, to see whether the registry accepts the account
	PlatformStep = "platform" // a request about one platform of the image
)

// Exchange is one HTTP request and its answer as they went over the wire,
// without secrets.
type Exchange struct {
	Step        string            `json:"step"`
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Accept      string            `json:"accept,omitempty"` // media types that the request accepted, ", " between them
	Auth        string            `json:"auth,omitempty"`   // scheme the request was signed with: basic or bearer
	Scope       string            `json:"scope,omitempty"`  // token scope that the request needs or asks for
	Status      int               `json:"status,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Bytes       int64             `json:"bytes"`
	MS          float64           `json:"ms"`
	Error       string            `json:"error,omitempty"`
	Body        string            `json:"body,omitempty"`    // how an error body begins; only of explain
	Headers     map[string]string `json:"headers,omitempty"` // response headers that verdicts rest on
	Phases      *Phases           `json:"phases,omitempty"`
}

// Phases is where the time of an exchange went, in milliseconds; a phase that
// did not happen (a reused connection has no dial) is 0 and left out.
type Phases struct {
	DNS       float64 `json:"dns_ms,omitempty"`
	Connect   float64 `json:"connect_ms,omitempty"`
	TLS       float64 `json:"tls_ms,omitempty"`
	FirstByte float64 `json:"first_byte_ms,omitempty"`
}

// Finding is something worth knowing beside the verdict.
type Finding struct {
	Code string `json:"code"`
	Text string `json:"text"` // one sentence
}
