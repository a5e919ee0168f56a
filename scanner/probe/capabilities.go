package probe

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// absentType is an artifact type that nobody uses.
const absentType = "application/vnd.refmatrix.absent.v1"

// askFilter tries ?artifactType= with a type that is listed, where one is,
// else with one that cannot be.
func askFilter(ctx context.Context, s *subject) error {
	asked := absentType
	for _, d := range s.seen.Referrers.Index.Descriptors {
		// Some registries list descriptors without their artifact type.
		if d.ArtifactType != "" && (asked == absentType || d.ArtifactType < asked) {
			asked = d.ArtifactType
		}
	}
	return s.tryFilter(ctx, asked)
}

// filterUnseen holds where everything listed is of the one type that the
// filter was tried with, so that its answer showed nothing.
func filterUnseen(o *verdict.Observation) bool {
	return hasAPI(o) && o.Referrers.Index.Total > 0 && o.Capabilities.Filter == matrix.FilterUnseen
}

// refineFilter tries a type that cannot be listed where filterUnseen holds.
func refineFilter(ctx context.Context, s *subject) error {
	return s.tryFilter(ctx, absentType)
}

// tryFilter asks with a type and keeps what was learned, if anything was.
func (s *subject) tryFilter(ctx context.Context, asked string) error {
	resp, judged, err := s.referrers(ctx, "filter", http.MethodGet, s.seen.Manifest.Digest, asked)
	if err != nil || resp.Fault != nil || momentary(resp) {
		return err
	}
	result := matrix.FilterFails
	if resp.Status == s.seen.Referrers.Status && judged.index != nil {
		result = readFilter(s.seen.Referrers.Index, judged.index, asked, announces(resp), nextLink(resp) != nil)
	}
	s.seen.Capabilities.Filter, s.seen.Capabilities.FilterType = result, asked
	return nil
}

// readFilter compares a filtered list with the plain one; more says that a next
// page of it was not read. Some registries list descriptors without their
// artifact type: under the header, those may be of the type that was asked for.
func readFilter(plain, filtered *verdict.Index, asked string, announced, more bool) matrix.Filter {
	var same, others, untyped bool
	for _, d := range filtered.Descriptors {
		switch d.ArtifactType {
		case asked:
			same = true
		case "":
			untyped = true
		default:
			others = true
		}
	}
	others = others || untyped && (asked == absentType || !announced)
	switch {
	case announced && others:
		return matrix.FilterMisstated
	case plain.Total == 0 && announced:
		return matrix.FilterAnnounces
	case plain.Total == 0:
		return matrix.FilterUnseen
	case others:
		return matrix.FilterIgnored
	case asked != absentType && !same && !untyped && !more:
		return matrix.FilterFails
	case announced:
		return matrix.FilterAnnounces
	case filtered.Total < plain.Total && !more:
		return matrix.FilterSilent
	}
	return matrix.FilterUnseen
}

// announces reports whether the answer says that artifactType was applied.
func announces(resp *registry.Response) bool {
	for _, applied := range strings.Split(resp.Header.Get("OCI-Filters-Applied"), ",") {
		if strings.TrimSpace(applied) == "artifactType" {
			return true
		}
	}
	return false
}

// maxPages bounds how far next links are followed.
const maxPages = 20

// followPages follows Link rel="next" on the registry's own origin, for as many
// pages as maxPages and the row's time allow.
func followPages(ctx context.Context, s *subject) error {
	caps := &s.seen.Capabilities
	if !s.seen.Referrers.Next {
		caps.Pagination, caps.Pages = matrix.PageSingle, 1
		return nil
	}
	total := *s.seen.Referrers.Index
	page, judged, err := s.referrers(ctx, "page", http.MethodGet, s.seen.Manifest.Digest, "")
	if err != nil {
		return err
	}
	visited := map[string]bool{}
	result, pages := matrix.PageLinked, 0
	for {
		if momentary(page) {
			result, pages = matrix.PageBounded, max(pages, 1)
			break
		}
		if page.Fault != nil || page.Status != http.StatusOK || judged.index == nil {
			result = matrix.PageBroken
			break
		}
		if pages++; pages > 1 {
			total.Total += judged.index.Total
			// One bound over all pages: what is kept of a list is kept of each row.
			room := maxDescriptors - len(total.Descriptors)
			judged.index.Descriptors = judged.index.Descriptors[:min(room, len(judged.index.Descriptors))]
			total.Descriptors = append(total.Descriptors, s.cleanIndex(judged.index).Descriptors...)
			s.listed = append(s.listed, judged.digests[:min(len(judged.digests), maxDigests-len(s.listed))]...)
		}
		visited[page.URL.String()] = true
		next := nextLink(page)
		if next == nil {
			break
		}
		if result = s.admitPage(next, visited, pages); result != matrix.PageLinked {
			break
		}
		if page, judged, err = s.page(ctx, next); err != nil {
			return err
		}
	}
	caps.Pagination, caps.Pages = result, pages
	describe(caps, &total, result == matrix.PageLinked)
	return nil
}

