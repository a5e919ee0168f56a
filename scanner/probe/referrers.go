package probe

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxNotFound bounds the text of a 404 that is kept for the fingerprint.
const maxNotFound = 64

// askReferrers asks for the referrers of the digest that was just resolved
// (distribution specification v1.1, "Listing Referrers").
func askReferrers(ctx context.Context, s *subject) error {
	resp, judged, err := s.referrers(ctx, "referrers", http.MethodGet, s.seen.Manifest.Digest, "")
	if err != nil {
		return err
	}
	r := &s.seen.Referrers
	r.Answer = resp.Answer
	if resp.Fault != nil || resp.Token {
		return nil
	}
	r.Body, r.Codes = judged.kind, s.cleanAll(judged.codes)
	if text := strings.TrimSpace(string(resp.Bytes)); r.Status == http.StatusNotFound && judged.kind == verdict.BodyText && len(text) <= maxNotFound {
		s.notFound = s.client.Clean(text)
	}
	r.FiltersApplied = s.client.Clean(resp.Header.Get("OCI-Filters-Applied"))
	r.Next = nextLink(resp) != nil
	if resp.URL != nil && !ownOrigin(s, resp.URL) {
		r.Elsewhere = s.client.Clean(resp.URL.Host)
	}
	if r.Location != "" || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound {
		return nil
	}
	r.Index, s.listed = s.cleanIndex(judged.index), judged.digests
	if r.Index != nil {
		s.seen.Capabilities.ContentType = verdict.MatchType(resp.ContentType)
		describe(&s.seen.Capabilities, r.Index, !r.Next)
	}
	return nil
}

// ownOrigin reports whether target is on the registry's own origin.
func ownOrigin(s *subject, target *url.URL) bool {
	return registry.SameOrigin(target, client(s).URL)
}

// referrers asks the endpoint for a digest, filtered where artifactType is
// not empty.
func (s *subject) referrers(ctx context.Context, step, method, digest, artifactType string) (*registry.Response, body, error) {
	target := s.client.URL(s.image.Repository + "/referrers/" + digest)
	if artifactType != "" {
		target.RawQuery = url.Values{"artifactType": {artifactType}}.Encode()
	}
	resp, err := s.session.Do(ctx, registry.Request{
		Step: step, Method: method, URL: target, Header: accept(verdict.IndexMediaType),
		Scope: pull(s.image.Repository), Pinned: "/referrers/" + digest, MaxBody: registry.MaxIndex,
	})
	if err != nil || resp.Fault != nil {
		return resp, body{}, err
	}
	return resp, readBody(resp.Bytes), nil
}
