package report

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"refmatrix/matrix"
)

// payload is what the page's script reads: the registries and the rows with the keys of
// matrix.json. It is gzip, because rows repeat each other: a page of 5,000 rows is a twentieth
// of its matrix.json. Exchanges stand apart, in parts that are read when a row is unfolded.
type payload struct {
	columns    []htmlColumn
	registries []pageRegistry
	rows       []pageRow
}

// payloadRegistry is a registry of matrix.json with its cells in the page's matrix.
type payloadRegistry struct {
	ID    string   `json:"id"`
	Cells []string `json:"cells"`
	*matrix.Registry
}

// payloadRow is a row of matrix.json without its exchanges.
type payloadRow struct {
	ID string `json:"id"`
	Of int    `json:"of"` // index of its registry
	*matrix.Row
	Exchanges []matrix.Exchange `json:"exchanges,omitempty"` // empty: it hides the field of Row
}

// Rows of one element: few enough that none is large in the browser's memory.
const (
	packedRows      = 1000
	packedExchanges = 64 // the script counts on it, by the key per_part
)

// payloadTables are what the script needs of the tables of this package.
type payloadTables struct {
	Severities []matrix.Severity `json:"severities"` // in the order they sort
	Columns    []htmlColumn      `json:"columns"`
	PerPart    int               `json:"per_part"` // rows whose exchanges are in one element
}

// write writes the payload, one row at a time. encoding/json writes <, > and & as escapes, so
// the tables cannot end their element, and base64 has none of them.
func (p *payload) write(out *bufio.Writer) error {
	tables, err := json.Marshal(payloadTables{matrix.Severities, p.columns, packedExchanges})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "<script type=\"application/json\" id=\"tables\">%s</script>\n", tables)
	if err := writePacked(out, "registries", p.registries, func(r pageRegistry) any {
		return payloadRegistry{r.ID, r.cells, r.registry}
	}); err != nil {
		return err
	}
	for some := range slices.Chunk(p.rows, packedRows) {
		if err := writePacked(out, "rows", some, func(r pageRow) any {
			return payloadRow{ID: r.ID, Of: r.of, Row: r.row}
		}); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(p.rows, packedExchanges) {
		if err := writePacked(out, "exchanges", some, shownExchanges); err != nil {
			return err
		}
	}
	return nil
}

// shownExchanges returns the exchanges of a row without the fields that the page does not show:
// media types and scopes are most of their text.
func shownExchanges(r pageRow) any {
	out := slices.Clone(r.row.Exchanges)
	for i := range out {
		x := &out[i]
		x.Accept, x.Auth, x.Scope, x.Body, x.Phases = "", "", "", "", nil
	}
	return out
}

// writePacked writes an element of data: values as JSON, one on a line, as gzip in base64.
func writePacked[T any](out *bufio.Writer, kind string, values []T, encoded func(T) any) error {
	_, _ = fmt.Fprintf(out, "<script type=\"application/gzip\" data-packed=%q>", kind)
	encoding := base64.NewEncoder(base64.StdEncoding, out)
	packed := gzip.NewWriter(encoding)
	encoder := json.NewEncoder(packed)
	for _, value := range values {
		if err := encoder.Encode(encoded(value)); err != nil {
			return err
		}
	}
	if err := packed.Close(); err != nil {
		return err
	}
	if err := encoding.Close(); err != nil {
		return err
	}
	_, err := out.WriteString("</script>\n")
	return err
}