// momentary reports whether an answer is of the moment and says nothing of what
// was asked: a limit, a gateway in trouble, a token that was refused, or a wire
// that failed, the row's own time being up among it.
func momentary(resp *registry.Response) bool {
	switch {
	case resp.Token:
		return true
	case resp.Fault != nil:
		return resp.Fault.Kind != matrix.Protocol && resp.Fault.Kind != matrix.Redirect
	}
	switch resp.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// admitPage says whether a next link is followed, as PageLinked, or why not.
func (s *subject) admitPage(next *url.URL, visited map[string]bool, pages int) matrix.Pagination {
	switch {
	case !ownOrigin(s, next):
		return matrix.PageForeign
	case visited[next.String()]:
		return matrix.PageLoop
	case pages >= maxPages:
		return matrix.PageBounded
	}
	return matrix.PageLinked
}

func (s *subject) page(ctx context.Context, target *url.URL) (*registry.Response, body, error) {
	resp, err := s.session.Do(ctx, registry.Request{
		Step: "page", Method: http.MethodGet, URL: target, Header: accept(verdict.IndexMediaType),
		Scope: pull(s.image.Repository), MaxBody: registry.MaxIndex,
	})
	if err != nil || resp.Fault != nil {
		return resp, body{}, err
	}
	return resp, readBody(resp.Bytes), nil
}

// linkNext finds the target of rel="next" in a Link header (RFC 8288).
var linkNext = regexp.MustCompile(`(?i)<([^<>]*)>\s*(?:;[^,<]*)?;\s*rel\s*=\s*"?next"?(?:\s|;|,|$)`)

// nextLink gives the next page as an absolute URL, nil where there is none.
func nextLink(resp *registry.Response) *url.URL {
	for _, value := range resp.Header.Values("Link") {
		m := linkNext.FindStringSubmatch(value)
		if m == nil {
			continue
		}
		target, err := resp.URL.Parse(m[1])
		if err == nil && target.User == nil && target.Host != "" {
			target.Fragment = ""
			return target
		}
	}
	return nil
}

// absentDigest is well formed and the hash of nothing that anybody has.
const absentDigest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

// askAbsentSubject asks for the referrers of a digest that does not exist: a
// registry with the API answers an empty index.
func askAbsentSubject(ctx context.Context, s *subject) error {
	resp, judged, err := s.referrers(ctx, "absent-subject", http.MethodGet, absentDigest, "")
	if err != nil || resp.Fault != nil {
		return err
	}
	word := httpWord(resp.Status)
	if resp.Status == http.StatusOK && judged.index != nil {
		word = "empty-index"
		if judged.index.Total > 0 {
			word = "index"
		}
	}
	s.seen.Capabilities.AbsentSubject = word
	return nil
}

// askMalformedDigest asks with a digest that is none; the specification wants
// a 400.
func askMalformedDigest(ctx context.Context, s *subject) error {
	resp, _, err := s.referrers(ctx, "malformed-digest", http.MethodGet, "sha256:malformed", "")
	if err != nil || resp.Fault != nil {
		return err
	}
	s.seen.Capabilities.MalformedDigest = httpWord(resp.Status)
	return nil
}

// askHead asks for the referrers by HEAD, which the specification does not
// name but monitors use.
func askHead(ctx context.Context, s *subject) error {
	resp, _, err := s.referrers(ctx, "head", http.MethodHead, s.seen.Manifest.Digest, "")
	if err != nil || resp.Fault != nil {
		return err
	}
	s.seen.Capabilities.Head = httpWord(resp.Status)
	return nil
}
