package probe

import (
	"context"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// cosignSuffixes are the tags of cosign 1 and 2 beside an image
// (sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignSuffixes = []string{".sig", ".att", ".sbom"}

// probeCosignTags finds out which of cosign's own tags exist for the image, and whether
// the API lists what they name, as Harbor does.
func probeCosignTags(ctx context.Context, r *row) error {
	image := &subject{digest: r.seen.Manifest.Digest}
	if r.attached != nil {
		image = &r.attached.image
	}
	tags, err := r.cosignTags(ctx, stepCosignTag, image)
	if err != nil || !tags.known {
		return err
	}
	if tags.fromList {
		r.fromRepository("cosign_tags")
	}
	r.seen.Capabilities.CosignTags, r.seen.Capabilities.CosignListed = tags.found, tags.listed
	return nil
}

// cosignTags are which of cosign's own tags exist for a manifest.
type cosignTags struct {
	known    bool     // every one of them was answered for
	fromList bool     // one or more are not in the list of the repository's tags
	found    []string // the suffixes of those that exist
	listed   []string // those of them that the API lists for the image
}

// cosignTags requests the tags of a manifest, and reads them if links are read.
func (r *row) cosignTags(ctx context.Context, step string, on *subject) (cosignTags, error) {
	tags, whole := cosignTags{known: true, found: []string{}}, true
	for _, suffix := range cosignSuffixes {
		tag := strings.Replace(on.digest, ":", "-", 1) + suffix
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
			tags.found = append(tags.found, suffix)
			if r.listed.contain(resp.Header.Get("Docker-Content-Digest")) {
				tags.listed = append(tags.listed, suffix)
			}
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
