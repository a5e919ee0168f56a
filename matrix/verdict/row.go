package verdict

import "refmatrix/matrix"

// Target is one image at one registry, as the inventory names it.
type Target struct {
	Registry string
	URL      string
	Image    string
	Labels   map[string]string
	Expect   string // a strategy or a support word; empty expects nothing
}

// NewRow judges o and returns the row of t, without requests, duration and
// exchanges, which the scanner knows.
func NewRow(t Target, o *Observation) matrix.Row {
	v := Judge(o)
	row := matrix.Row{
		Registry:         t.Registry,
		URL:              t.URL,
		Image:            t.Image,
		Labels:           t.Labels,
		Digest:           o.Manifest.Digest,
		MediaType:        o.Manifest.MediaType,
		Severity:         v.Severity,
		Referrers:        v.Referrers,
		Strategy:         v.Strategy,
		Confidence:       v.Confidence,
		ConfidenceReason: v.ConfidenceReason,
		Reason:           v.Reason,
		Detail:           v.Detail,
		Rule:             v.Rule,
		Remedy:           remediesFor(o, v),
		Status:           v.Status,
		Expect:           t.Expect,
		Clients:          forecast(o),
		Findings:         findingsOn(o, v),
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
