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
// pages as maxPages and the row's budget allow. The first page is the list that
// listReferrers read: it is not requested again.
func followPages(ctx context.Context, r *row) error {
	caps := &r.seen.Capabilities
	caps.Pagination, caps.Pages = matrix.PageSingle, 1
	switch {
	case r.seen.Referrers.Bound > 0:
		caps.Pagination = matrix.PageBounded
		return nil
	case r.next == nil:
		return nil
	case r.seen.Referrers.Status != http.StatusOK:
		caps.Pagination, caps.Pages = matrix.PageBroken, 0
		return nil
	}
	total := *r.seen.Referrers.Index
	result, pages, err := eachPage(ctx, r, stepPage, r.firstPage, r.next, func(page *registry.Response, parsed body) (enough bool) {
		addPage(r, &total, parsed)
		r.attached.page(page)
		return false
	})
	if err != nil {
		caps.Pagination, caps.Pages = "", 0
		return err
	}
	caps.Pagination, caps.Pages = result, pages
	countArtifactTypes(caps, &total, result == matrix.PageLinked)
	return nil
}

// eachPage calls use with each page after the first, whose link next leads on from first, until
// it returns true. It returns how they ended and how many there are, the first included.
func eachPage(
	ctx context.Context, r *row, step string, first, next *url.URL, use func(*registry.Response, body) (enough bool),
) (result matrix.Pagination, pages int, err error) {
	visited := map[string]bool{first.String(): true}
	for pages = 1; next != nil; pages++ {
		sent := next.String()
		next.Fragment, next.RawFragment = "", ""
		if result := admitPage(r, next, visited, pages); result != matrix.PageLinked {
			return result, pages, nil
		}
		page, parsed, err := r.list(ctx, registry.Request{
			Step:  step,
			URL:   next,
			Sent:  registry.Sent{URL: sent},
			Scope: pull(r.image.Repository),
		})
		switch {
		case err != nil:
			return "", pages, err
		case transient(page) || page.Cut:
			return matrix.PageBounded, pages, nil
		case page.Fault != nil || page.Status != http.StatusOK || parsed.index == nil:
			return matrix.PageBroken, pages, nil
		}
		if use(page, parsed) {
			return matrix.PageBounded, pages + 1, nil
		}
		visited[page.URL.String()] = true
		next = page.Next()
	}
	return matrix.PageLinked, pages, nil
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
		r.attached.tooLong()
		return matrix.PageBounded
	}
	return matrix.PageLinked
}
