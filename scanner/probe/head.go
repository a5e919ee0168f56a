package probe

import (
	"context"
	"net/http"
)

// probeHead requests the referrers by HEAD, which the specification does not
// name but monitors use.
func probeHead(ctx context.Context, r *row) error {
	resp, _, err := r.referrers(ctx, stepHead, http.MethodHead, r.seen.Manifest.Digest, "")
	if err != nil || resp.Fault != nil {
		return err
	}
	r.seen.Capabilities.Head = statusText(resp.Status)
	return nil
}
