package probe

import (
	"context"
	"net/http"
	"net/url"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxPages bounds how far next links are followed.
const maxPages = 20

// followPages follows Link rel="next" on the registry's own origin, for as many
// pages as maxPages and the row's budget allow.
func followPages(ctx context.Context, r *row) error {
	caps := &r.seen.Capabilities
	if r.seen.Referrers.Bound > 0 {
		caps.Pagination, caps.Pages = matrix.PageBounded, 1
		return nil
	}
	if !r.seen.Referrers.Next {
		caps.Pagination, caps.Pages = matrix.PageSingle, 1
		return nil
	}
	total := *r.seen.Referrers.Index
	page, parsed, err := r.referrers(ctx, stepPage, http.MethodGet, r.seen.Manifest.Digest, "")
	if err != nil {
		return err
	}
	visited := map[string]bool{}
	result, pages := matrix.PageLinked, 0
	for {
		if transient(page) || page.Cut {
			result, pages = matrix.PageBounded, max(pages, 1)
			break
		}
		if page.Fault != nil || page.Status != http.StatusOK || parsed.index == nil {
			result = matrix.PageBroken
			break
		}
		if pages++; pages > 1 {
			addPage(r, &total, parsed)
		}
		visited[page.URL.String()] = true
		next := page.Next()
		if next == nil {
			break
		}
		sent := next.String()
		next.Fragment, next.RawFragment = "", ""
		if result = admitPage(r, next, visited, pages); result != matrix.PageLinked {
			break
		}
		page, parsed, err = r.list(ctx, registry.Request{
			Step:  stepPage,
			URL:   next,
			Sent:  registry.Sent{URL: sent},
			Scope: pull(r.image.Repository),
		})
		if err != nil {
			return err
		}
	}
	caps.Pagination, caps.Pages = result, pages
	countArtifactTypes(caps, &total, result == matrix.PageLinked)
	return nil
}

// addPage adds a page after the first to total, and its digests to those listed. What an
// earlier page has is not counted again. The bounds are over all pages, because what is
// kept of a list is kept of each row.
func addPage(r *row, total *verdict.Index, page body) {
	for _, d := range page.index.Descriptors {
		if len(total.Descriptors) < maxDescriptors && !r.listed.contain(d.Digest) {
			total.Descriptors = append(total.Descriptors, d)
		}
	}
	known := r.listed.addAll(page.listed)
	total.Total += page.index.Total - known
	total.Invalid += page.index.Invalid
}

// admitPage returns PageLinked if a next link may be followed, or else why not.
func admitPage(r *row, next *url.URL, visited map[string]bool, pages int) matrix.Pagination {
	switch {
	case !r.ownOrigin(next):
		return matrix.PageForeign
	case visited[next.String()]:
		return matrix.PageLoop
	case pages >= maxPages:
		return matrix.PageBounded
	}
	return matrix.PageLinked
}
