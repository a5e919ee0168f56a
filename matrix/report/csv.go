package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// csvColumn is a column of a CSV file of T.
type csvColumn[T any] struct {
	header string
	value  func(*T) string
}

// csvFile is a CSV file with a record for each T. Its columns are always there, in the order
// that other programs rely on, so that the labels alone decide where a column stands.
type csvFile[T any] struct {
	before []csvColumn[T] // before the columns of the labels
	labels func(*T) map[string]string
	after  []csvColumn[T] // after them; a new column goes to the end
}

var matrixCSV = csvFile[matrix.Row]{
	before: csvColumnsOf(cellsOf(
		"registry", "url", "image", "digest", "severity", "referrers", "strategy", "confidence", "reason", "status",
		"product", "version", "filter", "pagination", "tag_schema", "cosign_tags", "requests", "duration_ms", "detail",
	)),
	labels: func(r *matrix.Row) map[string]string { return r.Labels },
	after: slices.Concat(
		csvColumnsOf(cellsOf("links", "links_by_kind", "coverage", "lost")),
		[]csvColumn[matrix.Row]{{header: "findings", value: findingCodes}},
		csvColumnsOf(cellsOf("push", "unexpected", "action", "credentials")),
	),
}

var registriesCSV = csvFile[matrix.Registry]{
	before: slices.Concat(
		csvColumnsOf(registryCellsOf(
			"registry", "url", "severity", "referrers", "strategy", "images", "fail", "warn", "info", "pass", "unexpected",
			"product", "version", "credentials", "content_type", "filter", "pagination", "absent_subject",
			"malformed_digest", "head", "tag_schema", "cosign_tags", "push",
		)),
		csvClientColumns(),
		csvColumnsOf(registryCellsOf(
			"findings", "links", "links_by_kind", "coverage", "lost", "reasons", "action",
		)),
	),
	labels: func(r *matrix.Registry) map[string]string { return r.Labels },
}

// csvColumnsOf returns the columns of cells, whose headers are their keys.
func csvColumnsOf[T any](cells []*cell[T]) []csvColumn[T] {
	var out []csvColumn[T]
	for _, c := range cells {
		out = append(out, csvColumn[T]{c.key, c.value})
	}
	return out
}

// csvClientColumns returns a column for each library, named by its clients: client_oras_notation.
func csvClientColumns() []csvColumn[matrix.Registry] {
	var out []csvColumn[matrix.Registry]
	for i, library := range verdict.ClientLibraries() {
		out = append(out, csvColumn[matrix.Registry]{
			header: "client_" + strings.Join(library.Clients, "_"),
			value:  registryCellOf(clientKeys()[i]).value,
		})
	}
	return out
}

// findingCodes is the codes of the findings of r, a blank between two.
func findingCodes(r *matrix.Row) string {
	var codes []string
	for _, f := range r.Findings {
		codes = append(codes, f.Code)
	}
	return strings.Join(codes, " ")
}

// matrixRecords renders matrix.csv: a record for each row, in the inventory's order.
func matrixRecords(w io.Writer, m *matrix.Matrix, _ Options) error {
	rows := make([]*matrix.Row, len(m.Rows))
	for i := range m.Rows {
		rows[i] = &m.Rows[i]
	}
	return matrixCSV.write(w, rows, labelKeys(m.Rows))
}

// registryRecords renders registries.csv: a record for each registry, those that need
// something done first.
func registryRecords(w io.Writer, m *matrix.Matrix, _ Options) error {
	return registriesCSV.write(w, matrix.WorstFirst(m.Registries), labelKeys(m.Rows))
}

// write renders RFC 4180: a header, CRLF, and a record for each of all.
func (f *csvFile[T]) write(w io.Writer, all []*T, labels []string) error {
	columns := slices.Clone(f.before)
	for _, key := range labels {
		columns = append(columns, csvColumn[T]{"label:" + key, func(one *T) string { return f.labels(one)[key] }})
	}
	columns = append(columns, f.after...)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.header
	}
	if err := writeRecord(out, record); err != nil {
		return err
	}
	for _, one := range all {
		for i, c := range columns {
			record[i] = c.value(one)
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
