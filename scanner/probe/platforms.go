package probe

import (
	"context"
	"net/http"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// Bounds on the platforms of one image.
const (
	maxPlatforms       = 64 // whose links are requested
	platformsByTimeout = 8  // that make the time of the row one timeout longer
)

// platformPlaces are where the links of a platform are, but for the index of the image.
var platformPlaces = []matrix.Place{matrix.PlaceAPI, matrix.PlaceTag, matrix.PlaceCosignTag}

// probePlatforms requests what is attached to each platform of the image. api says whether the
// registry has the referrers API for the image. What no longer fits into the row's time is not
// known.
func (r *row) probePlatforms(ctx context.Context, api matrix.Support) error {
	all := r.attached.toProbe()
	steps := (len(all) + platformsByTimeout - 1) / platformsByTimeout
	r.session.ExtendBudget(time.Duration(steps) * r.entry().Timeout)
	for _, p := range all {
		if !r.session.HasTime() {
			break // no request would be sent
		}
		if r.attached.full() {
			r.attached.bounds.Links = len(r.attached.found)
			break
		}
		if err := r.probePlatform(ctx, p, api); err != nil {
			return err
		}
	}
	r.attached.copyRepeated()
	return nil
}

// toProbe returns the platforms to probe, each manifest once, and counts the others.
func (a *attached) toProbe() (out []*subject) {
	known := map[string]bool{a.image.digest: true}
	for _, p := range a.platforms {
		switch {
		case p.nested:
			a.bounds.Nested++
		case known[p.digest]:
		case len(out) == maxPlatforms:
			a.bounds.Platforms++
		default:
			out = append(out, p)
		}
		known[p.digest] = true
	}
	return out
}

// copyRepeated gives platforms that share a manifest what was found out of the first of them.
func (a *attached) copyRepeated() {
	first := map[string]*subject{}
	for _, p := range a.platforms {
		if one := first[p.digest]; one != nil && !p.nested {
			p.asked, p.absent = one.asked, one.absent
		} else {
			first[p.digest] = p
		}
	}
}

// probePlatform requests the links of one platform.
func (r *row) probePlatform(ctx context.Context, p *subject, api matrix.Support) error {
	before := len(r.attached.found)
	switch api {
	case matrix.Unsupported:
		p.isRead(matrix.PlaceAPI)
	case matrix.Supported:
		if err := r.listPlatform(ctx, p); err != nil {
			return err
		}
	}
	if err := r.tagOfPlatform(ctx, p); err != nil {
		return err
	}
	if _, err := r.cosignTags(ctx, stepPlatform, p); err != nil {
		return err
	}
	if len(r.attached.found) > before || len(p.asked) < len(platformPlaces) {
		return nil // it is there, or whether it lacks something is not known anyway
	}
	return r.findPlatform(ctx, p)
}

// listPlatform lists the referrers of a platform, with all pages.
func (r *row) listPlatform(ctx context.Context, p *subject) error {
	resp, parsed, err := r.list(ctx, registry.Request{
		Step:   stepPlatform,
		URL:    r.referrersURL(r.image.Repository, p.digest, ""),
		Sent:   r.sentFor(p, p.digest),
		Scope:  pull(r.image.Repository),
		Pinned: "/referrers/" + p.digest,
	})
	if err != nil || resp.Fault != nil || parsed.index == nil || resp.Status != r.seen.Referrers.Status {
		return err
	}
	first, next := resp.URL, resp.Next()
	whole := r.attached.list(p, matrix.PlaceAPI, resp) && !resp.MayGoOn()
	result, _, err := eachPage(ctx, r, stepPlatform, first, next, func(page *registry.Response, _ body) (enough bool) {
		whole = r.attached.list(p, matrix.PlaceAPI, page) && !page.MayGoOn() && whole
		return r.attached.full()
	})
	if whole && result == matrix.PageLinked {
		p.isRead(matrix.PlaceAPI)
	}
	return err
}

// tagOfPlatform reads the referrers tag of a platform.
func (r *row) tagOfPlatform(ctx context.Context, p *subject) error {
	tag := ReferrersTag(p.digest)
	if r.tags != nil && !r.tags.has(tag) {
		p.isRead(matrix.PlaceTag)
		return nil
	}
	if !r.mayPull() {
		return nil
	}
	resp, err := r.manifest(ctx, stepPlatform, http.MethodGet, tag, r.sentFor(p, tag))
	if err != nil || resp.Fault != nil {
		return err
	}
	r.attached.tag(p, resp)
	return nil
}

// findPlatform finds out whether the registry has a platform's manifest, because a mirror of
// one platform has the index without the others. To what is not there nothing is attached. An
// index is known by the answer's type if the image's index does not name it.
func (r *row) findPlatform(ctx context.Context, p *subject) error {
	resp, err := r.requestPlatform(ctx, p, r.existenceMethod())
	if err == nil && isAbsent(resp) && r.existenceMethod() == http.MethodHead && !r.attached.headProven {
		resp, err = r.requestPlatform(ctx, p, http.MethodGet)
		r.attached.headProven = isAbsent(resp)
	}
	switch {
	case err != nil:
		return err
	case isAbsent(resp):
		p.absent = true
	case resp == nil || resp.Fault != nil || resp.Status != http.StatusOK:
		p.asked = nil // nothing shows that it is there and lacks something
	case matrix.IsIndexOfPlatforms(resp.ContentType):
		p.asked, p.nested = nil, true
		r.attached.bounds.Nested++
	}
	return nil
}

// requestPlatform requests a platform's manifest. The answer is nil if that is a pull, and too
// few are left.
func (r *row) requestPlatform(ctx context.Context, p *subject, method string) (*registry.Response, error) {
	if method == http.MethodGet && !r.mayPull() {
		return nil, nil
	}
	return r.manifest(ctx, stepPlatform, method, p.digest, r.sentFor(p, p.digest))
}

// isAbsent reports whether an answer says that what was requested is not there.
func isAbsent(resp *registry.Response) bool {
	return resp != nil && resp.Fault == nil && resp.Status == http.StatusNotFound
}
