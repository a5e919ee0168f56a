package hostile

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Media types and artifact types of what is crafted.
const (
	manifestType  = "application/vnd.oci.image.manifest.v1+json"
	signatureType = "application/vnd.cncf.notary.signature"
	sbomType      = "application/spdx+json"
	inTotoType    = "application/vnd.in-toto+json"
)

// object is a JSON object that is crafted.
type object = map[string]any

// crafted is a registry that is made up of whole: one image, and what is said to be attached.
type crafted struct {
	image     string              // its digest
	manifests map[string][]byte   // by tag and by digest
	lists     map[string][]string // pages of referrers by subject; what is not there has an empty list
	noAPI     bool
	page      bool // whatever it does not know is a web page, and not 404
	absent404 bool // referrers of a subject that is not there are 404
	endless   bool // every list of a platform has a next page
	silent    bool // nothing about a platform is answered
}

// newCrafted returns a registry whose image is m, and the image's digest.
func newCrafted(m object) (*crafted, string) {
	c := &crafted{manifests: map[string][]byte{}, lists: map[string][]string{}}
	c.image = c.put("latest", m)
	return c, c.image
}

// put adds a manifest, under a tag if that is not empty, and returns its digest.
func (c *crafted) put(tag string, m object) string {
	content := encoded(m)
	digest := digestOf(content)
	c.manifests[digest] = content
	if tag != "" {
		c.manifests[tag] = content
	}
	return digest
}

// attach has referrers list descriptors for subject, on a page of their own.
func (c *crafted) attach(subject string, descriptors ...any) {
	c.lists[subject] = append(c.lists[subject], string(encoded(index(descriptors...))))
}

func (c *crafted) handler(s *server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		_, digest, isList := strings.Cut(r.URL.Path, "/referrers/")
		_, reference, isManifest := strings.Cut(r.URL.Path, "/manifests/")
		ofPlatform := !strings.HasPrefix(digest+reference, "latest") && !strings.Contains(digest+reference, c.image[len("sha256:"):])
		switch {
		case password != goodPassword:
			wants(w, `Basic realm="x"`)
		case c.silent && ofPlatform && (isList || isManifest):
			<-r.Context().Done()
		case isList && !c.noAPI && (!c.absent404 || c.manifests[digest] != nil):
			c.list(s, w, r, digest)
		case isManifest && c.manifests[reference] != nil:
			c.manifest(w, r, reference)
		case c.page && isManifest && !strings.Contains(reference, ":"):
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!DOCTYPE html><html><body>not a registry's page</body></html>")
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`)
		}
	}
}

func (c *crafted) list(s *server, w http.ResponseWriter, r *http.Request, digest string) {
	w.Header().Set("Content-Type", indexType)
	pages := c.lists[digest]
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if n+1 < len(pages) || c.endless && digest != c.image {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next"`, s.origin, r.URL.Path, n+1))
	}
	if n < len(pages) {
		_, _ = io.WriteString(w, pages[n])
		return
	}
	_, _ = w.Write(emptyList())
}

func (c *crafted) manifest(w http.ResponseWriter, r *http.Request, reference string) {
	content := c.manifests[reference]
	var m struct{ MediaType string }
	_ = json.Unmarshal(content, &m) // what is not JSON has no type of its own
	if m.MediaType == "" {
		m.MediaType = manifestType
	}
	w.Header().Set("Content-Type", m.MediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if !strings.HasPrefix(reference, "sha256:") {
		w.Header().Set("Docker-Content-Digest", digestOf(content))
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// nth is a digest that no manifest has.
func nth(n int) string { return digestOf([]byte(strconv.Itoa(n))) }

func encoded(m any) []byte {
	content, err := json.Marshal(m)
	if err != nil {
		panic(err) // what is crafted is maps and strings
	}
	return content
}

// index is an index of descriptors.
func index(descriptors ...any) object {
	if descriptors == nil {
		descriptors = []any{}
	}
	return object{"schemaVersion": 2, "mediaType": indexType, "manifests": descriptors}
}

// image is a manifest that differs from others by its name. It is an artifact if more has an
// artifact type or a subject.
func image(name string, more ...object) object {
	m := object{
		"schemaVersion": 2,
		"mediaType":     manifestType,
		"config":        object{"mediaType": "application/vnd.oci.empty.v1+json", "digest": nth(0), "size": 2},
		"layers":        []any{},
		"annotations":   object{"name": name},
	}
	return with(m, more...)
}

// listedAs names a manifest in a list.
func listedAs(digest string, more ...object) object {
	return with(object{"mediaType": manifestType, "digest": digest, "size": 500}, more...)
}

func with(m object, more ...object) object {
	for _, one := range more {
		for key, value := range one {
			m[key] = value
		}
	}
	return m
}

func typed(artifactType string) object { return object{"artifactType": artifactType} }

func noted(pairs ...string) object {
	notes := object{}
	for i := 0; i < len(pairs); i += 2 {
		notes[pairs[i]] = pairs[i+1]
	}
	return object{"annotations": notes}
}

func onPlatform(os, architecture string) object {
	return object{"platform": object{"os": os, "architecture": architecture}}
}

func tagOf(digest string) string { return strings.Replace(digest, ":", "-", 1) }

// start serves the registry at the address n.
func (c *crafted) start(t *testing.T, n int) *server {
	t.Helper()
	return serveHTTP(t, n, nil, c.handler)
}
