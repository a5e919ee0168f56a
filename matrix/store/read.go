package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"refmatrix/matrix"
)

// ReadFile reads a stored matrix.json, which may be under gzip.
func ReadFile(path string) (*matrix.Matrix, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read a matrix: %w", err)
	}
	defer file.Close()
	m, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a matrix.json, plain or under gzip, and checks that it is one: the schema's
// name, and the severities and strategies, by which every report counts, and the numbers,
// which reports sum. Keys, reasons and other values of newer versions are kept unchanged, so
// that an older refmatrix renders what a newer one measured; the formats escape them.
func Read(r io.Reader) (*matrix.Matrix, error) { return readWithin(r, maxMatrix) }

// readWithin is Read with a bound of its own on the bytes of the text.
func readWithin(r io.Reader, most int64) (*matrix.Matrix, error) {
	text, err := newText(r, most)
	if err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	if file, ok := r.(*os.File); ok { // a buffer that grows is cleared and copied again and again
		if info, err := file.Stat(); err == nil {
			buffer.Grow(int(min(info.Size(), most)) + bytes.MinRead)
		}
	}
	if _, err := buffer.ReadFrom(text); err != nil {
		return nil, err
	}
	content := buffer.Bytes()
	var m matrix.Matrix
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("is not a matrix.json: %s%w", position(content, err), err)
	}
	if m.Schema != matrix.Schema {
		return nil, fmt.Errorf("has the schema %q: this refmatrix reads %s", m.Schema, matrix.Schema)
	}
	for i := range m.Rows {
		r := &m.Rows[i]
		if !slices.Contains(matrix.Severities, r.Severity) || !slices.Contains(matrix.Strategies, r.Strategy) {
			return nil, fmt.Errorf("rows[%d] has the severity %q and the strategy %q (registry %q, image %q): "+
				"this refmatrix counts by %v and %v",
				i, r.Severity, r.Strategy, r.Registry, r.Image, matrix.Severities, matrix.Strategies)
		}
		if err := checkNumbers(r, fmt.Sprintf("rows[%d]", i)); err != nil {
			return nil, err
		}
	}
	// What the file says of its rows is not believed over the rows themselves.
	m.SetRows(m.Rows)
	return &m, nil
}

// position returns the line and column that a JSON error is at.
func position(content []byte, err error) string {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return ""
	}
	line, column := 1, 1
	for _, b := range content[:min(int(offset), len(content))] {
		column++
		if b == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d: ", line, column)
}
