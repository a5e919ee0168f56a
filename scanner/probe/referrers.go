package probe

import (
	"context"
	"net/http"

	"refmatrix/matrix/verdict"
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
	answer.Next = resp.Next() != nil
	if resp.URL != nil && !r.ownOrigin(resp.URL) {
		answer.Elsewhere = resp.URL.Host
	}
	if answer.Location != "" || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound {
		return nil
	}
	answer.Index, r.listed = parsed.index, parsed.listed
	if answer.Index != nil {
		r.seen.Capabilities.ContentType = verdict.MatchType(resp.ContentType)
		countArtifactTypes(&r.seen.Capabilities, answer.Index, !answer.Next)
	}
	return nil
}
