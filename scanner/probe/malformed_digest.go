package probe

import (
	"context"
	"net/http"
)

// probeMalformedDigest requests the referrers of a malformed digest, to which
// the specification wants a 400.
func probeMalformedDigest(ctx context.Context, r *row) error {
	resp, _, err := r.referrers(ctx, stepMalformedDigest, http.MethodGet, "sha256:malformed", "")
	if err != nil || resp.Fault != nil {
		return err
	}
	r.seen.Capabilities.MalformedDigest = statusText(resp.Status)
	return nil
}
