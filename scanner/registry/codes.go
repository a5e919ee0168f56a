package registry

import (
	"encoding/json"
	"slices"
)

// maxCodes bounds the error codes kept of one body.
const maxCodes = 5

// ErrorCodes returns the codes in the errors of an OCI error body (distribution
// specification, "Error Codes"), or nil if errors is anything else.
func ErrorCodes(errors json.RawMessage) []string {
	var list []struct {
		Code any `json:"code"`
	}
	if json.Unmarshal(errors, &list) != nil {
		return nil
	}
	var codes []string
	for _, one := range list {
		if code, ok := one.Code.(string); ok && code != "" {
			codes = append(codes, code)
		}
	}
	return firstCodes(codes)
}

// firstCodes returns as many of codes as are kept of one body, and holds no
// others in memory.
func firstCodes(codes []string) []string { return slices.Clone(codes[:min(len(codes), maxCodes)]) }
