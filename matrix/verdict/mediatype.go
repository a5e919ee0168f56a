package verdict

import (
	"strings"

	"refmatrix/matrix"
)

// isIndexType reports whether a Content-Type is the OCI index type, with or
// without parameters, in any case (RFC 9110, section 8.3.1). A parameter that
// is broken does not make it another type: no client reads it.
func isIndexType(contentType string) bool {
	return strings.EqualFold(matrix.BareMediaType(contentType), matrix.IndexMediaType)
}

// MatchType compares a Content-Type header with matrix.IndexMediaType.
func MatchType(contentType string) matrix.TypeMatch {
	switch {
	case contentType == matrix.IndexMediaType:
		return matrix.TypeExact
	case isIndexType(contentType):
		return matrix.TypeParameters
	}
	return matrix.TypeOther
}
