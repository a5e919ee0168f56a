package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// This file is what the files of the write probe stand on, as row.go is for all
// steps.

const (
	emptyType   = "application/vnd.oci.empty.v1+json"
	probeType   = "application/vnd.refmatrix.probe.v1"
	subjectType = "application/vnd.refmatrix.subject.v1"
	emptyBlob   = "{}"
)

// writer is one run of the write probe in a scratch repository.
type writer struct {
	*row
	repository string
	scope      string
	push       *matrix.Push
	pushed     []pushed // what is there, or may be
}

// kind is what was pushed, in the order in which it can be deleted: registries
// refuse to delete what something else still refers to.
type kind int

const (
	artifactManifest kind = iota
	subjectManifest
	blob
)

// pushed is one thing that the write probe has to delete again.
type pushed struct {
	kind         kind
	path, digest string
}

// send sends a request with the scope of the scratch repository.
func (w *writer) send(ctx context.Context, q registry.Request) (*registry.Response, error) {
	q.Scope = w.scope
	return w.session.Do(ctx, q)
}

// sendToDelete sends a request that stores item, and remembers item if any
// attempt of it may have been stored: one that was not answered in time can be
// there all the same, and only a clear refusal shows that it is not.
func (w *writer) sendToDelete(ctx context.Context, item pushed, q registry.Request) (*registry.Response, error) {
	before := len(w.session.Exchanges())
	resp, err := w.send(ctx, q)
	for _, x := range w.session.Exchanges()[before:] {
		if x.Step == q.Step && (x.Status < 400 || x.Status >= 500) {
			w.pushed = append(w.pushed, item)
			break
		}
	}
	return resp, err
}

// request sends a request without a body below the scratch repository.
func (w *writer) request(ctx context.Context, step, method, path string) (*registry.Response, error) {
	return w.send(ctx, registry.Request{
		Step:    step,
		Method:  method,
		URL:     w.url(path),
		Header:  accept(manifestTypes...),
		MaxBody: registry.MaxIndex,
	})
}

// put pushes a manifest by its digest.
func (w *writer) put(ctx context.Context, step string, kind kind, content []byte) (*registry.Response, error) {
	name := digest.FromBytes(content).String()
	item := pushed{kind: kind, path: "/manifests/" + name, digest: name}
	return w.sendToDelete(ctx, item, registry.Request{
		Step:   step,
		Method: http.MethodPut,
		URL:    w.url(item.path),
		Header: http.Header{"Content-Type": {matrix.ManifestMediaType}},
		Body:   content,
	})
}

// url is a path below the scratch repository.
func (w *writer) url(path string) *url.URL { return w.client.URL(w.repository + path) }

// refused reports whether the write probe ends with this answer, and notes why.
func (w *writer) refused(resp *registry.Response, doing string) bool {
	switch {
	case resp.Fault != nil:
		w.push.Detail = fmt.Sprintf("The write probe failed at %s: %s.", doing, resp.Fault.Text)
	case !created(resp.Status):
		w.push.Strategy = matrix.PushRefused
		w.push.Detail = fmt.Sprintf("The registry answered HTTP %d to %s.", resp.Status, doing)
	default:
		return false
	}
	return true
}

func created(status int) bool { return status >= 200 && status < 300 }

// newManifest returns a minimal OCI manifest that no other run has. subject is
// the manifest that it refers to, or nil.
func newManifest(name, artifactType string, subject []byte) []byte {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}
	describe := func(mediaType string, content []byte) descriptor {
		return descriptor{
			MediaType: mediaType,
			Digest:    digest.FromBytes(content).String(),
			Size:      len(content),
		}
	}
	empty := describe(emptyType, []byte(emptyBlob))
	content := map[string]any{
		"schemaVersion": 2,
		"mediaType":     matrix.ManifestMediaType,
		"artifactType":  artifactType,
		"config":        empty,
		"layers":        []descriptor{empty},
		"annotations":   map[string]string{"org.opencontainers.image.title": name},
	}
	if subject != nil {
		content["subject"] = describe(matrix.ManifestMediaType, subject)
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("probe: a manifest of plain strings did not encode: %v", err))
	}
	return encoded
}
