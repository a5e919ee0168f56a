package report

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"refmatrix/matrix"
)

//go:embed matrix.schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of matrix.json.
func Schema() []byte { return schema }

// matrixJSON renders matrix.json, schema refmatrix/v1. Registries and rows are encoded
// one at a time, so that a large matrix is never in memory twice, and stand one on a line,
// so that grep and diff find them.
func matrixJSON(w io.Writer, m *matrix.Matrix, _ Options) error {
	return encodeMatrix(w, m, func(r *matrix.Row) *matrix.Row { return r })
}

// archivedJSON renders a matrix.json for the history: its rows are without their exchanges.
func archivedJSON(w io.Writer, m *matrix.Matrix, _ Options) error {
	return encodeMatrix(w, m, (*matrix.Row).WithoutExchanges)
}

// encodeMatrix encodes m with what kept returns of each row.
func encodeMatrix(w io.Writer, m *matrix.Matrix, kept func(*matrix.Row) *matrix.Row) error {
	head := *m
	head.Registries, head.Rows = nil, nil
	encoded, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the matrix: %w", err)
	}
	const end = "\"registries\": null,\n  \"rows\": null\n}"
	out := bufio.NewWriter(w)
	_, _ = printable{out}.Write(encoded[:len(encoded)-len(end)])
	whole := func(r *matrix.Registry) *matrix.Registry { return r }
	if err := writeList(out, "registries", m.Registries, whole); err != nil {
		return fmt.Errorf("encode the registries: %w", err)
	}
	_, _ = out.WriteString(",\n  ")
	if err := writeList(out, "rows", m.Rows, kept); err != nil {
		return fmt.Errorf("encode the rows: %w", err)
	}
	_, _ = out.WriteString("\n}\n")
	return out.Flush() // the first error of any write comes out here
}

// writeList writes a key of the matrix whose value is a list, one item on a line, with what kept
// returns of each.
func writeList[T any](out *bufio.Writer, key string, list []T, kept func(*T) *T) error {
	_, _ = fmt.Fprintf(out, "%q: [", key)
	encoder := json.NewEncoder(&trimmed{w: printable{out}})
	encoder.SetEscapeHTML(false)
	for i := range list {
		separator := ",\n    "
		if i == 0 {
			separator = "\n    "
		}
		_, _ = out.WriteString(separator)
		if err := encoder.Encode(kept(&list[i])); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	if len(list) > 0 {
		_, _ = out.WriteString("\n  ")
	}
	_, _ = out.WriteString("]")
	return nil
}

// trimmed drops the newline that an encoder ends each value with.
type trimmed struct{ w io.Writer }

func (t *trimmed) Write(b []byte) (int, error) {
	n := len(b)
	if n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	}
	_, err := t.w.Write(b)
	return n, err
}
