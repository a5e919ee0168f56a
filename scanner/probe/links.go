package probe

import (
	"context"
	"slices"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// readLinks requests what is attached to the platforms of the image and what the artifacts
// are, unless the row was cut short before, and keeps all that was found. If no place was read,
// nothing is known of the links.
func (r *row) readLinks(ctx context.Context) {
	if r.attached == nil || !hasDigest(&r.seen) {
		return
	}
	api := verdict.Judge(&r.seen).Referrers
	r.attached.believe(api, r.listIsWhole())
	if !r.seen.CutShort {
		r.seen.CutShort = r.followLinks(ctx, api) != nil
	}
	r.attached.judge()
	if links := r.attached.links(); len(links.Asked)+len(links.Found) > 0 {
		r.seen.Links = links
	}
}

// followLinks requests what the lists of the image lead to. The error is ctx's.
func (r *row) followLinks(ctx context.Context, api matrix.Support) error {
	if err := r.probePlatforms(ctx, api); err != nil {
		return err
	}
	return readArtifacts(ctx, r)
}

// believe keeps what the API listed for the image if the registry has the API, whole or not. A
// registry without the API lists nothing, and anything else shows nothing.
func (a *attached) believe(api matrix.Support, whole bool) {
	if api != matrix.Supported {
		a.found = slices.DeleteFunc(a.found, func(one artifact) bool { return one.place == matrix.PlaceAPI })
		a.partial = false
	}
	if api == matrix.Unsupported || api == matrix.Supported && whole && !a.partial {
		a.image.isRead(matrix.PlaceAPI)
	}
}
