package probe

import (
	"context"
	"net/http"
)

// probeMalformedDigest requests the referrers of a malformed digest, to which
// the specification wants a 400, once in a repository.
func probeMalformedDigest(ctx context.Context, r *row) error {
	status, shared, err := r.turn.repository.malformed.Do(ctx, r.session, r.turn.number, func() (string, bool, error) {
		resp, _, err := r.referrers(ctx, stepMalformedDigest, http.MethodGet, "sha256:malformed", "")
		if err != nil || resp.Fault != nil {
			return "", false, err
		}
		return statusText(resp.Status), !transient(resp), nil
	})
	r.seen.Capabilities.MalformedDigest = status
	if shared {
		r.fromRepository("malformed_digest")
	}
	return err
}
