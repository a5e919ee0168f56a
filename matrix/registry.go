package matrix

import "slices"

// Registry is the roll-up of the rows of one registry. Support is measured per repository
// and people decide per registry, so it says what the images agree on and where they differ.
type Registry struct {
	Name   string            `json:"name"`
	URL    string            `json:"url"`
	Labels map[string]string `json:"labels,omitempty"`

	Severity  Severity `json:"severity"`  // the most severe of its rows
	Referrers Support  `json:"referrers"` // of the rows that were measured; mixed if they differ
	Strategy  Strategy `json:"strategy"`  // as Referrers

	Rows       int            `json:"rows"`
	Pass       int            `json:"pass"`
	Warn       int            `json:"warn"`
	Info       int            `json:"info"`
	Fail       int            `json:"fail"`
	Unexpected int            `json:"unexpected,omitempty"`
	Reasons    map[Reason]int `json:"reasons"` // rows by reason

	Product     *Product `json:"product,omitempty"`
	Credentials string   `json:"credentials,omitempty"` // as in Row

	// Capabilities is what the images agree on, by the keys of SharedCapabilities, or
	// CapabilityMixed. What no image shows is left out.
	Capabilities map[string]string          `json:"capabilities,omitempty"`
	Clients      map[string]ClientForecasts `json:"clients,omitempty"`  // by name
	Findings     map[string]int             `json:"findings,omitempty"` // rows by code of the finding

	Links    *RegistryLinks              `json:"links,omitempty"` // nil if no image's links were probed
	Coverage map[LinkKind]CoverageCounts `json:"coverage,omitempty"`
	Lost     int                         `json:"lost,omitempty"` // links, see Row.Lost

	Do string `json:"do,omitempty"` // what to do first; empty if there is nothing to do
}

// ClientForecasts is what one client will do with the images of a registry: the worst
// outcome of all.
type ClientForecasts struct {
	Read    Outcome `json:"read"`
	Push    Outcome `json:"push,omitempty"` // empty: the client attaches nothing
	Version string  `json:"version"`
	Differs bool    `json:"differs,omitempty"` // not with every image
}

// RegistryLinks counts the links of the images whose links were probed.
type RegistryLinks struct {
	Images int              `json:"images"`
	Total  int              `json:"total"`
	ByKind map[LinkKind]int `json:"by_kind,omitempty"` // "" is not a key: links of unknown kind are in Total alone
}

// Count returns the number of rows of a severity.
func (r *Registry) Count(severity Severity) int {
	return map[Severity]int{Pass: r.Pass, Warn: r.Warn, Info: r.Info, Fail: r.Fail}[severity]
}

// RollUp returns the registries of rows, in the order of their first rows.
func RollUp(rows []Row) []Registry {
	out := []Registry{}
	for _, same := range byRegistry(rows) {
		out = append(out, newRegistry(same))
	}
	return out
}

// WorstFirst returns registries with those that need something done first: by severity, and
// what was lost or is missing before what has everything. Equal ones keep their order.
func WorstFirst(registries []Registry) []*Registry {
	out := make([]*Registry, len(registries))
	for i := range registries {
		out[i] = &registries[i]
	}
	slices.SortStableFunc(out, func(a, b *Registry) int {
		if by := b.Severity.rank() - a.Severity.rank(); by != 0 {
			return by
		}
		switch {
		case (a.Do == "") == (b.Do == ""):
			return 0
		case a.Do != "":
			return -1
		}
		return 1
	})
	return out
}

// byRegistry parts rows by the names of their registries, in the order they come.
func byRegistry(rows []Row) [][]*Row {
	var out [][]*Row
	index := map[string]int{}
	for i := range rows {
		r := &rows[i]
		at, ok := index[r.Registry]
		if !ok {
			at = len(out)
			index[r.Registry] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], r)
	}
	return out
}

// newRegistry rolls up the rows of one registry.
func newRegistry(rows []*Row) Registry {
	out := Registry{
		Name:         rows[0].Registry,
		URL:          rows[0].URL,
		Labels:       rows[0].Labels,
		Severity:     rows[0].Severity,
		Referrers:    SupportUnknown,
		Strategy:     StrategyUnknown,
		Reasons:      map[Reason]int{},
		Findings:     map[string]int{},
		Capabilities: sharedCapabilities(rows),
		Clients:      worstForecasts(rows),
		Coverage:     map[LinkKind]CoverageCounts{},
		Do:           firstAction(rows),
	}
	for _, r := range rows {
		out.addVerdict(r)
		out.addLinks(r)
		if out.Product == nil {
			out.Product = r.Product
		}
		if out.Credentials == "" {
			out.Credentials = r.Credentials
		}
		for _, f := range r.Findings {
			out.Findings[f.Code]++
		}
	}
	return out
}

// addVerdict counts the verdict of one row.
func (r *Registry) addVerdict(row *Row) {
	r.Rows++
	switch row.Severity {
	case Pass:
		r.Pass++
	case Warn:
		r.Warn++
	case Info:
		r.Info++
	case Fail:
		r.Fail++
	}
	if row.Unexpected {
		r.Unexpected++
	}
	r.Reasons[row.Reason]++
	if !r.Severity.AtLeast(row.Severity) {
		r.Severity = row.Severity
	}
	r.Referrers = agreed(r.Referrers, row.Referrers, SupportUnknown, SupportMixed)
	r.Strategy = agreed(r.Strategy, row.Strategy, StrategyUnknown, StrategyMixed)
}

// agreed returns what two values have in common. An unknown one takes nothing away from the
// other: what was not measured does not differ.
func agreed[T ~string](a, b, unknown, mixed T) T {
	switch {
	case b == "" || b == unknown || a == b:
		return a
	case a == unknown:
		return b
	}
	return mixed
}

// addLinks counts what is attached to one image.
func (r *Registry) addLinks(row *Row) {
	r.Lost += len(row.Lost)
	for kind, coverage := range row.Coverage {
		counts := r.Coverage[kind]
		counts.add(coverage)
		r.Coverage[kind] = counts
	}
	if row.Links == nil {
		return
	}
	if r.Links == nil {
		r.Links = &RegistryLinks{ByKind: map[LinkKind]int{}}
	}
	r.Links.Images++
	r.Links.Total += row.Links.Total
	for _, counted := range row.Links.Counts() {
		if counted.Kind != "" {
			r.Links.ByKind[counted.Kind] += counted.N
		}
	}
}
