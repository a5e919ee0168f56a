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
// of its matrix.json. Exchanges and links stand apart, in parts that are read when a row is
// unfolded, because they are most of a row.
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

// payloadRow is a row of matrix.json without its exchanges, and with its links counted alone.
// Its last two fields hide those of Row.
type payloadRow struct {
	ID string `json:"id"`
	Of int    `json:"of"` // index of its registry
	*matrix.Row
	Links     *matrix.Links     `json:"links,omitempty"`
	Exchanges []matrix.Exchange `json:"exchanges,omitempty"`
}

// Rows of one element: few enough that none is large in the browser's memory.
const (
	packedRows     = 1000
	packedEvidence = 64
)

// payloadTables are what the script needs of the tables of this package.
type payloadTables struct {
	Severities []matrix.Severity `json:"severities"` // in the order they sort
	Columns    []htmlColumn      `json:"columns"`
	PerPart    int               `json:"per_part"` // rows whose evidence is in one element
}

// write writes the payload, one row at a time. encoding/json writes <, > and & as escapes, so
// the tables cannot end their element, and base64 has none of them.
func (p *payload) write(out *bufio.Writer) error {
	tables, err := json.Marshal(payloadTables{matrix.Severities, p.columns, packedEvidence})
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
		if err := writePacked(out, "rows", some, newPayloadRow); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(p.rows, packedEvidence) {
		if err := writePacked(out, "evidence", evidenceOf(some), func(one any) any { return one }); err != nil {
			return err
		}
	}
	return nil
}

func newPayloadRow(r pageRow) any {
	out := payloadRow{ID: r.ID, Of: r.of, Row: r.row}
	if r.row.Links != nil {
		counted := *r.row.Links
		counted.Items = nil
		out.Links = &counted
	}
	return out
}

// evidenceOf returns the links of each row and then the exchanges of each, because gzip finds
// what is alike if it stands close together. Of exchanges the fields that the page does not show
// are left out: media types and scopes are most of their text.
func evidenceOf(rows []pageRow) []any {
	var out []any
	for _, r := range rows {
		links := []matrix.Link{}
		if r.row.Links != nil {
			links = append(links, r.row.Links.Items...)
		}
		out = append(out, links)
	}
	for _, r := range rows {
		exchanges := append([]matrix.Exchange{}, r.row.Exchanges...)
		for i := range exchanges {
			x := &exchanges[i]
			x.Accept, x.Auth, x.Scope, x.Body, x.Phases = "", "", "", "", nil
		}
		out = append(out, exchanges)
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
