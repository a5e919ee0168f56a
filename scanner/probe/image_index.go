package probe

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// unknownPlatform is the platform of an entry of an index that does not name one.
const unknownPlatform = "unknown"

// platform is the platform of a descriptor, os/arch[/variant] (image specification,
// image-index.md).
type platform string

// UnmarshalJSON never fails: what is not a platform is "".
func (p *platform) UnmarshalJSON(raw []byte) error {
	var parts struct {
		OS           name `json:"os"`
		Architecture name `json:"architecture"`
		Variant      name `json:"variant"`
	}
	*p = ""
	if json.Unmarshal(raw, &parts) != nil || parts.OS == "" || parts.Architecture == "" {
		return nil
	}
	text := string(parts.OS) + "/" + string(parts.Architecture)
	if parts.Variant != "" {
		text += "/" + string(parts.Variant)
	}
	if len(text) <= maxName {
		*p = platform(text)
	}
	return nil
}

// readImageIndex reads which platforms the image has, and what its index lists as attached to
// them. An image that is a single manifest has none.
func readImageIndex(ctx context.Context, r *row) error {
	if r.attached.index {
		return nil // it was resolved by GET
	}
	mediaType := strings.ToLower(matrix.BareMediaType(r.seen.Manifest.MediaType))
	if isManifestType(mediaType) && !matrix.IsIndexOfPlatforms(mediaType) {
		r.attached.isSingle()
		return nil
	}
	if !r.mayPull() {
		return nil
	}
	resp, err := r.get(ctx, stepIndex, http.MethodGet, r.seen.Manifest.Digest)
	if err != nil || resp.Fault != nil || resp.Status != http.StatusOK {
		return err
	}
	r.attached.readIndex(r.seen.Manifest.Digest, resp)
	return nil
}

// isSingle notes that the image has no index.
func (a *attached) isSingle() {
	a.index = true
	a.image.isRead(matrix.PlaceInIndex)
}

// readIndex reads the image's manifest. It does nothing if the answer is not that manifest.
func (a *attached) readIndex(imageDigest string, resp *registry.Response) {
	parsed := digest.Digest(imageDigest)
	if a == nil || resp.Cut || parsed.Validate() == nil && parsed.Algorithm().FromBytes(resp.Bytes) != parsed {
		return
	}
	if kind := readBody(resp).kind; kind != verdict.BodyIndex && kind != verdict.BodyManifest {
		return
	}
	byDigest := map[string]*subject{}
	var inside []listed
	there, whole := eachListed(resp, func(d *listed) (enough bool) {
		if verdict.InIndex(d.Annotations) {
			inside = append(inside, *d)
			return len(inside) > maxAttached
		}
		if !a.addPlatform(d, byDigest) {
			a.bounds.Platforms++ // toProbe counts those that are kept
		}
		return false
	})
	if !there {
		a.isSingle()
		return
	}
	a.index = true
	for i := range inside {
		on := byDigest[verdict.InIndexSubject(inside[i].Annotations)]
		switch {
		case on == nil && a.bounds.Platforms == 0:
			a.bounds.Misplaced++
			continue
		case on == nil:
			continue // it may be of a platform that is not kept
		}
		whole = a.add(on, matrix.PlaceInIndex, &inside[i]) && whole
	}
	if whole && a.bounds.Platforms == 0 {
		a.image.isRead(matrix.PlaceInIndex)
	}
}

// addPlatform keeps a platform of the index, and reports whether there was room for it.
func (a *attached) addPlatform(d *listed, byDigest map[string]*subject) bool {
	if a.names.full() || len(a.platforms) >= maxAttached {
		return false
	}
	p := &subject{
		digest:   string(d.Digest),
		platform: a.names.keep(string(d.Platform)),
		nested:   matrix.IsIndexOfPlatforms(string(d.MediaType)),
	}
	if p.platform == "" {
		p.platform = unknownPlatform
	}
	if byDigest[p.digest] == nil {
		byDigest[p.digest] = p
	}
	a.platforms = append(a.platforms, p)
	return true
}
