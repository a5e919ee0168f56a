package matrix

import "strings"

// Media types of manifests and indexes (image specification; Docker image manifest
// v2, schemas 1 and 2).
const (
	ManifestMediaType            = "application/vnd.oci.image.manifest.v1+json"
	IndexMediaType               = "application/vnd.oci.image.index.v1+json" // of a referrers list too
	DockerManifestMediaType      = "application/vnd.docker.distribution.manifest.v2+json"
	DockerListMediaType          = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerSchema1MediaType       = "application/vnd.docker.distribution.manifest.v1+json"
	DockerSignedSchema1MediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// BareMediaType returns a Content-Type without its parameters.
func BareMediaType(contentType string) string {
	bare, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(bare)
}

// IsIndexOfPlatforms reports whether a Content-Type is that of an OCI index or a Docker manifest
// list, with or without parameters, in any case.
func IsIndexOfPlatforms(contentType string) bool {
	bare := BareMediaType(contentType)
	return strings.EqualFold(bare, IndexMediaType) || strings.EqualFold(bare, DockerListMediaType)
}
