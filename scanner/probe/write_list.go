package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// listWaits are the pauses between looks for an artifact just pushed, for
// registries that index in the background.
var listWaits = []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// listing is the result of one look at the list of a subject.
type listing struct {
	found  bool   // the artifact is in it
	index  bool   // there is a list
	failed string // why nothing is known of it, a clause; "" if the answer speaks for the endpoint
}

// waitForListing looks for artifact in the list of its subject until it is
// there, within listWaits. It returns the last look and how many there were.
func (w *writer) waitForListing(ctx context.Context, subject, artifact []byte) (last listing, tries int, err error) {
	for _, wait := range listWaits {
		if err := w.session.Sleep(ctx, wait); err != nil {
			return last, tries, err
		}
		if last, err = w.look(ctx, stepPushList, subject, artifact, ""); err != nil {
			return last, tries, err
		}
		if tries++; last.found || !last.index {
			break
		}
	}
	return last, tries, nil
}

// look requests the referrers of subject, filtered unless artifactType is empty.
// A refusal of the account, a limit and a breakdown leave open what the list is;
// any other answer but an index shows that there is none.
func (w *writer) look(
	ctx context.Context, step string, subject, artifact []byte, artifactType string,
) (listing, error) {
	resp, parsed, err := w.list(ctx, registry.Request{
		Step:  step,
		URL:   w.referrersURL(w.repository, digest.FromBytes(subject).String(), artifactType),
		Scope: w.scope,
	})
	switch {
	case err != nil:
		return listing{}, err
	case resp.Fault != nil:
		return listing{failed: resp.Fault.Text}, nil
	case inconclusive(resp.Status):
		return listing{failed: fmt.Sprintf("GET /referrers/ answered HTTP %d", resp.Status)}, nil
	case resp.Cut:
		return listing{failed: "the list is larger than what refmatrix reads"}, nil
	case resp.Status != http.StatusOK:
		return listing{}, nil
	}
	return listing{
		found: parsed.listed.contain(digest.FromBytes(artifact).String()),
		index: parsed.index != nil,
	}, nil
}

// inconclusive reports whether a status is about the account, a limit or a
// breakdown, and so leaves open what the endpoint would have answered.
func inconclusive(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return verdict.IsServerError(status)
}
