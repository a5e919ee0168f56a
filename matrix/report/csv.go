package report

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"refmatrix/matrix"
)

// csvColumns are the fixed columns, in the order that other programs rely on.
var csvColumns = []struct {
	name  string
	value func(*matrix.Row) string
}{
	{"registry", func(r *matrix.Row) string { return r.Registry }},
	{"url", func(r *matrix.Row) string { return r.URL }},
	{"image", func(r *matrix.Row) string { return r.Image }},
	{"digest", func(r *matrix.Row) string { return r.Digest }},
	{"severity", func(r *matrix.Row) string { return string(r.Severity) }},
	{"referrers", func(r *matrix.Row) string { return string(r.Referrers) }},
	{"strategy", func(r *matrix.Row) string { return string(r.Strategy) }},
	{"confidence", func(r *matrix.Row) string { return string(r.Confidence) }},
	{"reason", func(r *matrix.Row) string { return string(r.Reason) }},
	{"status", func(r *matrix.Row) string { return number(r.Status) }},
	{"product", func(r *matrix.Row) string {
		if r.Product == nil {
			return ""
		}
		return r.Product.Name
	}},
	{"version", func(r *matrix.Row) string {
		if r.Product == nil {
			return ""
		}
		return r.Product.Version
	}},
	{"filter", filterWord},
	{"pagination", func(r *matrix.Row) string {
		if r.Capabilities == nil {
			return ""
		}
		return string(r.Capabilities.Pagination)
	}},
	{"tag_schema", tagWord},
	{"cosign_tags", func(r *matrix.Row) string {
		if r.Capabilities == nil {
			return ""
		}
		return strings.Join(r.Capabilities.CosignTags, " ")
	}},
	{"requests", func(r *matrix.Row) string { return strconv.Itoa(r.Requests) }},
	{"duration_ms", func(r *matrix.Row) string { return strconv.FormatFloat(r.DurationMS, 'f', 1, 64) }},
	{"detail", func(r *matrix.Row) string { return r.Detail }},
}

// csvRecords renders RFC 4180: a header, CRLF, one record a row, and a column
// for every label key after the fixed ones.
func csvRecords(w io.Writer, m *matrix.Matrix, _ Options) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	labels := labelKeys(m.Rows)
	var header []string
	for _, c := range csvColumns {
		header = append(header, c.name)
	}
	for _, key := range labels {
		header = append(header, "label:"+key)
	}
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
		if err := writeRecord(out, record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeRecord writes a record whose cells no spreadsheet runs.
func writeRecord(out *csv.Writer, record []string) error {
	for i, text := range record {
		record[i] = csvCell(text)
	}
	return out.Write(record)
}

// labelKeys lists every label key of the rows, sorted.
func labelKeys(rows []matrix.Row) []string {
	keys := map[string]bool{}
	for i := range rows {
		for key := range rows[i].Labels {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
