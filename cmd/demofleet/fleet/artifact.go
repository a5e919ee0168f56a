package fleet

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// artifact is a manifest with its blobs.
type artifact struct {
	artifactType string
	config       blob
	layers       []blob
	subject      *ocispec.Descriptor
	annotations  map[string]string
	tag          string // empty = pushed by digest
}

// blob is a config or a layer, and what the manifest says of it.
type blob struct {
	mediaType    string
	artifactType string // of the descriptor; cosign alone writes it
	content      []byte
	annotations  map[string]string
}

func (b blob) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{
		MediaType:    b.mediaType,
		ArtifactType: b.artifactType,
		Digest:       digest.FromBytes(b.content),
		Size:         int64(len(b.content)),
		Annotations:  b.annotations,
	}
}

// manifest is what is pushed of an artifact after its blobs.
func (a artifact) manifest() ([]byte, error) {
	manifest := ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: a.artifactType,
		Config:       a.config.descriptor(),
		Subject:      a.subject,
		Annotations:  a.annotations,
	}
	for _, layer := range a.layers {
		manifest.Layers = append(manifest.Layers, layer.descriptor())
	}
	return json.Marshal(manifest)
}

// pushArtifact pushes an artifact with its blobs, and returns the descriptor of its manifest. If the
// artifact has a subject, the client decides between the referrers API and the tag schema.
func pushArtifact(ctx context.Context, to pusher, a artifact) (ocispec.Descriptor, error) {
	for _, one := range append([]blob{a.config}, a.layers...) {
		if err := to.pushBlob(ctx, one); err != nil {
			return ocispec.Descriptor{}, fmt.Errorf("push %s: %w", one.mediaType, err)
		}
	}
	content, err := a.manifest()
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	manifest := blob{mediaType: ocispec.MediaTypeImageManifest, content: content}
	if err := to.pushManifest(ctx, manifest, a.tag); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("push a manifest %s: %w", a.artifactType, err)
	}
	return manifest.descriptor(), nil
}
