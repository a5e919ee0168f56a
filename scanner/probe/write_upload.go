package probe

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/scanner/registry"
)

// uploadEmpty makes sure that the empty blob is there, which every manifest of
// the probe names as its config and layer. One that was there before stays, and
// so does one that may have been.
func (w *writer) uploadEmpty(ctx context.Context) (bool, error) {
	name := digest.FromString(emptyBlob).String()
	path := "/blobs/" + name
	resp, err := w.request(ctx, stepPushBlob, w.existenceMethod(), path)
	if err != nil || resp.Fault == nil && resp.Status == http.StatusOK {
		return err == nil, err
	}
	absent := resp.Fault == nil && resp.Status == http.StatusNotFound
	resp, err = w.send(ctx, registry.Request{
		Step:   stepPushBlob,
		Method: http.MethodPost,
		URL:    w.url("/blobs/uploads/"),
		Body:   []byte{},
	})
	if err != nil || w.refused(resp, "starting an upload") {
		return false, err
	}
	target, sent := w.uploadTarget(resp)
	if target == nil {
		return false, nil
	}
	upload := registry.Request{
		Step:   stepPushBlob,
		Method: http.MethodPut,
		URL:    target,
		Sent:   registry.Sent{URL: sent},
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
		Body:   []byte(emptyBlob),
	}
	if absent {
		resp, err = w.sendToDelete(ctx, pushed{kind: blob, path: path, digest: name}, upload)
	} else {
		resp, err = w.send(ctx, upload)
	}
	if err != nil || w.refused(resp, "uploading a blob") {
		return false, err
	}
	return true, nil
}

// uploadTarget is where the blob goes: the Location of the upload, with the
// digest added, and as it was sent. It is nil unless that is on the registry's own origin,
// and not a manifest's address.
func (w *writer) uploadTarget(resp *registry.Response) (target *url.URL, sent string) {
	location := resp.Header.Get("Location")
	if location == "" {
		w.push.Detail = "The registry opened an upload without a Location to send it to."
		return nil, ""
	}
	target, err := resp.URL.Parse(location)
	if err != nil || !w.ownOrigin(target) {
		w.push.Detail = "The upload was sent to another origin, where the write probe does not follow."
		return nil, ""
	}
	if strings.Contains(target.Path, "/manifests/") {
		w.push.Detail = "The upload was sent to the address of a manifest, which the write probe does not overwrite."
		return nil, ""
	}
	sent = target.String()
	query := target.Query()
	query.Set("digest", digest.FromString(emptyBlob).String())
	target.RawQuery = query.Encode()
	return target, sent
}
