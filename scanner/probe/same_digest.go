package probe

import (
	"context"
	"net/http"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// Bounds on what is kept of a repository for images with the same digest, until its last
// image is done.
const (
	maxSameDigests = 1000 // observations
	maxShared      = 50   // descriptors of one
)

// sameDigest are the images of a repository that have one digest, such as latest and 1.4.2.
type sameDigest struct {
	begun    int
	question *registry.InOrder[*verdict.Observation] // all that follows the manifest
}

// measureOnce measures what follows the manifest, unless an earlier image with the same
// digest has measured it.
func (r *row) measureOnce(ctx context.Context, options Options) error {
	of := r.turn.repository
	// An earlier row that is not resolved yet may have the same digest.
	if err := of.resolved.Wait(ctx, r.session, r.turn.number); err != nil {
		return err
	}
	same, number := of.sameDigest(r.seen.Manifest.Digest)
	of.resolved.Pass(r.turn.number)
	if same == nil {
		return r.measure(ctx, options)
	}
	first, shared, err := same.question.Do(ctx, r.session, number, func() (*verdict.Observation, bool, error) {
		if err := r.measure(ctx, options); err != nil {
			return nil, false, err
		}
		seen, holds := r.forOthers()
		return seen, holds, nil
	})
	if shared {
		r.take(first)
	}
	return err
}

// sameDigest returns the images with a digest, and the number of the one that calls among
// them; nil if no more digests are kept.
func (of *repository) sameDigest(digest string) (same *sameDigest, number int) {
	of.mu.Lock()
	defer of.mu.Unlock()
	same = of.digests[digest]
	if same == nil {
		if len(of.digests) >= maxSameDigests {
			return nil, 0
		}
		same = &sameDigest{question: registry.NewInOrder[*verdict.Observation](maxAskedInTurn)}
		of.digests[digest] = same
	}
	same.begun++
	return same, same.begun - 1
}

// forOthers returns what the row has seen as another row with the same digest may have it.
// holds is false if an answer was of the moment, or if the row could not show it as it came:
// the secrets to look for are this row's. Very long lists are not kept.
func (r *row) forOthers() (seen *verdict.Observation, holds bool) {
	o := &r.seen
	tag := o.Capabilities.TagSchema
	switch {
	case o.CutShort, o.QuotaKept, !r.session.HasTime(), o.Referrers.Fault != nil, o.Referrers.Token, !r.lasting():
	case o.Referrers.Index != nil && len(o.Referrers.Index.Descriptors) > maxShared:
	case tag != nil && len(tag.Links) > maxShared:
	case o.Links != nil && len(o.Links.Found)+len(o.Links.Platforms) > maxShared:
	case !verdict.ShowsAsSent(o, r.client.Clean):
	default:
		copied := *o
		return &copied, true
	}
	return nil, false
}

// lasting reports whether every answer to the row would come again: no fault, no refusal of
// the account, no rate limit and no server in trouble.
func (r *row) lasting() bool {
	for _, x := range r.session.Exchanges() {
		switch {
		case x.Status == 0, registry.IsTransient(x.Status), verdict.IsServerError(x.Status):
			return false
		}
	}
	return r.seen.Referrers.Status != http.StatusUnauthorized && r.seen.Referrers.Status != http.StatusForbidden
}

// take makes what another image with the same digest has shown the row's own. The manifest
// is the row's.
func (r *row) take(first *verdict.Observation) {
	own := r.seen
	r.seen = *first
	r.seen.Manifest, r.seen.Product = own.Manifest, own.Product
	r.seen.DefaultImage, r.seen.WriteSkipped = own.DefaultImage, own.WriteSkipped
	r.seen.QuotaKept = own.QuotaKept
	r.seen.Capabilities.FromRepository = []string{matrix.FromSameDigest}
}
