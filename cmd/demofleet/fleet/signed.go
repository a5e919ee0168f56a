package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
)

// What the signers write into the manifests that they attach, as cosign 3.1.3 and notation 1.3.2
// were seen to do.
const (
	bundleType        = "application/vnd.dev.sigstore.bundle.v0.3+json"
	bundleContent     = "dev.sigstore.bundle.content"
	bundlePredicate   = "dev.sigstore.bundle.predicateType"
	cosignPredicate   = "https://sigstore.dev/cosign/sign/v1"
	spdxPredicate     = "https://spdx.dev/Document"
	slsaPredicate     = "https://slsa.dev/provenance/v1"
	cosignSignature   = "dev.cosignproject.cosign/signature"
	simpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json"
	dsseType          = "application/vnd.dsse.envelope.v1+json"
	jwsType           = "application/jose+json"
	thumbprints       = "io.cncf.notary.x509chain.thumbprint#S256"
)

// pushSigned pushes the image Signed with a signature and an SBOM of cosign 3, one signature of
// notation, and what cosign 2 leaves beside an image.
func pushSigned(ctx context.Context, to *remote.Repository) error {
	image, err := pushImage(ctx, to, "signed", SignedTag)
	if err != nil {
		return err
	}
	return errors.Join(
		attachBundle(ctx, to, image, cosignPredicate),
		attachBundle(ctx, to, image, spdxPredicate),
		attachNotation(ctx, to, image),
		pushSig(ctx, to, image),
		pushAtt(ctx, to, image),
		pushSBOM(ctx, to, image),
	)
}

// attachBundle attaches a bundle of cosign 3. Its predicate type alone distinguishes a signature
// from an attestation.
func attachBundle(ctx context.Context, to *remote.Repository, image ocispec.Descriptor, predicate string) error {
	bundle, err := sigstoreBundle(image.Digest, predicate)
	if err != nil {
		return err
	}
	return pushArtifact(ctx, to, artifact{
		artifactType: bundleType,
		config:       ocispec.DescriptorEmptyJSON,
		layer:        ocispec.Descriptor{MediaType: bundleType},
		content:      bundle,
		subject:      &image,
		annotations: map[string]string{
			ocispec.AnnotationCreated: created,
			bundleContent:             "dsse-envelope",
			bundlePredicate:           predicate,
		},
	})
}

// attachNotation attaches a signature of notation. Its kind is the type of its config.
func attachNotation(ctx context.Context, to *remote.Repository, image ocispec.Descriptor) error {
	envelope, thumbprint, err := notationEnvelope(image)
	if err != nil {
		return err
	}
	list, err := json.Marshal([]string{thumbprint})
	if err != nil {
		return err
	}
	config := ocispec.DescriptorEmptyJSON
	config.MediaType = SignatureType
	return pushArtifact(ctx, to, artifact{
		config:  config,
		layer:   ocispec.Descriptor{MediaType: jwsType},
		content: envelope,
		subject: &image,
		annotations: map[string]string{
			ocispec.AnnotationCreated: created,
			thumbprints:               string(list),
		},
	})
}

// pushSig pushes a signature of cosign 2 under its tag.
func pushSig(ctx context.Context, to *remote.Repository, image ocispec.Descriptor) error {
	payload, err := simpleSigning(to.Reference.Repository, image.Digest)
	if err != nil {
		return err
	}
	signature, err := sign(payload)
	if err != nil {
		return err
	}
	layer := ocispec.Descriptor{
		MediaType:   simpleSigningType,
		Annotations: map[string]string{cosignSignature: signature},
	}
	return pushCosignTag(ctx, to, image, ".sig", layer, payload)
}

// pushAtt pushes an attestation of cosign 2 under its tag.
func pushAtt(ctx context.Context, to *remote.Repository, image ocispec.Descriptor) error {
	envelope, err := dsseEnvelope(image.Digest, slsaPredicate)
	if err != nil {
		return err
	}
	layer := ocispec.Descriptor{
		MediaType:   dsseType,
		Annotations: map[string]string{cosignSignature: "", "predicateType": slsaPredicate},
	}
	return pushCosignTag(ctx, to, image, ".att", layer, envelope)
}

// pushSBOM pushes what "cosign attach sbom" leaves under its tag.
func pushSBOM(ctx context.Context, to *remote.Repository, image ocispec.Descriptor) error {
	return pushCosignTag(ctx, to, image, ".sbom", ocispec.Descriptor{MediaType: "text/spdx+json"}, []byte(sbom))
}

// pushCosignTag pushes a manifest that names no artifact type and no subject: the tag is its only
// link to the image.
func pushCosignTag(
	ctx context.Context, to *remote.Repository, image ocispec.Descriptor, suffix string, layer ocispec.Descriptor,
	content []byte,
) error {
	config, err := pushBlob(ctx, to, ocispec.MediaTypeImageConfig,
		[]byte(`{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":["`+
			digest.FromBytes(content).String()+`"]},"config":{}}`))
	if err != nil {
		return err
	}
	return pushArtifact(ctx, to, artifact{
		config:  config,
		layer:   layer,
		content: content,
		tag:     strings.Replace(image.Digest.String(), ":", "-", 1) + suffix,
	})
}

// artifact is a manifest of one layer.
type artifact struct {
	artifactType string
	config       ocispec.Descriptor
	layer        ocispec.Descriptor // without digest and size, which are those of content
	content      []byte
	subject      *ocispec.Descriptor
	annotations  map[string]string
	tag          string // empty = pushed by digest
}

// pushArtifact pushes an artifact with its blobs; if it has a subject, oras-go itself decides
// between the referrers API and the tag schema.
func pushArtifact(ctx context.Context, to *remote.Repository, a artifact) error {
	layer, err := pushBlob(ctx, to, a.layer.MediaType, a.content)
	if err != nil {
		return err
	}
	layer.Annotations = a.layer.Annotations
	if a.config.Digest == ocispec.DescriptorEmptyJSON.Digest {
		if _, err := pushBlob(ctx, to, a.config.MediaType, ocispec.DescriptorEmptyJSON.Data); err != nil {
			return err
		}
		a.config.Data = nil
	}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: a.artifactType,
		Config:       a.config,
		Layers:       []ocispec.Descriptor{layer},
		Subject:      a.subject,
		Annotations:  a.annotations,
	})
	if err != nil {
		return err
	}
	d := ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageManifest,
		Digest:    digest.FromBytes(manifest),
		Size:      int64(len(manifest)),
	}
	if a.tag != "" {
		return to.PushReference(ctx, d, bytes.NewReader(manifest), a.tag)
	}
	return to.Push(ctx, d, bytes.NewReader(manifest))
}
