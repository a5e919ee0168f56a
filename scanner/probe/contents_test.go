package probe_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
)

// contents is a registry of one repository, team/app.
type contents struct {
	manifests map[string]string              // by digest and by tag
	referrers map[string][]map[string]any    // by subject; nil = no API
	answers   map[string]http.HandlerFunc    // instead of what is there, by the end of "METHOD path"
	tags      []string                       // of tags/list, beside those of manifests; nil = no such list
	pulls     func(method string) (left int) // of RateLimit-Remaining; nil = no such header
	header    http.Header                    // of every answer

	mu       sync.Mutex
	requests []string // "METHOD path", below /v2/team/app/
}

func newContents() *contents {
	return &contents{
		manifests: map[string]string{},
		referrers: map[string][]map[string]any{},
		answers:   map[string]http.HandlerFunc{},
	}
}

// push stores a manifest under its digest and under tags, and returns its descriptor.
func (c *contents) push(manifest map[string]any, tags ...string) map[string]any {
	manifest["schemaVersion"] = 2
	if manifest["mediaType"] == nil {
		manifest["mediaType"] = matrix.ManifestMediaType
	}
	body, err := json.Marshal(manifest)
	if err != nil {
		panic(err)
	}
	named := digest.FromBytes(body).String()
	for _, reference := range append(tags, named) {
		c.manifests[reference] = string(body)
	}
	return map[string]any{
		"mediaType": manifest["mediaType"],
		"digest":    named,
		"size":      len(body),
	}
}

// name stores the manifest that a tag names under its digest.
func (c *contents) name(tag string) {
	c.manifests[digest.FromString(c.manifests[tag]).String()] = c.manifests[tag]
}

// image stores an image that differs by its name.
func (c *contents) image(name string, tags ...string) map[string]any {
	return c.push(map[string]any{
		"config": map[string]any{"mediaType": configType, "name": name},
		"layers": []any{},
	}, tags...)
}

// index stores an image of several platforms, "linux/amd64" ..., and other entries.
func (c *contents) index(tag string, entries ...map[string]any) map[string]any {
	return c.push(map[string]any{
		"mediaType": matrix.IndexMediaType,
		"manifests": entries,
	}, tag)
}

// on returns the descriptor of an image of a platform.
func on(descriptor map[string]any, platform string) map[string]any {
	os, rest, _ := strings.Cut(platform, "/")
	architecture, variant, _ := strings.Cut(rest, "/")
	descriptor["platform"] = map[string]any{"os": os, "architecture": architecture, "variant": variant}
	return descriptor
}

// artifact stores an artifact and returns the descriptor that a list has of it.
func (c *contents) artifact(artifactType string, annotations map[string]string) map[string]any {
	descriptor := c.push(map[string]any{
		"artifactType": artifactType,
		"config":       map[string]any{"mediaType": emptyType},
		"layers":       []any{},
		"annotations":  annotations,
		"number":       len(c.manifests),
	})
	descriptor["artifactType"], descriptor["annotations"] = artifactType, annotations
	return descriptor
}

// attach lists artifacts by the API.
func (c *contents) attach(subject map[string]any, artifacts ...map[string]any) {
	named := subject["digest"].(string)
	c.referrers[named] = append(c.referrers[named], artifacts...)
}

// attachByTag lists artifacts by the referrers tag.
func (c *contents) attachByTag(subject map[string]any, artifacts ...map[string]any) {
	c.index(tagOf(subject, ""), artifacts...)
}

// sign stores a signature of cosign 2 under its tag.
func (c *contents) sign(subject map[string]any) {
	c.push(map[string]any{
		"config": map[string]any{"mediaType": configType},
		"layers": []any{map[string]any{
			"mediaType":   "application/vnd.dev.cosign.simplesigning.v1+json",
			"annotations": map[string]string{"dev.cosignproject.cosign/signature": "MEUC"},
		}},
		"number": len(c.manifests),
	}, tagOf(subject, ".sig"))
}

func tagOf(subject map[string]any, suffix string) string {
	return strings.Replace(subject["digest"].(string), ":", "-", 1) + suffix
}

func (c *contents) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/team/app/")
	c.mu.Lock()
	c.requests = append(c.requests, r.Method+" "+path)
	c.mu.Unlock()
	if c.pulls != nil {
		w.Header().Set("RateLimit-Remaining", fmt.Sprintf("%d;w=21600", c.pulls(r.Method)))
	}
	maps.Copy(w.Header(), c.header)
	for end, answer := range c.answers {
		if strings.HasSuffix(r.Method+" "+path, end) {
			answer(w, r)
			return
		}
	}
	room, reference, _ := strings.Cut(path, "/")
	body, there := c.manifests[reference]
	switch {
	case room == "manifests" && there:
		var manifest struct{ MediaType string }
		_ = json.Unmarshal([]byte(body), &manifest)
		w.Header().Set("Content-Type", manifest.MediaType)
		w.Header().Set("Docker-Content-Digest", digest.FromString(body).String())
		fmt.Fprint(w, body)
	case room == "referrers" && c.referrers != nil:
		w.Header().Set("Content-Type", matrix.IndexMediaType)
		list := c.referrers[reference]
		if list == nil {
			list = []map[string]any{}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"schemaVersion": 2, "manifests": list})
	case room == "tags" && c.tags != nil:
		tags := c.tags
		for reference := range c.manifests {
			if !strings.Contains(reference, ":") {
				tags = append(tags, reference)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "team/app", "tags": tags})
	default:
		http.NotFound(w, r)
	}
}

// status answers with nothing but a status.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// count returns how many requests there were whose method and path begin so.
func (c *contents) count(begins string) (n int) {
	for _, request := range c.requests {
		if strings.HasPrefix(request, begins) {
			n++
		}
	}
	return n
}
