package probe

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// maxDescriptors bounds the descriptors kept of one list; all are counted.
const maxDescriptors = 1000

// maxDigests bounds the digests kept of one list, which may be of many pages:
// as many real descriptors as fit into one answer of registry.MaxIndex.
const maxDigests = 50_000

// maxCodes bounds the error codes kept of one body.
const maxCodes = 5

// readBody says what the bytes of an answer are, whatever its Content-Type
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
	out := body{kind: verdict.BodyJSON, codes: errorCodes(d.Errors)}
	switch version := string(d.SchemaVersion); {
	case version == "1" && d.FSLayers != nil:
		out.kind, out.schema1 = verdict.BodyManifest, true
	case version != "2":
	// Clients take an empty mediaType for an absent one.
	case d.Manifests != nil && (d.MediaType == nil || *d.MediaType == "" || *d.MediaType == verdict.IndexMediaType):
		if index, digests, ok := readIndex(d.Manifests); ok {
			out.kind, out.index, out.digests = verdict.BodyIndex, index, digests
		}
	case d.Manifests != nil, d.Config != nil && d.Layers != nil, d.MediaType != nil && isManifestType(*d.MediaType):
		out.kind = verdict.BodyManifest
	}
	return out
}

func isManifestType(mediaType string) bool {
	for _, known := range manifestTypes {
		if mediaType == known {
			return true
		}
	}
	return strings.HasPrefix(mediaType, "application/vnd.oci.artifact.manifest.")
}

// sniff tells the kinds of bodies that are no JSON apart.
func sniff(raw []byte) verdict.BodyKind {
	if strings.HasPrefix(http.DetectContentType(raw), "text/html") {
		return verdict.BodyHTML
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return verdict.BodyBinary
	}
	return verdict.BodyText
}

// errorCodes reads the codes of an OCI error body (distribution
// specification, "Error Codes"); nil where errors is anything else.
func errorCodes(errors json.RawMessage) []string {
	var list []struct {
		Code any `json:"code"`
	}
	if json.Unmarshal(errors, &list) != nil {
		return nil
	}
	var codes []string
	for _, one := range list {
		if code, ok := one.Code.(string); ok && code != "" && len(codes) < maxCodes {
			codes = append(codes, code)
		}
	}
	return codes
}

// readIndex reads the manifests of an index: an array, or null, which some
// registries send for an empty one. Descriptors are decoded one by one, so
// that a long list costs no more memory than what is kept of it. What has no
// digest, as null, is no descriptor and is passed over.
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
			index.Descriptors = append(index.Descriptors, matrix.Descriptor(struct {
				Digest, MediaType, ArtifactType string
				Size                            int64
			}{d.Digest, d.MediaType, d.ArtifactType, d.Size}))
		}
	}
	return index, digests, true
}

// cleanIndex makes the strings of an index fit for reports.
func (s *subject) cleanIndex(index *verdict.Index) *verdict.Index {
	if index == nil {
		return nil
	}
	for i := range index.Descriptors {
		d := &index.Descriptors[i]
		d.Digest, d.MediaType, d.ArtifactType = s.client.Clean(d.Digest), s.client.Clean(d.MediaType), s.client.Clean(d.ArtifactType)
	}
	return index
}

func (s *subject) cleanAll(texts []string) []string {
	for i := range texts {
		texts[i] = s.client.Clean(texts[i])
	}
	return texts
}
