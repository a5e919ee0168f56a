package probe

import (
	"context"
	"net/http"
)

// probeHead requests the referrers by HEAD, which the specification does not
// name but monitors use, once in a repository.
func probeHead(ctx context.Context, r *row) error {
	status, shared, err := r.turn.repository.head.Do(ctx, r.session, r.turn.number, func() (string, bool, error) {
		resp, _, err := r.referrers(ctx, stepHead, http.MethodHead, r.seen.Manifest.Digest, "")
		if err != nil || resp.Fault != nil {
			return "", false, err
		}
		return statusText(resp.Status), !transient(resp), nil
	})
	r.seen.Capabilities.Head = status
	if shared {
		r.fromRepository("head")
	}
	return err
}
