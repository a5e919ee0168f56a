package verdict

import (
	"strings"

	"refmatrix/matrix"
)

// Target is one image at one registry, as the inventory names it.
type Target struct {
	Registry string
	URL      string
	Image    string
	Labels   map[string]string
	Expect   string            // a strategy or a support word; empty expects nothing
	Require  []matrix.LinkKind // kinds that the image must have

	// Clean makes a string from the wire fit for the row: it takes out the secrets of
	// the registry's account. Nil is for observations of no registry, and only makes
	// strings printable.
	Clean func(string) string
}

// NewRow judges o and returns the row of t, without requests, duration and
// exchanges, which the scanner knows. All that is decided is decided on o as it is;
// strings from the wire are cleaned as they enter the row.
func NewRow(t Target, o *Observation) matrix.Row {
	s := show(o, t.Clean)
	v := judge(o, s)
	row := matrix.Row{
		Registry:         t.Registry,
		URL:              t.URL,
		Image:            t.Image,
		Labels:           t.Labels,
		Digest:           s.Manifest.Digest,
		MediaType:        s.Manifest.MediaType,
		Severity:         v.Severity,
		Referrers:        v.Referrers,
		Strategy:         v.Strategy,
		Confidence:       v.Confidence,
		ConfidenceReason: v.ConfidenceReason,
		Reason:           v.Reason,
		Detail:           v.Detail,
		Rule:             v.Rule,
		Remedy:           remediesFor(o, s, v),
		Status:           v.Status,
		Message:          s.quotedIn(v.Detail),
		Expect:           t.Expect,
		Credentials:      o.Credentials.Source,
		Clients:          s.clients,
		Findings:         findingsOn(o, s, v),
		Links:            s.links,
	}
	row.Coverage, row.Lacking = cover(t.Require, o.Links, cleanerOf(t.Clean))
	if strings.HasSuffix(t.Image, "@"+o.Manifest.Digest) {
		row.Digest = o.Manifest.Digest // the inventory's own text, which is never changed
	}
	if row.Labels == nil {
		row.Labels = map[string]string{}
	}
	row.Unexpected = t.Expect != "" && t.Expect != string(v.Strategy) && t.Expect != string(v.Referrers)
	row.Product = s.Product.inRow()
	if o.resolved() && o.Referrers.Status != 0 {
		capabilities := s.Capabilities // a copy, so that the row does not keep all of s
		row.Capabilities = &capabilities
	}
	return row
}

// ShowProduct returns what rows show of p, or nil if p is not known. clean is that of
// Target.
func ShowProduct(p Product, clean func(string) string) *matrix.Product {
	return cleanerOf(clean).product(p).inRow()
}

// inRow returns p, which was cleaned, as rows have it.
func (p Product) inRow() *matrix.Product {
	if p.Name == "" {
		return nil
	}
	return &matrix.Product{
		Name:     p.Name,
		Version:  p.Version,
		Evidence: p.evidence(),
	}
}
