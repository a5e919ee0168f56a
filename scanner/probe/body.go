package probe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxDescriptors bounds the descriptors kept of one list; all are counted.
const maxDescriptors = 1000

// maxDigests bounds the digests kept of one list, which may be of many pages:
// as many real descriptors as fit into one answer of registry.MaxIndex.
const maxDigests = 50_000

// maxName bounds a media type, an artifact type or an error code: a media type has
// 255 characters at the most (RFC 6838, section 4.2).
const maxName = 512

// overlong stands for a name over maxName. It is not the beginning of the name,
// because that could end within an echoed secret, which nothing would find then.
const overlong = "(over 512 bytes)"

func bounded(name string) string {
	if len(name) > maxName {
		return overlong
	}
	return name
}

// manifestTypes are the media types of manifests that are accepted: OCI and
// Docker, manifest and index. Distribution answers 404 for a type that is not
// accepted.
var manifestTypes = []string{
	matrix.ManifestMediaType,
	matrix.IndexMediaType,
	matrix.DockerManifestMediaType,
	matrix.DockerListMediaType,
}

// body is what the bytes of an answer are.
type body struct {
	kind    verdict.BodyKind
	index   *verdict.Index
	digests []string // of all that the index lists, to a bound
	codes   []string
	schema1 bool
}

// document is as much of a JSON body as shows what it is.
type document struct {
	SchemaVersion json.RawMessage `json:"schemaVersion"`
	MediaType     *string         `json:"mediaType"`
	Manifests     json.RawMessage `json:"manifests"`
	Config        json.RawMessage `json:"config"`
	Layers        json.RawMessage `json:"layers"`
	FSLayers      json.RawMessage `json:"fsLayers"`
	Errors        json.RawMessage `json:"errors"`
}

// readBody returns what the bytes of an answer are, whatever its Content-Type
// says: registries send JSON errors as text and web pages as 200.
func readBody(raw []byte) body {
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 {
		return body{kind: verdict.BodyEmpty}
	}
	if trimmed[0] != '{' && trimmed[0] != '[' || !json.Valid(trimmed) {
		return body{kind: sniff(trimmed)}
	}
	var d document
	if err := json.Unmarshal(trimmed, &d); err != nil {
		return body{kind: verdict.BodyJSON}
	}
	out := body{kind: verdict.BodyJSON, codes: registry.ErrorCodes(d.Errors)}
	for i, code := range out.codes {
		out.codes[i] = bounded(code)
	}
	switch version := string(d.SchemaVersion); {
	case version == "1" && d.FSLayers != nil:
		out.kind, out.schema1 = verdict.BodyManifest, true
	case version != "2":
	// Clients take an empty mediaType for an absent one.
	case d.Manifests != nil && (d.MediaType == nil || *d.MediaType == "" || *d.MediaType == matrix.IndexMediaType):
		if index, digests, ok := readIndex(d.Manifests); ok {
			out.kind, out.index, out.digests = verdict.BodyIndex, index, digests
		}
	case d.Manifests != nil, d.Config != nil && d.Layers != nil, d.MediaType != nil && isManifestType(*d.MediaType):
		out.kind = verdict.BodyManifest
	}
	return out
}

func isManifestType(mediaType string) bool {
	return slices.Contains(manifestTypes, mediaType) ||
		strings.HasPrefix(mediaType, "application/vnd.oci.artifact.manifest.")
}

// sniff returns the kind of a body that is not JSON.
func sniff(raw []byte) verdict.BodyKind {
	if strings.HasPrefix(http.DetectContentType(raw), "text/html") {
		return verdict.BodyHTML
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return verdict.BodyBinary
	}
	return verdict.BodyText
}

// readIndex reads the manifests of an index: an array, or null, which some
// registries send for an empty one. Descriptors are decoded one by one, so
// that a long list costs no more memory than what is kept of it. What has no
// digest, such as null, is not a descriptor and is skipped.
func readIndex(manifests json.RawMessage) (index *verdict.Index, digests []string, ok bool) {
	if string(manifests) == "null" {
		return &verdict.Index{Null: true}, nil, true
	}
	dec := json.NewDecoder(bytes.NewReader(manifests))
	if opening, err := dec.Token(); err != nil || opening != json.Delim('[') {
		return nil, nil, false
	}
	index = &verdict.Index{}
	for dec.More() {
		var d struct {
			MediaType    string `json:"mediaType"`
			Digest       string `json:"digest"`
			Size         int64  `json:"size"`
			ArtifactType string `json:"artifactType"`
		}
		if err := dec.Decode(&d); err != nil {
			return nil, nil, false
		}
		if d.Digest == "" {
			continue
		}
		index.Total++
		if len(digests) < maxDigests {
			digests = append(digests, d.Digest)
		}
		if len(index.Descriptors) < maxDescriptors {
			index.Descriptors = append(index.Descriptors, matrix.Descriptor{
				Digest:       d.Digest,
				MediaType:    bounded(d.MediaType),
				ArtifactType: bounded(d.ArtifactType),
				Size:         d.Size,
			})
		}
	}
	return index, digests, true
}
