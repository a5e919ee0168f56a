package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// payload is the JSON that the page's script works on. What many rows have in
// common (remedies, findings, forecasts, headers) stands once in its pool and is
// named by its index: in a fleet of thousands that is most of the text.
type payload struct {
	rows []matrix.Row
	ids  []string // of the rows, in the page
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

	Missing  []string `json:"missing,omitempty"`  // kinds
	Coverage string   `json:"coverage,omitempty"` // as matrix.csv has it
	Links    string   `json:"links,omitempty"`    // how many; "" if they were not probed
	Attached []string `json:"attached,omitempty"` // a text for each link that the row keeps
	Lost     []string `json:"lost,omitempty"`     // a text for each

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

// write writes the payload, one row at a time. encoding/json writes <, >, &, U+2028 and
// U+2029 as escapes, so the text can neither end its script element nor open a comment
// in it.
func (p *payload) write(out *bufio.Writer) error {
	values := &pool{indexes: map[string]int{}}
	encoder := json.NewEncoder(out)
	_, _ = out.WriteString("{")
	for _, one := range []struct {
		key   string
		value any
	}{
		{"severities", matrix.Severities}, // in the order they sort
		{"cells", keysOf(payloadCells)},   // keys of the cells of every row
		{"numeric", numericColumns()},     // those that sort as numbers
		{"searched", keysOf(searchedCells)},
	} {
		_, _ = fmt.Fprintf(out, "%q:", one.key)
		if err := encoder.Encode(one.value); err != nil {
			return err
		}
		_, _ = out.WriteString(",")
	}
	_, _ = out.WriteString(`"rows":[`)
	for i := range p.rows {
		if i > 0 {
			_, _ = out.WriteString(",")
		}
		if err := encoder.Encode(newPayloadRow(values, &p.rows[i], p.ids[i])); err != nil {
			return err
		}
	}
	_, _ = out.WriteString(`],"pool":[`)
	for i, value := range values.values {
		if i > 0 {
			_, _ = out.WriteString(",")
		}
		_, _ = out.Write(value)
	}
	_, _ = out.WriteString("]}")
	return values.err
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
	out.addLinks(r)
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
