package verdict

import (
	"net/http"
	"slices"
)

func statusIs(status int) func(*Observation) bool {
	return func(o *Observation) bool { return o.decisive().Status == status }
}

func unresolved(when func(*Observation) bool) func(*Observation) bool {
	return func(o *Observation) bool { return !o.resolved() && when(o) }
}

func okIndex(o *Observation) bool {
	return o.Referrers.Status == http.StatusOK && o.Referrers.Index != nil
}

func okBody(o *Observation, kinds ...BodyKind) bool {
	return o.Referrers.Status == http.StatusOK && slices.Contains(kinds, o.Referrers.Body)
}

// IsServerError reports whether a status is a breakdown of the registry or of a
// proxy before it. 501 is not: it says that the endpoint is not there (RFC 9110,
// section 15.6.2).
func IsServerError(status int) bool {
	return status >= http.StatusInternalServerError && status != http.StatusNotImplemented
}
