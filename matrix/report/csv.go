package report

import (
	"encoding/csv"
	"io"

	"refmatrix/matrix"
)

// csvColumns are the fixed columns, in the order that other programs rely on: a
// new one goes to the end.
var csvColumns = cellsOf(
	"registry", "url", "image", "digest", "severity", "referrers", "strategy", "confidence", "reason", "status",
	"product", "version", "filter", "pagination", "tag_schema", "cosign_tags", "requests", "duration_ms", "detail",
)

// csvLinkColumns stand at the very end, if a row has a value in one of them.
var csvLinkColumns = cellsOf("links", "links_by_kind", "coverage", "lost")

// csvRecords renders RFC 4180: a header, CRLF, one record a row, a column for every label key
// after the fixed ones, and the columns of links last.
func csvRecords(w io.Writer, m *matrix.Matrix, _ Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	labels := labelKeys(m.Rows)
	header := keysOf(csvColumns)
	for _, key := range labels {
		header = append(header, "label:"+key)
	}
	last := shownLinkColumns(m.Rows)
	header = append(header, keysOf(last)...)
	if err := writeRecord(out, header); err != nil {
		return err
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		var record []string
		for _, c := range csvColumns {
			record = append(record, c.value(r))
		}
		for _, key := range labels {
			record = append(record, r.Labels[key])
		}
		for _, c := range last {
			record = append(record, c.value(r))
		}
		if err := writeRecord(out, record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// shownLinkColumns returns all of csvLinkColumns, or none if every row is empty in each.
func shownLinkColumns(rows []matrix.Row) []*rowCell {
	for _, c := range csvLinkColumns {
		if len(rows) > 0 && !isEmpty(rows, c.value) {
			return csvLinkColumns
		}
	}
	return nil
}

// writeRecord writes a record whose cells no spreadsheet runs.
func writeRecord(out *csv.Writer, record []string) error {
	for i, text := range record {
		record[i] = csvCell(text)
	}
	return out.Write(record)
}
