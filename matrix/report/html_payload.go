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

// payload is the JSON that the page's script works on. What many rows have in
// common (remedies, findings, forecasts, headers) stands once in Pool and is
// named by its index: in a fleet of thousands that is most of the text.
type payload struct {
	Severities []string          `json:"severities"` // in the order they sort
	Cells      []string          `json:"cells"`      // keys of the cells of every row
	Numeric    []string          `json:"numeric"`    // those that sort as numbers
	Searched   []string          `json:"searched"`   // those that a search looks into
	Pool       []json.RawMessage `json:"pool"`
	Rows       []payloadRow      `json:"rows"`
}

// payloadRow holds plain values where rows differ, and indexes of the pool
// where they are mostly the same.
type payloadRow struct {
	ID         string   `json:"id"`
	Cells      []string `json:"cells"`
	Unexpected bool     `json:"unexpected,omitempty"`

	Labels   int `json:"labels"`   // {key: value}
	Detail   int `json:"detail"`   // sentence
	Because  int `json:"because"`  // clause
	Rule     int `json:"rule"`     // clause
	Evidence int `json:"evidence"` // of the product
	Remedy   int `json:"remedy"`   // [sentence]
	Findings int `json:"findings"` // [[code, text]]
	Clients  int `json:"clients"`  // [[name, read, push, version]]
	Facts    int `json:"facts"`    // [[name, value ...]], the capabilities

	Exchanges []payloadExchange `json:"exchanges,omitempty"`
}

// payloadExchange is [step, method, address, status, type, bytes, ms, error,
// index of the headers, [dns, connect, tls, first byte]].
type payloadExchange []any

// pool keeps each value once.
type pool struct {
	values  []json.RawMessage
	indexes map[string]int
	err     error
}

// put returns the index of a value.
func (p *pool) put(value any) int {
	encoded, err := json.Marshal(value)
	if err != nil {
		p.err = err
		return 0
	}
	index, ok := p.indexes[string(encoded)]
	if !ok {
		index = len(p.values)
		p.indexes[string(encoded)] = index
		p.values = append(p.values, encoded)
	}
	return index
}

// payloadCells are the cells that the script works on: the columns of the page,
// and what it shows, searches or filters by besides.
var payloadCells = append(columnCells(), cellsOf("url", "digest", "referrers", "product", "expect")...)

var searchedCells = cellsOf("registry", "url", "image", "digest", "severity", "strategy", "reason", "software")

// encodePayload encodes the rows. json.Marshal writes <, >, &, U+2028 and U+2029
// as escapes, so the text can neither end its script element nor open a comment
// in it; that is what makes the conversion to template.JS right.
func encodePayload(rows []matrix.Row, ids []string) (template.JS, error) {
	p := &pool{indexes: map[string]int{}}
	data := payload{
		Severities: texts(matrix.Severities),
		Cells:      keysOf(payloadCells),
		Numeric:    numericColumns(),
		Searched:   keysOf(searchedCells),
		Rows:       make([]payloadRow, len(rows)),
	}
	for i := range rows {
		data.Rows[i] = newPayloadRow(p, &rows[i], ids[i])
	}
	data.Pool = p.values
	if p.err != nil {
		return "", p.err
	}
	encoded, err := json.Marshal(data)
	return template.JS(encoded), err
}

func newPayloadRow(p *pool, r *matrix.Row, id string) payloadRow {
	findings, clients := [][2]string{}, [][4]string{}
	for _, f := range r.Findings {
		findings = append(findings, [2]string{f.Code, f.Text})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Clients)) {
		f := r.Clients[name]
		clients = append(clients, [4]string{name, string(f.Read), string(f.Push), f.Version})
	}
	labels, remedy := r.Labels, r.Remedy
	if labels == nil {
		labels = map[string]string{}
	}
	if remedy == nil {
		remedy = []string{}
	}
	out := payloadRow{
		ID:         id,
		Unexpected: r.Unexpected,
		Labels:     p.put(labels),
		Detail:     p.put(r.Detail),
		Because:    p.put(r.ConfidenceReason),
		Rule:       p.put(r.Rule),
		Evidence:   p.put(productOf(r).Evidence),
		Remedy:     p.put(remedy),
		Findings:   p.put(findings),
		Clients:    p.put(clients),
		Facts:      p.put(facts(r.Capabilities)),
	}
	for _, c := range payloadCells {
		out.Cells = append(out.Cells, c.value(r))
	}
	for i := range r.Exchanges {
		out.Exchanges = append(out.Exchanges, newPayloadExchange(p, &r.Exchanges[i], r.URL))
	}
	return out
}

// newPayloadExchange leaves the registry's own address out: an address that is
// whole is elsewhere, which is worth seeing at a glance.
func newPayloadExchange(p *pool, x *matrix.Exchange, origin string) payloadExchange {
	address := x.URL
	if path, ok := strings.CutPrefix(address, strings.TrimSuffix(origin, "/")); ok && strings.HasPrefix(path, "/") {
		address = path
	}
	phases := []float64{}
	if t := x.Phases; t != nil {
		phases = []float64{tenths(t.DNS), tenths(t.Connect), tenths(t.TLS), tenths(t.FirstByte)}
	}
	headers := x.Headers
	if headers == nil {
		headers = map[string]string{}
	}
	return payloadExchange{
		x.Step, x.Method, address, x.Status, x.ContentType, x.Bytes, tenths(x.MS), x.Error, p.put(headers), phases,
	}
}

// tenths rounds milliseconds as they are shown.
func tenths(ms float64) float64 { return math.Round(ms*10) / 10 }

// facts are the capabilities, a name and its values each.
func facts(c *matrix.Capabilities) [][]string {
	out := [][]string{}
	if c == nil {
		return out
	}
	for i := range capabilities {
		for _, parts := range capabilities[i].all(c) {
			out = append(out, append([]string{capabilities[i].name}, parts...))
		}
	}
	return out
}
