package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
)

// Platforms is an image of three platforms. Different tools attached to the index and to the
// platforms, and BuildKit wrote attestations into the index.
const (
	Platforms    = "team/platforms"
	PlatformsTag = "1.0"
)

// platforms are those of the image Platforms.
var platforms = []ocispec.Platform{
	{OS: "linux", Architecture: "amd64"},
	{OS: "linux", Architecture: "arm64"},
	{OS: "linux", Architecture: "arm", Variant: "v7"},
}

// The names of the platforms, as matrix.json has them.
const (
	amd64 = "linux/amd64"
	arm64 = "linux/arm64"
	armV7 = "linux/arm/v7"
)

// Where an attached artifact is found.
const (
	AtReferrers = "referrers"  // the API or the referrers tag, as the registry and the client have it
	AtCosignTag = "cosign-tag" // a tag .sig, .att or .sbom
	InIndex     = "in-index"   // the image's own index
)

// Attached is one artifact that the fleet attached to the image Platforms.
type Attached struct {
	Digest   digest.Digest // of its manifest
	Subject  digest.Digest
	Platform string   // of the subject; empty = the index
	Kinds    []string // of what is in it, as matrix.json names them
	Where    string   // AtReferrers, AtCosignTag or InIndex
}

// attachment is one line of the table of what is attached to the image Platforms.
type attachment struct {
	platform string // empty = the index
	by       library
	form     form // nil = a signature that notation-go pushes itself
	kinds    []string
	where    string
}

// library is a client library that a signer is built with.
type library int

const (
	orasGo library = iota
	goContainerRegistry
	regclientLibrary
)

var attachments = []attachment{
	{"", orasGo, nil, []string{"signature"}, AtReferrers},
	{"", goContainerRegistry, bundleSignature(), []string{"signature"}, AtReferrers},
	{"", goContainerRegistry, bundleAttestation(Platforms, spdxPredicate), []string{"sbom"}, AtReferrers},
	{"", regclientLibrary, document(cycloneDXType, cycloneDX), []string{"sbom"}, AtReferrers},
	{amd64, goContainerRegistry, bundleSignature(), []string{"signature"}, AtReferrers},
	{amd64, orasGo, document(SBOMType, sbom), []string{"sbom"}, AtReferrers},
	{amd64, goContainerRegistry, bundleAttestation(Platforms, vulnPredicate), []string{"scan-report"}, AtReferrers},
	{amd64, regclientLibrary, document(noteType, "{}"), []string{"other"}, AtReferrers},
	{arm64, goContainerRegistry, cosignReferrer(Platforms), []string{"signature"}, AtReferrers},
	{arm64, goContainerRegistry, cosignSig(Platforms), []string{"signature"}, AtCosignTag},
	{arm64, goContainerRegistry, cosignAtt(Platforms, spdxPredicate, slsaPredicate), []string{"sbom", "provenance"}, AtCosignTag},
	{arm64, goContainerRegistry, cosignSBOM(), []string{"sbom"}, AtCosignTag},
	{armV7, orasGo, nil, []string{"signature"}, AtReferrers},
	{armV7, regclientLibrary, document(openVEXType, openVEX), []string{"vex"}, AtReferrers},
}

// The documents that are attached to the image Platforms, and the types of those that no signer
// defines.
const (
	cycloneDX     = `{"bomFormat":"CycloneDX","specVersion":"1.6"}`
	cycloneDXType = "application/vnd.cyclonedx+json"
	openVEX       = `{"@context":"https://openvex.dev/ns/v0.2.0"}`
	openVEXType   = "application/vnd.openvex+json"
	noteType      = "application/vnd.example.note.v1"
)

// attestedPlatforms have attestations of BuildKit in the index.
var attestedPlatforms = []string{amd64, arm64}

// document is a file attached under its type, as oras and regctl attach it.
func document(artifactType, content string) form {
	return func(image ocispec.Descriptor) (artifact, error) {
		return artifact{
			artifactType: artifactType,
			config:       emptyConfig(ocispec.MediaTypeEmptyJSON),
			layers:       []blob{{mediaType: artifactType, content: []byte(content)}},
			subject:      &image,
			annotations:  map[string]string{ocispec.AnnotationCreated: created},
		}, nil
	}
}

