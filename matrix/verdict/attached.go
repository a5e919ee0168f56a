package verdict

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Attached is an attached artifact as it is listed, and its own manifest if that was read. Its
// JSON is that of a descriptor (image specification, descriptor.md).
type Attached struct {
	MediaType    string      `json:"mediaType"`
	ArtifactType string      `json:"artifactType"` // "" if it is listed without one
	Annotations  Annotations `json:"annotations"`

	CosignTag bool              `json:"-"` // a tag .sig, .att or .sbom names it
	Manifest  *AttachedManifest `json:"-"` // nil if it was not read
}

// AttachedManifest is what the manifest of an attached artifact shows of its kind. Its JSON is
// that of a manifest or index (image specification, manifest.md and image-index.md).
type AttachedManifest struct {
	ArtifactType string        `json:"artifactType"`
	Config       AttachedBlob  `json:"config"`
	Layers       AttachedBlobs `json:"layers"`
	Annotations  Annotations   `json:"annotations"`
}

// AttachedBlob is the config or a layer of a manifest.
type AttachedBlob struct {
	MediaType   string      `json:"mediaType"`
	Annotations Annotations `json:"annotations"`
}

// Kinds returns what the artifact is, each kind once and in the order of matrix.LinkKinds. It
// is empty if that is not known. read reports whether the artifact's manifest has to be read to
// know it.
//
// The evidence is, from the strongest:
//
//  1. the manifest's artifact type, then the media type of its config
//  2. if that type holds statements (a Sigstore bundle, in-toto, DSSE): the predicate type
//     in the annotations of the manifest
//  3. the media types of the layers, and the predicate types in their annotations
//
// If the manifest was not read, the artifact type and the annotations of the descriptor stand
// for those of the manifest, as the specification says they do, and decide only if nothing is
// missing. An annotation never decides against a type: no annotation makes a signature of an
// SBOM. A bundle that does not say what is in it is not known, because signatures and
// attestations differ in that alone.
func (a *Attached) Kinds() (kinds []matrix.LinkKind, read bool) {
	if a.Manifest != nil {
		return a.Manifest.kinds(), false
	}
	if rule := findKind(asArtifact, a.ArtifactType, ""); rule != nil {
		if kind, certain := rule.decide(a.Annotations); certain {
			return []matrix.LinkKind{kind}, false
		}
	}
	return nil, true
}

// kinds returns what the artifact is, by its whole manifest.
func (m *AttachedManifest) kinds() []matrix.LinkKind {
	otherwise := matrix.KindOther
	for _, mediaType := range []string{m.ArtifactType, m.Config.MediaType} {
		rule := findKind(asArtifact, mediaType, "")
		if rule == nil {
			continue
		}
		kind, certain := rule.decide(m.Annotations)
		if certain {
			return []matrix.LinkKind{kind}
		}
		otherwise = kind
		break
	}
	found := map[matrix.LinkKind]bool{}
	for _, layer := range m.Layers {
		rule := findKind(asLayer, layer.MediaType, "")
		if rule == nil || rule.annotation != "" && layer.Annotations[rule.annotation] == "" {
			continue
		}
		kind, _ := rule.decide(layer.Annotations, m.Annotations)
		found[kind] = true
	}
	if len(found) == 0 {
		found[otherwise] = true
	}
	return slices.DeleteFunc(slices.Clone(matrix.LinkKinds), func(kind matrix.LinkKind) bool { return !found[kind] })
}

// typesThatSayNothing are the artifact types of descriptors that name what every artifact may
// have as its config, and not what the artifact is.
var typesThatSayNothing = []string{
	"application/vnd.oci.empty.v1+json",
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
}

// TypedAway reports whether the artifact is listed under a type that says nothing, or without
// one, though its manifest names another. Clients that choose by the type do not find it
// (kyverno/kyverno#16664, docker/buildx#4010). It is false if the manifest was not read.
//
// What a cosign tag names has no artifact type by rule, nor has the descriptor of an index
// without one (distribution specification v1.1, Listing Referrers).
func (a *Attached) TypedAway() bool {
	if a.Manifest == nil || a.CosignTag || !saysNothing(a.ArtifactType) || saysNothing(a.Manifest.ArtifactType) {
		return false
	}
	return a.ArtifactType != "" || !matrix.IsIndexOfPlatforms(a.MediaType)
}

func saysNothing(artifactType string) bool {
	bare := strings.ToLower(matrix.BareMediaType(artifactType))
	return bare == "" || slices.Contains(typesThatSayNothing, bare)
}

// InIndexSubject returns the digest of the platform that a manifest in an image's own index is
// attached to, by the annotations of its descriptor. It returns "" if the manifest is not
// attached to anything, as that of a platform is not (Docker, Image attestation storage).
func InIndexSubject(annotations map[string]string) string {
	if !InIndex(annotations) {
		return ""
	}
	return annotations[dockerReferenced]
}

// InIndex reports whether a manifest in an image's own index is an attestation, by the
// annotations of its descriptor, and not a platform of the image.
func InIndex(annotations map[string]string) bool {
	return annotations[dockerReference] == "attestation-manifest"
}
