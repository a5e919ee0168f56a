package probe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxManifests bounds how many manifests of listed artifacts are read of one image.
const maxManifests = 20

// ownManifest is what an artifact's own manifest shows of it.
type ownManifest struct {
	read         bool // it could be read
	kinds        []matrix.LinkKind
	artifactType string // "" if it names none
}

// readArtifacts reads the manifests of those artifacts whose lists do not show what they are,
// and judges them by what was read.
func readArtifacts(ctx context.Context, r *row) error {
	a, read := r.attached, 0
	a.doubt()
	unread := map[string]bool{}
	for i := range a.found {
		one := &a.found[i]
		if _, done := a.manifests[one.digest]; done || !one.unread || unread[one.digest] {
			continue
		}
		if read == maxManifests || !r.session.HasTime() || !r.mayPull() {
			unread[one.digest] = true
			continue
		}
		read++
		resp, err := r.manifest(ctx, stepArtifact, http.MethodGet, one.digest, sentOf(one.digest, one.digest))
		if err != nil {
			return err
		}
		a.keepManifest(one.digest, resp)
	}
	a.bounds.Manifests = len(unread)
	return nil
}

// doubt forgets what artifacts are that lists name as different things: only their manifests show
// which list is right.
func (a *attached) doubt() {
	first, doubted := map[string][]matrix.LinkKind{}, map[string]bool{}
	for i := range a.found {
		one := &a.found[i]
		if kinds, known := first[one.digest]; known && !one.unread && !slices.Equal(kinds, one.kinds) {
			doubted[one.digest] = true
		}
		if !one.unread {
			first[one.digest] = one.kinds
		}
	}
	for i := range a.found {
		if one := &a.found[i]; doubted[one.digest] {
			one.kinds, one.unread = nil, true
		}
	}
}

// keepManifest keeps what an answer shows of an artifact: nothing if it is not its manifest.
func (a *attached) keepManifest(of string, resp *registry.Response) {
	a.manifests[of] = ownManifest{}
	if resp.Fault != nil || resp.Status != http.StatusOK || resp.Cut || !isManifest(resp) {
		return
	}
	if claimed, err := digest.Parse(of); err == nil && claimed.Algorithm().FromBytes(resp.Bytes) != claimed {
		return
	}
	var manifest verdict.AttachedManifest
	var otherType *json.UnmarshalTypeError // all that has the right type is read
	if err := json.Unmarshal(resp.Bytes, &manifest); err != nil && !errors.As(err, &otherType) {
		return
	}
	if len(manifest.Layers) > verdict.MaxAttachedBlobs {
		return
	}
	whole := verdict.Attached{Manifest: &manifest}
	kinds, _ := whole.Kinds()
	a.manifests[of] = ownManifest{read: true, kinds: kinds, artifactType: a.names.keep(cut(manifest.ArtifactType, maxName))}
}

// judge finds out what each artifact is whose manifest was read, in whatever place it is. What a
// cosign tag names is that tag's artifact where a list has it too, as Harbor's does.
func (a *attached) judge() {
	a.doubt()
	tagged := map[string]bool{}
	for i := range a.found {
		tagged[a.found[i].digest] = tagged[a.found[i].digest] || a.found[i].CosignTag
	}
	for i := range a.found {
		one := &a.found[i]
		one.CosignTag = tagged[one.digest]
		if manifest := a.manifests[one.digest]; manifest.read {
			one.kinds, one.Manifest = manifest.kinds, &verdict.AttachedManifest{ArtifactType: manifest.artifactType}
		}
	}
}
