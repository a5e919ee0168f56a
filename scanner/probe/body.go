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

// maxName bounds a media type or an artifact type, in bytes (RFC 6838, section 4.2:
// 127 characters on each side of the slash).
const maxName = 255

// manifestTypes are the media types of manifests that are accepted, in the order in which
// oras and containerd send them. Distribution answers 404 for a type that is not accepted.
var manifestTypes = []string{
	matrix.DockerManifestMediaType,
	matrix.DockerListMediaType,
	matrix.ManifestMediaType,
	matrix.IndexMediaType,
}

// body is what the bytes of an answer are.
type body struct {
	kind    verdict.BodyKind
	index   *verdict.Index // if the answer was cut, what it begins with
	listed  digests        // of all that the index lists, to a bound
	codes   []string
	schema1 bool
}

// document is as much of a JSON body as shows what it is. Its fields read their values
// where they stand, because copies would double what a body costs.
type document struct {
	SchemaVersion word                `json:"schemaVersion"`
	MediaType     word                `json:"mediaType"`
	Manifests     manifests           `json:"manifests"`
	Config        present             `json:"config"`
	Layers        present             `json:"layers"`
	FSLayers      present             `json:"fsLayers"`
	Errors        registry.ErrorCodes `json:"errors"`
}

// word is a short JSON value as it is written, "" if the key is missing.
type word string

func (w *word) UnmarshalJSON(raw []byte) error {
	*w = word(raw[:min(len(raw), maxName+len(`""`)+1)])
	return nil
}

// text returns the string that w is; ok is false if it is something else. A string over
// maxName is what was kept of it, which equals no name.
func (w word) text() (text string, ok bool) {
	if w == "" || w == "null" {
		return "", true
	}
	if !strings.HasPrefix(string(w), `"`) {
		return "", false
	}
	if json.Unmarshal([]byte(w), &text) != nil {
		text = string(w)
	}
	return text, true
}

// present says that a key is there.
type present bool

func (p *present) UnmarshalJSON([]byte) error {
	*p = true
	return nil
}

// readBody returns what the bytes of an answer are, whatever its Content-Type
// says: registries send JSON errors as text and web pages as 200.
func readBody(resp *registry.Response) body {
	trimmed := bytes.TrimSpace(resp.Bytes)
	if len(trimmed) == 0 {
		return body{kind: verdict.BodyEmpty}
	}
	if trimmed[0] != '{' && trimmed[0] != '[' {
		return body{kind: sniff(trimmed)}
	}
	if resp.Cut {
		if begin := readBegin(trimmed); begin.valid {
			return body{kind: verdict.BodyIndex, index: &begin.index, listed: begin.listed}
		}
		codes, isJSON := registry.CodesOfCut(trimmed)
		if !isJSON {
			return body{kind: sniff(trimmed)}
		}
		return body{kind: verdict.BodyJSON, codes: codes}
	}
	var d document
	if err := json.Unmarshal(trimmed, &d); err != nil {
		if _, ok := err.(*json.SyntaxError); ok {
			return body{kind: sniff(trimmed)}
		}
		return body{kind: verdict.BodyJSON} // an array
	}
	return d.body()
}

// body returns what a document is.
func (d *document) body() body {
	out := body{kind: verdict.BodyJSON, codes: d.Errors}
	mediaType, typed := d.MediaType.text()
	switch list := &d.Manifests; {
	case d.SchemaVersion == "1" && bool(d.FSLayers):
		out.kind, out.schema1 = verdict.BodyManifest, true
	case d.SchemaVersion != "2", !typed:
	// Clients take an empty mediaType for an absent one.
	case list.there && (mediaType == "" || mediaType == matrix.IndexMediaType):
		if list.valid {
			out.kind, out.index, out.listed = verdict.BodyIndex, &list.index, list.listed
		}
	case list.there, bool(d.Config && d.Layers), isManifestType(mediaType):
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

// messageOf returns what an answer says to people, unless it is an index or a manifest.
func messageOf(resp *registry.Response, parsed body) string {
	if parsed.kind == verdict.BodyIndex || parsed.kind == verdict.BodyManifest {
		return ""
	}
	return registry.Message(resp.Bytes)
}
