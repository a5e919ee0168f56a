package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"refmatrix/matrix"
)

// errStop ends the walk through a file of which enough was read.
var errStop = errors.New("enough was read")

// headKeys are the keys without which the head of a matrix.json is not whole. Every version
// writes them, and those that are left out if they are empty, before the long lists.
var headKeys = []string{"schema", "started", "complete", "summary"}

// longLists are the keys of what grows with the inventory.
var longLists = []string{"registries", "rows"}

// readHead returns a stored matrix.json without its rows. Of a file as refmatrix writes it,
// nothing from the first long list on is read. The error names the file.
func readHead(path string) (*matrix.Matrix, error) {
	var w walk
	err := w.through(path)
	switch {
	case errors.Is(err, errStop):
		return &w.head, nil
	case err == nil && !w.found["rows"]:
		err = fmt.Errorf("%s: holds no rows", path)
	}
	return &w.head, err
}

// readRows calls row for each row of a stored matrix.json, which it has to decode, and
// returns what stands beside the rows: of a file that cannot be read further, what was read
// until there, with an error that names the file.
func readRows(path string, row func(rows *json.Decoder) error) (*matrix.Matrix, error) {
	w := walk{row: row}
	err := w.through(path)
	return &w.head, err
}

// maxValue bounds a row, and a value beside the lists, in bytes of its text. A scan writes rows
// of 256 KiB at most. A decoder takes several times the length of a value, so that without it
// a damaged file of a megabyte under gzip could fill the memory.
const maxValue = 4 << 20

// walk reads a stored matrix.json one key and one row at a time, so that a year of large
// scans is never in memory.
type walk struct {
	text  *text
	row   func(rows *json.Decoder) error // called at each row; nil if the head is enough
	head  matrix.Matrix                  // what was read so far, without rows
	found map[string]bool                // the keys that were read
}

// through walks through the file at path.
func (w *walk) through(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read a matrix: %w", err)
	}
	defer file.Close()
	w.text, err = newText(file, maxMatrix)
	if err == nil {
		err = w.keys(json.NewDecoder(w.text))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// keys reads the keys of a matrix in whatever order they are.
func (w *walk) keys(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("is not a matrix.json: %w", err)
	}
	w.found = map[string]bool{}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("is not a matrix.json: %w", err)
		}
		name, _ := key.(string)
		if w.enough() && slices.Contains(longLists, name) {
			return errStop
		}
		if err := w.value(name, decoder); err != nil {
			return fmt.Errorf("is not a matrix.json: %w", err)
		}
		w.found[name] = true
		if name == "schema" && w.head.Schema != matrix.Schema {
			break
		}
	}
	if w.head.Schema != matrix.Schema {
		return fmt.Errorf("has the schema %q: this refmatrix reads %s", w.head.Schema, matrix.Schema)
	}
	return nil
}

// enough reports whether only the head is read, and was read whole.
func (w *walk) enough() bool {
	return w.row == nil && !slices.ContainsFunc(headKeys, func(key string) bool { return !w.found[key] })
}

// value reads the value of a key.
func (w *walk) value(key string, decoder *json.Decoder) error {
	w.text.beginValue(maxValue)
	switch key {
	case "schema":
		return decoder.Decode(&w.head.Schema)
	case "tool":
		return decoder.Decode(&w.head.Tool)
	case "started":
		return decoder.Decode(&w.head.Started)
	case "complete":
		return decoder.Decode(&w.head.Complete)
	case "shard":
		return decoder.Decode(&w.head.Shard)
	case "selection":
		return decoder.Decode(&w.head.Selection)
	case "summary":
		return decoder.Decode(&w.head.Summary)
	case "registries":
		return w.list(key, decoder, skip)
	case "rows":
		if w.row == nil {
			return w.list(key, decoder, skip)
		}
		return w.list(key, decoder, w.row)
	}
	return skip(decoder)
}

// skip reads a value that is not kept.
func skip(decoder *json.Decoder) error { return decoder.Decode(new(json.RawMessage)) }

// list calls item for each value of the list of a key, which may be null.
func (w *walk) list(key string, decoder *json.Decoder, item func(*json.Decoder) error) error {
	begin, err := decoder.Token()
	if err != nil || begin == nil {
		return err
	}
	if begin != json.Delim('[') {
		return fmt.Errorf("%s is %v and not a list", key, begin)
	}
	for decoder.More() {
		w.text.beginValue(maxValue)
		if err := item(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}
