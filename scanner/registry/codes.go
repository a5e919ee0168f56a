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
	codes.read(dec)
	return nil
}

// read reads errors, if that is an array, until there are enough codes or the text ends.
func (codes *ErrorCodes) read(dec *json.Decoder) {
	if opening, err := dec.Token(); err != nil || opening != json.Delim('[') {
		return
	}
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
	opening, err := EachKey(text, func(key string, value *json.Decoder) (enough bool) {
		if key == "errors" {
			codes.read(value)
		}
		return key == "errors"
	})
	return codes, opening != nil && (err == nil || endsThere(err))
}

// EachKey calls visit with the keys of a JSON object whose text may end anywhere, until it
// returns true. It may read the value of the last key then; all others are skipped. opening
// is the bracket that the text begins with, nil if it does not begin with one, and no key
// is visited of an array. The error says why the text was not read to its end.
func EachKey(text []byte, visit func(key string, value *json.Decoder) (enough bool)) (opening json.Token, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	opening, err = dec.Token()
	if _, bracket := opening.(json.Delim); !bracket {
		return nil, err
	}
	for opening == json.Delim('{') && dec.More() {
		key, err := dec.Token()
		if err != nil {
			return opening, err
		}
		if name, _ := key.(string); visit(name, dec) { // a decoder admits only strings for keys
			break
		}
		if err := dec.Decode(&skipped{}); err != nil {
			return opening, err
		}
	}
	return opening, nil
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
