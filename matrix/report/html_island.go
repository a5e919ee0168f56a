package report

import (
	"encoding/json"
	"html/template"
	"maps"
	"math"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// islandData is the JSON that the page's script works on. What many rows have
// in common (remedies, findings, forecasts, headers) stands once in Pool and
// is named by its place: in a fleet of thousands that is most of the text.
type islandData struct {
	Pool []json.RawMessage `json:"pool"`
	Rows []islandRow       `json:"rows"`
}

// islandRow holds plain values where rows differ, places in the pool where
// they are mostly the same.
type islandRow struct {
	ID         string  `json:"id"`
	Severity   string  `json:"severity"`
	Registry   string  `json:"registry"`
	URL        string  `json:"url"`
	Image      string  `json:"image"`
	Digest     string  `json:"digest,omitempty"`
	Referrers  string  `json:"referrers"`
	Strategy   string  `json:"strategy"`
	Confidence string  `json:"confidence"`
	Reason     string  `json:"reason"`
	Status     int     `json:"status,omitempty"`
	Product    string  `json:"product,omitempty"` // with its version, as shown
	Name       string  `json:"name,omitempty"`    // of the product alone, as chosen
	Filter     string  `json:"filter,omitempty"`
	Tag        string  `json:"tag,omitempty"`
	Push       string  `json:"push,omitempty"`
	Expect     string  `json:"expect,omitempty"`
	Unexpected bool    `json:"unexpected,omitempty"`
	Requests   int     `json:"requests"`
	MS         float64 `json:"ms"`

	Labels   int `json:"labels"`   // {key: value}
	Detail   int `json:"detail"`   // sentence
	Because  int `json:"because"`  // clause
	Rule     int `json:"rule"`     // clause
	Evidence int `json:"evidence"` // of the product
	Remedy   int `json:"remedy"`   // [sentence]
	Findings int `json:"findings"` // [[code, text]]
	Clients  int `json:"clients"`  // [[name, read, push, version]]
	Facts    int `json:"facts"`    // [[name, value ...]], the capabilities

	Exchanges []islandExchange `json:"exchanges,omitempty"`
}

// islandExchange is [step, method, address, status, type, bytes, ms, error,
// place of the headers, [dns, connect, tls, first byte]].
type islandExchange []any

// pool keeps each value once.
type pool struct {
	values []json.RawMessage
	places map[string]int
	err    error
}

// put gives the place of a value.
func (p *pool) put(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		p.err = err
		return 0
	}
	at, ok := p.places[string(encoded)]
	if !ok {
		at = len(p.values)
		p.places[string(encoded)] = at
		p.values = append(p.values, encoded)
	}
	return at
}

// island encodes the rows. json.Marshal writes <, >, &, U+2028 and U+2029 as
// escapes, so the text can neither end its script element nor open a comment
// in it; that is what makes the conversion to template.JS right.
func island(rows []matrix.Row, shown []pageRow) (template.JS, error) {
	p := &pool{places: map[string]int{}}
	data := islandData{Rows: make([]islandRow, len(rows))}
	for i := range rows {
		data.Rows[i] = newIslandRow(p, &rows[i], &shown[i])
	}
	data.Pool = p.values
	if p.err != nil {
		return "", p.err
	}
	encoded, err := json.Marshal(data)
	return template.JS(encoded), err
}

func newIslandRow(p *pool, r *matrix.Row, shown *pageRow) islandRow {
	out := islandRow{
		ID: shown.ID, Severity: shown.Severity, Registry: shown.Registry.String(), URL: matrix.Printable(r.URL), Image: shown.Image.String(), Digest: matrix.Printable(r.Digest),
		Referrers: matrix.Printable(string(r.Referrers)), Strategy: shown.Strategy, Confidence: shown.Confidence, Reason: shown.Reason,
		Status: r.Status, Product: shown.Product, Filter: shown.Filter, Tag: shown.Tag, Push: shown.Push,
		Expect: matrix.Printable(r.Expect), Unexpected: r.Unexpected, Requests: r.Requests, MS: tenths(r.DurationMS),
		Labels: p.put(cleanMap(r.Labels)), Detail: p.put(shown.Detail), Because: p.put(matrix.Printable(r.ConfidenceReason)),
		Rule: p.put(matrix.Printable(r.Rule)), Remedy: p.put(cleanAll(r.Remedy)), Facts: p.put(facts(r.Capabilities)),
	}
	evidence := ""
	if r.Product != nil {
		out.Name, evidence = matrix.Printable(r.Product.Name), matrix.Printable(r.Product.Evidence)
	}
	out.Evidence = p.put(evidence)
	findings, clients := [][2]string{}, [][4]string{}
	for _, f := range r.Findings {
		findings = append(findings, [2]string{matrix.Printable(f.Code), matrix.Printable(f.Text)})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Clients)) {
		f := r.Clients[name]
		clients = append(clients, [4]string{matrix.Printable(name), matrix.Printable(string(f.Read)), matrix.Printable(string(f.Push)), matrix.Printable(f.Version)})
	}
	out.Findings, out.Clients = p.put(findings), p.put(clients)
	for i := range r.Exchanges {
		out.Exchanges = append(out.Exchanges, newIslandExchange(p, &r.Exchanges[i], r.URL))
	}
	return out
}

// newIslandExchange leaves the registry's own address out: what stands whole
// went elsewhere, which is worth seeing at a glance.
func newIslandExchange(p *pool, x *matrix.Exchange, origin string) islandExchange {
	address := x.URL
	if path, ok := strings.CutPrefix(address, strings.TrimSuffix(origin, "/")); ok && strings.HasPrefix(path, "/") {
		address = path
	}
	phases := []float64{}
	if x.Phases != nil {
		phases = []float64{tenths(x.Phases.DNS), tenths(x.Phases.Connect), tenths(x.Phases.TLS), tenths(x.Phases.FirstByte)}
	}
	return islandExchange{matrix.Printable(x.Step), matrix.Printable(x.Method), matrix.Printable(address), x.Status, matrix.Printable(x.ContentType), x.Bytes, tenths(x.MS),
		matrix.Printable(x.Error), p.put(cleanMap(x.Headers)), phases}
}

// tenths rounds milliseconds as they are shown.
func tenths(ms float64) float64 { return math.Round(ms*10) / 10 }

func cleanMap(in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for key, value := range in {
		out[matrix.Printable(key)] = matrix.Printable(value)
	}
	return out
}

func cleanAll(in []string) []string {
	out := make([]string, 0, len(in))
	for _, text := range in {
		out = append(out, matrix.Printable(text))
	}
	return out
}

// facts are the capabilities, a name and its values each.
func facts(c *matrix.Capabilities) [][]string {
	out := [][]string{}
	if c == nil {
		return out
	}
	for i := range capabilities {
		for _, parts := range capabilities[i].all(c) {
			out = append(out, append([]string{capabilities[i].name}, cleanAll(parts)...))
		}
	}
	return out
}
