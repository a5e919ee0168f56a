package probe

import (
	"context"
	"net/http"
	"strconv"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// listReferrers requests the referrers of the digest that was just resolved
// (distribution specification v1.1, "Listing Referrers").
func listReferrers(ctx context.Context, r *row) error {
	resp, parsed, err := r.referrers(ctx, stepReferrers, http.MethodGet, r.seen.Manifest.Digest, "")
	if err != nil {
		return err
	}
	answer := &r.seen.Referrers
	answer.Answer = resp.Answer
	if resp.Fault != nil || resp.Token {
		return nil
	}
	answer.Body, answer.Codes, answer.Message = parsed.kind, parsed.codes, messageOf(resp, parsed)
	answer.FiltersApplied = resp.Header.Get("OCI-Filters-Applied")
	r.firstPage, r.next = resp.URL, resp.Next()
	answer.Next = r.next != nil
	answer.Bytes, answer.Sized = size(resp)
	if resp.URL != nil && !r.ownOrigin(resp.URL) {
		answer.Elsewhere = resp.URL.Host
	}
	if answer.Location != "" || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound {
		return nil
	}
	answer.Index, r.listed = parsed.index, parsed.listed
	if answer.Index != nil && resp.Cut {
		answer.Bound = registry.MaxIndex
	}
	if answer.Index != nil {
		own := digest.Digest(r.seen.Manifest.Digest)
		answer.IsSubject = !resp.Cut && own.Algorithm().FromBytes(resp.Bytes) == own
		r.seen.Capabilities.ContentType = verdict.MatchType(resp.ContentType)
		countArtifactTypes(&r.seen.Capabilities, answer.Index, !answer.Next && !resp.Cut)
		r.attached.page(resp)
	}
	return nil
}

// size returns how many bytes the body of an answer has: what was read, or what
// Content-Length says, if that is more. sized reports whether that header was there.
func size(resp *registry.Response) (bytes int64, sized bool) {
	announced, err := strconv.ParseInt(resp.Header.Get("Content-Length"), 10, 64)
	return max(int64(len(resp.Bytes)), announced), err == nil
}

// ledAway reports whether a redirect led away from the referrers endpoint.
func ledAway(o *verdict.Observation) bool { return hasDigest(o) && o.Referrers.Location != "" }

// followRedirect follows the chain of redirects that leads away from the endpoint to its
// end. The verdict stops at the first hop, but clients act on what the end answers.
func followRedirect(ctx context.Context, r *row) error {
	resp, parsed, err := r.list(ctx, registry.Request{
		Step:          stepRedirectEnd,
		URL:           r.referrersURL(r.image.Repository, r.seen.Manifest.Digest, ""),
		Sent:          r.sent(r.seen.Manifest.Digest),
		Scope:         pull(r.image.Repository),
		SingleAttempt: true,
	})
	if err != nil || resp.Fault != nil || resp.Token {
		return err
	}
	end := &verdict.RedirectEnd{Answer: resp.Answer}
	end.Body, end.Codes = parsed.kind, parsed.codes
	if !r.ownOrigin(resp.URL) {
		end.Elsewhere = resp.URL.Host
	}
	r.seen.Referrers.End = end
	return nil
}
