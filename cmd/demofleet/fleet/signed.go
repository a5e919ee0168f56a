package fleet

import (
	"context"
	"strings"

	"github.com/opencontainers/go-digest"
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
	vulnPredicate     = "https://cosign.sigstore.dev/attestation/vuln/v1"
	cosignSignature   = "dev.cosignproject.cosign/signature"
	simpleSigningType = "application/vnd.dev.cosign.simplesigning.v1+json"
	cosignSigType     = "application/vnd.dev.cosign.artifact.sig.v1+json"
	dsseType          = "application/vnd.dsse.envelope.v1+json"
	jwsType           = "application/jose+json"
)

// pushSigned pushes the image Signed with a signature and an SBOM of cosign 3, one signature of
// notation, and what cosign 2 leaves beside an image.
func pushSigned(ctx context.Context, to *remote.Repository) error {
	image, err := pushImage(ctx, to, "signed", SignedTag)
	if err != nil {
		return err
	}
	if _, err := attachNotation(ctx, to, image); err != nil {
		return err
	}
	return pushAll(ctx, orasClient{to}, image,
		bundleSignature(),
		bundleAttestation(Signed, spdxPredicate),
		cosignReferrer(Signed),
		cosignSig(Signed),
		cosignAtt(Signed, slsaPredicate),
		cosignSBOM(),
	)
}

// form makes what a signer attaches to an image.
type form func(image ocispec.Descriptor) (artifact, error)

// pushAll pushes what each form makes of an image.
func pushAll(ctx context.Context, to pusher, image ocispec.Descriptor, forms ...form) error {
	for _, one := range forms {
		if _, err := push(ctx, to, image, one); err != nil {
			return err
		}
	}
	return nil
}

// push pushes what a form makes of an image, and returns the digest of its manifest.
func push(ctx context.Context, to pusher, image ocispec.Descriptor, one form) (digest.Digest, error) {
	made, err := one(image)
	if err != nil {
		return "", err
	}
	pushed, err := pushArtifact(ctx, to, made)
	return pushed.Digest, err
}

// bundleSignature is a signature of cosign 3.
func bundleSignature() form {
	return func(image ocispec.Descriptor) (artifact, error) {
		payload, err := signatureStatement(image.Digest)
		if err != nil {
			return artifact{}, err
		}
		return bundle(image, cosignPredicate, payload)
	}
}

// bundleAttestation is an attestation of cosign 3.
func bundleAttestation(repository, predicate string) form {
	return func(image ocispec.Descriptor) (artifact, error) {
		payload, err := attestation(repository, image.Digest, predicate)
		if err != nil {
			return artifact{}, err
		}
		return bundle(image, predicate, payload)
	}
}

// bundle is what cosign 3 attaches. The predicate type alone distinguishes a signature from an
// attestation. The config's descriptor has the artifact type too.
func bundle(image ocispec.Descriptor, predicate string, payload []byte) (artifact, error) {
	content, err := sigstoreBundle(payload)
	config := emptyConfig(ocispec.MediaTypeEmptyJSON)
	config.artifactType = bundleType
	return artifact{
		artifactType: bundleType,
		config:       config,
		layers:       []blob{{mediaType: bundleType, content: content}},
		subject:      &image,
		annotations: map[string]string{
			ocispec.AnnotationCreated: created,
			bundleContent:             "dsse-envelope",
			bundlePredicate:           predicate,
		},
	}, err
}

// cosignSig is a signature of cosign 2 under its tag.
func cosignSig(repository string) form {
	return func(image ocispec.Descriptor) (artifact, error) {
		layer, err := simpleSignature(repository, image.Digest)
		return cosignTagged(image, ".sig", layer), err
	}
}

// cosignReferrer is a signature of cosign 2 in the mode oci-1-1: that of the tag, but with a subject
// and no tag.
func cosignReferrer(repository string) form {
	return func(image ocispec.Descriptor) (artifact, error) {
		layer, err := simpleSignature(repository, image.Digest)
		made := cosignTagged(image, "", layer)
		made.tag, made.artifactType, made.config.mediaType = "", cosignSigType, cosignSigType
		made.subject = &image
		return made, err
	}
}

// simpleSignature is the layer of a signature of cosign 2.
func simpleSignature(repository string, image digest.Digest) (blob, error) {
	payload, err := simpleSigning(repository, image)
	if err != nil {
		return blob{}, err
	}
	signature, err := sign(payload)
	return blob{
		mediaType:   simpleSigningType,
		content:     payload,
		annotations: map[string]string{cosignSignature: signature},
	}, err
}

// cosignAtt is what cosign 2 leaves under the tag of attestations: a layer for each.
func cosignAtt(repository string, predicates ...string) form {
	return func(image ocispec.Descriptor) (artifact, error) {
		var layers []blob
		for _, predicate := range predicates {
			payload, err := attestation(repository, image.Digest, predicate)
			if err != nil {
				return artifact{}, err
			}
			envelope, err := dsseEnvelope(payload)
			if err != nil {
				return artifact{}, err
			}
			layers = append(layers, blob{
				mediaType:   dsseType,
				content:     envelope,
				annotations: map[string]string{cosignSignature: "", "predicateType": predicate},
			})
		}
		return cosignTagged(image, ".att", layers...), nil
	}
}

// cosignSBOM is what "cosign attach sbom" leaves under its tag.
func cosignSBOM() form {
	return func(image ocispec.Descriptor) (artifact, error) {
		return cosignTagged(image, ".sbom", blob{mediaType: "text/spdx+json", content: []byte(sbom)}), nil
	}
}

// cosignTagged is a manifest that names no artifact type and no subject: the tag is its only link
// to the image.
func cosignTagged(image ocispec.Descriptor, suffix string, layers ...blob) artifact {
	var diffs, histories []string
	for _, layer := range layers {
		histories = append(histories, `{"created":"0001-01-01T00:00:00Z"}`)
		diffs = append(diffs, `"`+digest.FromBytes(layer.content).String()+`"`)
	}
	return artifact{
		config: blob{
			mediaType: ocispec.MediaTypeImageConfig,
			content: []byte(`{"architecture":"","created":"0001-01-01T00:00:00Z","history":[` + strings.Join(histories, ",") +
				`],"os":"","rootfs":{"type":"layers","diff_ids":[` + strings.Join(diffs, ",") + `]},"config":{}}`),
		},
		layers: layers,
		tag:    cosignTag(image.Digest.String(), suffix),
	}
}

// emptyConfig is the empty JSON object (image-spec, "Guidance for an Empty Descriptor") under a
// media type.
func emptyConfig(mediaType string) blob {
	return blob{mediaType: mediaType, content: ocispec.DescriptorEmptyJSON.Data}
}
