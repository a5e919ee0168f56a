package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// Bounds on the error codes kept of one body.
const (
	maxCodes = 5
	maxCode  = 255 // bytes; a longer one is left out
)

// ErrorCodes are the codes in the errors of an OCI error body (distribution
// specification, "Error Codes"), the first of them. They are empty if errors is
// anything else.
type ErrorCodes []string

// UnmarshalJSON reads the errors of a body, to a bound. It never fails.
func (codes *ErrorCodes) UnmarshalJSON(errors []byte) error {
	*codes = nil
	dec := json.NewDecoder(bytes.NewReader(errors[:min(len(errors), MaxError)]))
	if opening, err := dec.Token(); err == nil && opening == json.Delim('[') {
		codes.read(dec)
	}
	return nil
}

// read reads the elements of errors until there are enough codes, or the text ends.
func (codes *ErrorCodes) read(dec *json.Decoder) {
	for len(*codes) < maxCodes && dec.More() {
		var one struct {
			Code code `json:"code"`
		}
		if dec.Decode(&one) != nil {
			return
		}
		if one.Code != "" {
			*codes = append(*codes, string(one.Code))
		}
	}
}

// code is an error code, "" for what is not one.
type code string

// UnmarshalJSON reads a string and makes nothing of other values, however large.
func (c *code) UnmarshalJSON(raw []byte) error {
	var text string
	if raw[0] == '"' && json.Unmarshal(raw, &text) == nil && len(text) <= maxCode {
		*c = code(text)
	}
	return nil
}

// CodesOfCut returns the error codes of a JSON body that was read to a bound only.
// isJSON is false if what was read is not the beginning of a JSON object or array.
func CodesOfCut(text []byte) (codes ErrorCodes, isJSON bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	opening, err := dec.Token()
	if err != nil || opening != json.Delim('{') {
		return nil, opening == json.Delim('[')
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, endsThere(err)
		}
		if key == "errors" {
			if opening, err := dec.Token(); err == nil && opening == json.Delim('[') {
				codes.read(dec)
			}
			return codes, true
		}
		if err := dec.Decode(&skipped{}); err != nil {
			return nil, endsThere(err)
		}
	}
	return nil, true
}

// endsThere reports whether an error of a decoder is that the text ends.
func endsThere(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// skipped is a JSON value of which nothing is kept.
type skipped struct{}

// UnmarshalJSON drops the value.
func (*skipped) UnmarshalJSON([]byte) error { return nil }

// firstCodes returns as many of codes as are kept of one body, and holds no
// others in memory.
func firstCodes(codes []string) []string { return slices.Clone(codes[:min(len(codes), maxCodes)]) }
