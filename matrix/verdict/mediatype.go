package verdict

import (
	"strings"

	"refmatrix/matrix"
)

// IndexMediaType is the media type a referrers answer must have
// (distribution specification v1.1, "Listing Referrers").
const IndexMediaType = "application/vnd.oci.image.index.v1+json"

// isIndexType reports whether a Content-Type is the OCI index type, with or
// without parameters, in any case (RFC 9110, section 8.3.1). A parameter that
// is broken does not make it another type: no client reads it.
func isIndexType(contentType string) bool {
	return strings.EqualFold(matrix.BareMediaType(contentType), IndexMediaType)
}

// MatchType compares a Content-Type header with IndexMediaType.
func MatchType(contentType string) matrix.TypeMatch {
	switch {
	case contentType == IndexMediaType:
		return matrix.TypeExact
	case isIndexType(contentType):
		return matrix.TypeParameters
	}
	return matrix.TypeOther
}
