package probe

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// cosignSuffixes are the tags of cosign 1 and 2 beside an image
// (sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignSuffixes = []string{".sig", ".att", ".sbom"}

// cosignTag is the tag of cosign for a digest.
func cosignTag(digest, suffix string) string { return strings.Replace(digest, ":", "-", 1) + suffix }

// probeCosignTags finds out which of cosign's own tags exist for the image, and whether
// the API lists what they name, as Harbor does.
func probeCosignTags(ctx context.Context, r *row) error {
	tags := r.cosign
	if tags == nil {
		requested, err := r.cosignTags(ctx, stepCosignTag, r.imageSubject())
		if err != nil {
			return err
		}
		tags = &requested
	}
	if !tags.known {
		return nil
	}
	if tags.fromList {
		r.fromRepository("cosign_tags")
	}
	caps := &r.seen.Capabilities
	caps.CosignTags, caps.CosignListed = []string{}, nil
	for _, one := range tags.found {
		caps.CosignTags = append(caps.CosignTags, one.suffix)
		if r.listed.contain(one.digest) {
			caps.CosignListed = append(caps.CosignListed, one.suffix)
		}
	}
	return nil
}

// imageSubject is the image, with which of its places were read if links are read.
func (r *row) imageSubject() *subject {
	if r.attached != nil {
		return &r.attached.image
	}
	return &subject{digest: r.seen.Manifest.Digest}
}

// cosignTags are which of cosign's own tags exist for a manifest.
type cosignTags struct {
	known    bool // every one of them was answered for
	fromList bool // one or more are not in the list of the repository's tags
	found    []existingTag
}

// existingTag is one of cosign's tags that exists.
type existingTag struct {
	suffix string
	digest string // that the registry names for it, as sent
}

// has reports whether the tag with the suffix exists.
func (t *cosignTags) has(suffix string) bool {
	return slices.ContainsFunc(t.found, func(one existingTag) bool { return one.suffix == suffix })
}

// cosignTags requests the tags of a manifest, and reads them if links are read.
func (r *row) cosignTags(ctx context.Context, step string, on *subject) (cosignTags, error) {
	tags, whole := cosignTags{known: true}, true
	for _, suffix := range cosignSuffixes {
		tag := cosignTag(on.digest, suffix)
		if len(tag) > maxTagName {
			continue // as of a digest of SHA-512: it cannot exist
		}
		if r.tags != nil && !r.tags.has(tag) {
			tags.fromList = true
			continue
		}
		method := r.cosignTagMethod()
		if method == "" {
			tags.known = false
			return tags, nil
		}
		resp, err := r.manifest(ctx, step, method, tag, r.sentFor(on, tag))
		if err != nil {
			return tags, err
		}
		switch {
		case resp.Fault != nil || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound:
			tags.known = false
		case resp.Status == http.StatusOK && method == http.MethodGet && !isManifest(resp):
			tags.known = false // a web page is not a tag
		case resp.Status == http.StatusOK:
			tags.found = append(tags.found, existingTag{suffix, resp.Header.Get("Docker-Content-Digest")})
			whole = r.attached.cosignTag(on, resp) && whole
		}
		if !tags.known {
			return tags, nil // if one answer is missing, nothing is known
		}
	}
	if whole {
		on.isRead(matrix.PlaceCosignTag)
	}
	return tags, nil
}

// cosignTagMethod returns the method that cosign tags are requested with: GET if links are
// read, unless the registry has too few pulls left. It is "" if only a pull would show whether
// the tags exist.
func (r *row) cosignTagMethod() string {
	exists := r.existenceMethod()
	switch {
	case exists == http.MethodHead && r.attached == nil:
		return http.MethodHead
	case r.mayPull():
		return http.MethodGet
	case exists == http.MethodHead:
		return http.MethodHead
	}
	return ""
}

// cosignTag collects what a cosign tag of a subject names. It reports whether that is known. The
// answer to HEAD names its digest alone.
func (a *attached) cosignTag(on *subject, resp *registry.Response) (known bool) {
	if a == nil {
		return true
	}
	named, err := digest.Parse(resp.Header.Get("Docker-Content-Digest"))
	if len(resp.Bytes) > 0 && (err != nil || named.Algorithm().FromBytes(resp.Bytes) != named) {
		named, err = digest.FromBytes(resp.Bytes), nil
	}
	switch {
	case err != nil:
		return false
	case named.String() == on.digest:
		return true // nothing is attached to itself
	}
	if len(resp.Bytes) > 0 {
		a.keepManifest(named.String(), resp)
	}
	kept := a.add(on, matrix.PlaceCosignTag, &listed{
		MediaType: name(cut(resp.ContentType, maxName)),
		Digest:    name(named.String()),
		Size:      int64(len(resp.Bytes)),
	})
	if kept {
		a.found[len(a.found)-1].CosignTag = true
	}
	return kept
}

// isManifest reports whether the body of resp is a manifest or an index.
func isManifest(resp *registry.Response) bool {
	kind := readBody(resp).kind
	return kind == verdict.BodyManifest || kind == verdict.BodyIndex
}
