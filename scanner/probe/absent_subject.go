package probe

import (
	"context"
	"net/http"
)

// absentDigest is well formed and the hash of nothing that anybody has.
const absentDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// probeAbsentSubject requests the referrers of a digest that does not exist: a
// registry with the API answers an empty index.
func probeAbsentSubject(ctx context.Context, r *row) error {
	resp, parsed, err := r.referrers(ctx, stepAbsentSubject, http.MethodGet, absentDigest, "")
	if err != nil || resp.Fault != nil {
		return err
	}
	answer := statusText(resp.Status)
	if resp.Status == http.StatusOK && parsed.index != nil {
		answer = "empty-index"
		if parsed.index.Total > 0 {
			answer = "index"
		}
	}
	r.seen.Capabilities.AbsentSubject = answer
	return nil
}
