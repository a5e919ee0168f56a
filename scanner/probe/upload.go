package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/opencontainers/go-digest"

	"refmatrix/scanner/registry"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	probeType    = "application/vnd.refmatrix.probe.v1"
	emptyBlob    = "{}"
)

// uploadEmpty makes sure that the empty blob is there, which every manifest of
// the probe names as its config and layer. One that was there before stays, and
// so does one of which that is not known.
func (w *writer) uploadEmpty(ctx context.Context) (bool, error) {
	path := "/blobs/" + digest.FromString(emptyBlob).String()
	resp, err := w.ask(ctx, "push-blob", w.lookMethod(), path)
	if err != nil || resp.Fault == nil && resp.Status == http.StatusOK {
		return err == nil, err
	}
	absent := resp.Fault == nil && resp.Status == http.StatusNotFound
	if resp, err = w.send(ctx, registry.Request{Step: "push-blob", Method: http.MethodPost, URL: w.url("/blobs/uploads/"), Body: []byte{}}); err != nil || w.refused(resp, "starting an upload") {
		return false, err
	}
	target := w.uploadTarget(resp)
	if target == nil {
		return false, nil
	}
	upload := registry.Request{
		Step: "push-blob", Method: http.MethodPut, URL: target, Body: []byte(emptyBlob),
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
	}
	if absent {
		resp, err = w.sendToDelete(ctx, pushed{blob, path, digest.FromString(emptyBlob).String()}, upload)
	} else {
		resp, err = w.send(ctx, upload)
	}
	if err != nil || w.refused(resp, "uploading a blob") {
		return false, err
	}
	return true, nil
}

// uploadTarget is where the blob goes: the Location of the upload, on the
// registry's own origin, with the digest added; nil where that is elsewhere.
func (w *writer) uploadTarget(resp *registry.Response) *url.URL {
	location := resp.Header.Get("Location")
	if location == "" {
		w.push.Detail = "The registry opened an upload without a Location to send it to."
		return nil
	}
	target, err := resp.URL.Parse(location)
	if err != nil || !ownOrigin(w.subject, target) {
		w.push.Detail = "The upload was sent to another origin, where the write probe does not follow."
		return nil
	}
	query := target.Query()
	query.Set("digest", digest.FromString(emptyBlob).String())
	target.RawQuery = query.Encode()
	return target
}

// put pushes a manifest by its digest.
func (w *writer) put(ctx context.Context, step string, kind kind, content []byte) (*registry.Response, error) {
	item := pushed{kind, "/manifests/" + digest.FromBytes(content).String(), digest.FromBytes(content).String()}
	return w.sendToDelete(ctx, item, registry.Request{
		Step: step, Method: http.MethodPut, URL: w.url(item.path), Header: http.Header{"Content-Type": {manifestType}}, Body: content,
	})
}

// send sends a request with the scope of the scratch repository.
func (w *writer) send(ctx context.Context, q registry.Request) (*registry.Response, error) {
	q.Scope = w.scope
	return w.session.Do(ctx, q)
}

// url is a path below the scratch repository.
func (w *writer) url(path string) *url.URL { return w.client.URL(w.repository + path) }

// manifest makes a minimal OCI manifest that no other run has; subject is the
// manifest it refers to, nil for none.
func manifest(name, artifactType string, subject []byte) []byte {
	type descriptor struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}
	empty := descriptor{emptyType, digest.FromString(emptyBlob).String(), len(emptyBlob)}
	content := map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "config": empty, "layers": []descriptor{empty},
		"annotations": map[string]string{"org.opencontainers.image.title": name},
	}
	if artifactType == "" {
		artifactType = "application/vnd.refmatrix.subject.v1"
	}
	content["artifactType"] = artifactType
	if subject != nil {
		content["subject"] = descriptor{manifestType, digest.FromBytes(subject).String(), len(subject)}
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("probe: a manifest of plain strings did not encode: %v", err))
	}
	return encoded
}
