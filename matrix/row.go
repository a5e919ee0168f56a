package matrix

import (
	"slices"
	"time"
)

// Schema names the format of matrix.json.
const Schema = "refmatrix/v1"

// Matrix is one scan. Its JSON is the contract other programs read.
type Matrix struct {
	Schema   string    `json:"schema"`
	Tool     Tool      `json:"tool"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Complete bool      `json:"complete"`        // every image of the inventory's part that was scanned has its row
	Shard    string    `json:"shard,omitempty"` // "I/N" where this is one shard of a scan

	Selection     []string `json:"selection,omitempty"`      // the flags that chose a part of the inventory, sorted
	MissingShards []string `json:"missing_shards,omitempty"` // of a merge: "I/N" of each that is not here whole

	Summary Summary `json:"summary"`
	Rows    []Row   `json:"rows"`
}

// Scope is the part of an inventory that a scan was to measure.
type Scope struct {
	Shard     string   // as in Matrix
	Selection []string // as in Matrix
}

// Scope gives the part of the inventory that m was to measure.
func (m *Matrix) Scope() Scope { return Scope{m.Shard, m.Selection} }

// Whole reports whether s is all of an inventory.
func (s Scope) Whole() bool { return s.Shard == "" && len(s.Selection) == 0 }

// Equal reports whether s and other are chosen alike.
func (s Scope) Equal(other Scope) bool {
	return s.Shard == other.Shard && slices.Equal(s.Selection, other.Selection)
}

// Tool is the program that measured.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Summary counts the rows of a matrix.
type Summary struct {
	Registries int `json:"registries"`
	Rows       int `json:"rows"`
	Pass       int `json:"pass"`
	Warn       int `json:"warn"`
	Info       int `json:"info"`
	Fail       int `json:"fail"`
	Unexpected int `json:"unexpected,omitempty"`
}

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

	Expect     string `json:"expect,omitempty"`     // what the inventory expects
	Unexpected bool   `json:"unexpected,omitempty"` // the row differs from it

	Requests   int     `json:"requests"`
	DurationMS float64 `json:"duration_ms"`

	Product      *Product            `json:"product,omitempty"`
	Capabilities *Capabilities       `json:"capabilities,omitempty"`
	Clients      map[string]Forecast `json:"clients,omitempty"`
	Findings     []Finding           `json:"findings,omitempty"`
	Exchanges    []Exchange          `json:"exchanges,omitempty"`
}

// Exchange is one HTTP request and its answer as they went over the wire,
// without secrets.
type Exchange struct {
	Step        string            `json:"step"`
	Method      string            `json:"method"`
	URL         string            `json:"url"`
	Auth        string            `json:"auth,omitempty"` // scheme the request was signed with: basic or bearer
	Status      int               `json:"status,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Bytes       int64             `json:"bytes"`
	MS          float64           `json:"ms"`
	Error       string            `json:"error,omitempty"`
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

// Target is one image at one registry, as the inventory names it.
type Target struct {
	Registry string
	URL      string
	Image    string
	Labels   map[string]string
	Expect   string // a strategy or a support word; empty expects nothing
}

// NewRow judges o and gives the row of t, without requests, duration and
// exchanges, which the scanner knows.
func NewRow(t Target, o *Observation) Row {
	v := Judge(o)
	row := Row{
		Registry: t.Registry, URL: t.URL, Image: t.Image, Labels: t.Labels, Digest: o.Manifest.Digest, MediaType: o.Manifest.MediaType,
		Severity: v.Severity, Referrers: v.Referrers, Strategy: v.Strategy,
		Confidence: v.Confidence, ConfidenceReason: v.ConfidenceReason,
		Reason: v.Reason, Detail: v.Detail, Rule: v.Rule, Status: v.Status,
		Expect: t.Expect, Clients: forecast(o), Findings: findings(o, v), Remedy: remedies(o, v),
	}
	if row.Labels == nil {
		row.Labels = map[string]string{}
	}
	row.Unexpected = t.Expect != "" && t.Expect != string(v.Strategy) && t.Expect != string(v.Referrers)
	if o.Product.Name != "" {
		row.Product = &o.Product
	}
	if o.resolved() && o.Referrers.Status != 0 {
		row.Capabilities = &o.Capabilities
	}
	return row
}

// Summarise counts rows.
func Summarise(rows []Row) Summary {
	s := Summary{Rows: len(rows)}
	registries := map[string]bool{}
	for i := range rows {
		registries[rows[i].Registry] = true
		switch rows[i].Severity {
		case Pass:
			s.Pass++
		case Warn:
			s.Warn++
		case Info:
			s.Info++
		case Fail:
			s.Fail++
		}
		if rows[i].Unexpected {
			s.Unexpected++
		}
	}
	s.Registries = len(registries)
	return s
}

// Count is the number of rows of severity s.
func (s Summary) Count(severity Severity) int {
	return map[Severity]int{Pass: s.Pass, Warn: s.Warn, Info: s.Info, Fail: s.Fail}[severity]
}

// Gates reports whether a row stands at or above floor, which is what
// --fail-on asks.
func (m *Matrix) Gates(floor Severity) bool {
	for i := range m.Rows {
		if m.Rows[i].Severity.AtLeast(floor) {
			return true
		}
	}
	return false
}
