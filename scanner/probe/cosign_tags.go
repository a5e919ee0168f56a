package probe

import (
	"context"
	"net/http"
	"strings"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// cosignSuffixes are the tags of cosign 1 and 2 beside an image
// (sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignSuffixes = []string{".sig", ".att", ".sbom"}

// probeCosignTags finds out which of cosign's own tags exist for the image, and whether
// the API lists what they name, as Harbor does.
func probeCosignTags(ctx context.Context, r *row) error {
	found, listed, fromList := []string{}, []string(nil), false
	for _, suffix := range cosignSuffixes {
		tag := strings.Replace(r.seen.Manifest.Digest, ":", "-", 1) + suffix
		if r.tags != nil && !r.tags.has(tag) {
			fromList = true
			continue
		}
		method := r.existenceMethod()
		resp, err := r.get(ctx, stepCosignTag, method, tag)
		if err != nil {
			return err
		}
		switch {
		case resp.Fault != nil || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound:
			return nil // if one answer is missing, nothing is known
		case resp.Status == http.StatusOK && method == http.MethodGet && !isManifest(resp):
			return nil // a web page is not a tag
		case resp.Status == http.StatusOK:
			found = append(found, suffix)
			if r.listed.contain(resp.Header.Get("Docker-Content-Digest")) {
				listed = append(listed, suffix)
			}
		}
	}
	if fromList {
		r.fromRepository("cosign_tags")
	}
	r.seen.Capabilities.CosignTags, r.seen.Capabilities.CosignListed = found, listed
	return nil
}

// isManifest reports whether the body of resp is a manifest or an index.
func isManifest(resp *registry.Response) bool {
	kind := readBody(resp).kind
	return kind == verdict.BodyManifest || kind == verdict.BodyIndex
}