// fillPlatforms pushes the image Platforms and what is attached to it.
func fillPlatforms(ctx context.Context, f *Fleet, r Registry) error {
	to, err := f.repository(r, Platforms)
	if err != nil {
		return err
	}
	clients, err := f.pushers(r, to)
	if err != nil {
		return err
	}
	subjects, all, err := pushPlatforms(ctx, to)
	if err != nil {
		return err
	}
	for _, one := range attachments {
		subject := subjects[one.platform]
		var made digest.Digest
		if one.form == nil {
			made, err = attachNotation(ctx, to, subject)
		} else {
			made, err = push(ctx, clients[one.by], subject, one.form)
		}
		if err != nil {
			return fmt.Errorf("attach %v to %s %s: %w", one.kinds, Platforms, one.platform, err)
		}
		all = append(all, Attached{
			Digest:   made,
			Subject:  subject.Digest,
			Platform: one.platform,
			Kinds:    one.kinds,
			Where:    one.where,
		})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attached[r.Name] = all
	return nil
}

// pushers returns each library's client for the image Platforms.
func (f *Fleet) pushers(r Registry, to *remote.Repository) (map[library]pusher, error) {
	ggcr, err := f.ggcrClient(r, Platforms)
	if err != nil {
		return nil, err
	}
	regctl, err := f.regClient(r, Platforms)
	return map[library]pusher{orasGo: orasClient{to}, goContainerRegistry: ggcr, regclientLibrary: regctl}, err
}

// pushPlatforms pushes the image with its attestations. It returns the index, under "", and the
// platforms, by name.
func pushPlatforms(ctx context.Context, to *remote.Repository) (map[string]ocispec.Descriptor, []Attached, error) {
	subjects := map[string]ocispec.Descriptor{}
	var entries, attestations []ocispec.Descriptor
	var all []Attached
	for i := range platforms {
		name := platformName(platforms[i])
		subject, err := pushPlatform(ctx, to, name, platforms[i])
		if err != nil {
			return nil, nil, err
		}
		subjects[name] = subject
		entry := subject
		entry.Platform = &platforms[i]
		entries = append(entries, entry)
		if !slices.Contains(attestedPlatforms, name) {
			continue
		}
		entry, err = pushAttestation(ctx, to, subject.Digest)
		if err != nil {
			return nil, nil, err
		}
		attestations = append(attestations, entry)
		all = append(all, Attached{
			Digest:   entry.Digest,
			Subject:  subject.Digest,
			Platform: name,
			Kinds:    []string{"sbom", "provenance"},
			Where:    InIndex,
		})
	}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: append(entries, attestations...),
	})
	if err != nil {
		return nil, nil, err
	}
	pushed := blob{mediaType: ocispec.MediaTypeImageIndex, content: index}
	subjects[""] = pushed.descriptor()
	return subjects, all, orasClient{to}.pushManifest(ctx, pushed, PlatformsTag)
}

// platformName is os/arch[/variant].
func platformName(p ocispec.Platform) string {
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return name
}

func pushPlatform(ctx context.Context, to *remote.Repository, name string, p ocispec.Platform) (ocispec.Descriptor, error) {
	layer := blob{mediaType: ocispec.MediaTypeImageLayer, content: []byte("the layer of " + name)}
	config, err := json.Marshal(ocispec.Image{
		Platform: p,
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.descriptor().Digest}},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return pushArtifact(ctx, orasClient{to}, artifact{
		config: blob{mediaType: ocispec.MediaTypeImageConfig, content: config},
		layers: []blob{layer},
	})
}

// pushAttestation pushes an SBOM and a provenance of one platform as BuildKit does, and returns
// their entry of the index (Docker, "Image attestation storage"). They are not signed.
func pushAttestation(ctx context.Context, to *remote.Repository, subject digest.Digest) (ocispec.Descriptor, error) {
	var layers []blob
	for _, predicate := range []string{spdxPredicate, slsaPredicate} {
		content, err := attestation(Platforms, subject, predicate)
		if err != nil {
			return ocispec.Descriptor{}, err
		}
		layers = append(layers, blob{
			mediaType:   inTotoType,
			content:     content,
			annotations: map[string]string{"in-toto.io/predicate-type": predicate},
		})
	}
	config, err := json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: "unknown", Architecture: "unknown"},
		RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{
			layers[0].descriptor().Digest, layers[1].descriptor().Digest,
		}},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	entry, err := pushArtifact(ctx, orasClient{to}, artifact{
		config: blob{mediaType: ocispec.MediaTypeImageConfig, content: config},
		layers: layers,
	})
	entry.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	entry.Annotations = map[string]string{
		"vnd.docker.reference.digest": subject.String(),
		"vnd.docker.reference.type":   "attestation-manifest",
	}
	return entry, err
}

// Attached lists what was attached to the image Platforms of a registry; none if it has not that
// image.
func (f *Fleet) Attached(registry string) []Attached {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.attached[registry])
}
