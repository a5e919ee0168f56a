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
	head := *m
	head.Registries, head.Rows = nil, nil
	encoded, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the matrix: %w", err)
	}
	const end = "\"registries\": null,\n  \"rows\": null\n}"
	out := bufio.NewWriter(w)
	_, _ = printable{out}.Write(encoded[:len(encoded)-len(end)])
	if err := writeList(out, "registries", m.Registries); err != nil {
		return fmt.Errorf("encode the registries: %w", err)
	}
	_, _ = out.WriteString(",\n  ")
	if err := writeList(out, "rows", m.Rows); err != nil {
		return fmt.Errorf("encode the rows: %w", err)
	}
	_, _ = out.WriteString("\n}\n")
	return out.Flush() // the first error of any write comes out here
}

// writeList writes a key of the matrix whose value is a list, one item on a line.
func writeList[T any](out *bufio.Writer, key string, list []T) error {
	_, _ = fmt.Fprintf(out, "%q: [", key)
	encoder := json.NewEncoder(&trimmed{w: printable{out}})
	encoder.SetEscapeHTML(false)
	for i := range list {
		separator := ",\n    "
		if i == 0 {
			separator = "\n    "
		}
		_, _ = out.WriteString(separator)
		if err := encoder.Encode(&list[i]); err != nil {
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
