package probe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	probeType    = "application/vnd.refmatrix.probe.v1"
	emptyBlob    = "{}"
)

// listWaits are the pauses between looks for an artifact just pushed, for
// registries that index in the background.
var listWaits = []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// cleanUpTime bounds the deletions, which also run when the scan is
// interrupted and have their own allowance: what was pushed has to go.
const cleanUpTime = 20 * time.Second

// writer is one run of the write probe in a scratch repository.
type writer struct {
	*subject
	repository string
	scope      string
	push       *matrix.Push
	pushed     []pushed // in the order of pushing
}

type pushed struct {
	path, digest string
}

// writeProbe pushes a subject and an artifact that refers to it, looks how the
// registry takes them (distribution specification v1.1, "Pushing Manifests
// with Subject"), and deletes all it pushed.
func writeProbe(ctx context.Context, s *subject, repository string) error {
	w := &writer{
		subject: s, repository: repository, scope: "repository:" + repository + ":delete,pull,push",
		push: &matrix.Push{Repository: repository, Strategy: matrix.PushRefused},
	}
	s.seen.Capabilities.Push = w.push
	err := w.run(ctx)
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	s.session.Renew()
	if cleanErr := w.cleanUp(late); err == nil {
		err = cleanErr
	}
	return err
}

// run pushes and looks. What the registry refuses ends it with a detail.
func (w *writer) run(ctx context.Context) error {
	nonce := make([]byte, 8)
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	name := "refmatrix-" + hex.EncodeToString(nonce)
	if ok, err := w.uploadEmpty(ctx); err != nil || !ok {
		return err
	}
	subject := manifest(name, "", nil)
	if _, ok, err := w.put(ctx, "push-subject", subject); err != nil || !ok {
		return err
	}
	artifact := manifest(name+"-artifact", probeType, subject)
	resp, ok, err := w.put(ctx, "push-artifact", artifact)
	if err != nil || !ok {
		return err
	}
	w.push.OCISubject = resp.Header.Get("OCI-Subject") == digest.FromBytes(subject).String()
	if err := w.find(ctx, subject, artifact); err != nil {
		return err
	}
	w.conclude()
	return w.pushInReverse(ctx, name)
}

// find looks for the artifact in the list of its subject, with and without
// the filter.
func (w *writer) find(ctx context.Context, subject, artifact []byte) error {
	for try, wait := range listWaits {
		if err := pause(ctx, wait); err != nil {
			return err
		}
		found, known, err := w.lists(ctx, "push-list", subject, artifact, "")
		if err != nil {
			return err
		}
		w.push.Listed, w.push.ListedAtOnce = found, found && try == 0
		if found || !known {
			break
		}
	}
	if !w.push.Listed {
		return nil
	}
	found, _, err := w.lists(ctx, "push-filter", subject, artifact, probeType)
	w.push.Filtered = found
	return err
}

// conclude names what clients will write here.
func (w *writer) conclude() {
	switch {
	case w.push.Listed && w.push.OCISubject:
		w.push.Strategy = matrix.PushAPI
		w.push.Detail = "PUT answered with OCI-Subject and the artifact was listed: clients write no tag."
	case w.push.Listed:
		w.push.Strategy = matrix.PushDual
		w.push.Detail = "The artifact was listed, but PUT answered without OCI-Subject: oras, notation and regctl write the referrers tag as well."
	default:
		w.push.Strategy = matrix.PushTag
		w.push.Detail = "The artifact was accepted, but no list shows it: clients have to write the referrers tag."
	}
}

// pushInReverse pushes an artifact before its subject, as copy tools do.
func (w *writer) pushInReverse(ctx context.Context, name string) error {
	subject := manifest(name+"-later", "", nil)
	artifact := manifest(name+"-earlier", probeType, subject)
	resp, err := w.ask(ctx, "push-early", http.MethodPut, w.manifestPath(artifact), manifestType, artifact)
	if err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	w.keep(w.manifestPath(artifact), artifact)
	if resp, err = w.ask(ctx, "push-late", http.MethodPut, w.manifestPath(subject), manifestType, subject); err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	w.keep(w.manifestPath(subject), subject)
	if w.push.SubjectLater = true; !w.push.Listed {
		return nil
	}
	w.push.SubjectLater, _, err = w.lists(ctx, "push-list", subject, artifact, "")
	return err
}

// lists reports whether the API lists artifact for subject, and whether there
// is an API to ask at all.
func (w *writer) lists(ctx context.Context, step string, subject, artifact []byte, filter string) (found, known bool, err error) {
	target := w.client.URL(w.repository + "/referrers/" + digest.FromBytes(subject).String())
	if filter != "" {
		target.RawQuery = url.Values{"artifactType": {filter}}.Encode()
	}
	resp, err := w.session.Do(ctx, registry.Request{
		Step: step, Method: http.MethodGet, URL: target, Header: accept(matrix.IndexMediaType), Scope: w.scope, MaxBody: registry.MaxIndex,
	})
	if err != nil || resp.Fault != nil || resp.Status != http.StatusOK {
		return false, false, err
	}
	judged := readBody(resp.Bytes)
	if judged.index == nil {
		return false, false, nil
	}
	want := digest.FromBytes(artifact).String()
	return slices.ContainsFunc(judged.index.Descriptors, func(d matrix.Descriptor) bool { return d.Digest == want }), true, nil
}

// uploadEmpty makes sure that the empty blob is there, which every manifest of
// the probe names as its config and layer. One that was there before stays.
func (w *writer) uploadEmpty(ctx context.Context) (bool, error) {
	path := "/blobs/" + digest.FromString(emptyBlob).String()
	resp, err := w.ask(ctx, "push-blob", http.MethodHead, path, "", nil)
	if err != nil || resp.Fault == nil && resp.Status == http.StatusOK {
		return true, err
	}
	if resp, err = w.ask(ctx, "push-blob", http.MethodPost, "/blobs/uploads/", "", []byte{}); err != nil || w.refused(resp, "starting an upload") {
		return false, err
	}
	target, ok := w.uploadTarget(resp)
	if !ok {
		return false, nil
	}
	resp, err = w.session.Do(ctx, registry.Request{
		Step: "push-blob", Method: http.MethodPut, URL: target, Scope: w.scope, Body: []byte(emptyBlob),
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
	})
	if err != nil || w.refused(resp, "uploading a blob") {
		return false, err
	}
	w.keep(path, []byte(emptyBlob))
	return true, nil
}

// uploadTarget is where the blob goes: the Location of the upload, on the
// registry's own origin, with the digest added.
func (w *writer) uploadTarget(resp *registry.Response) (*url.URL, bool) {
	target, err := resp.URL.Parse(resp.Header.Get("Location"))
	own := client(w.subject).URL
	if err != nil || target.Scheme != own.Scheme || target.Host != own.Host {
		w.push.Detail = "The upload was sent to another origin, where the write probe does not follow."
		return nil, false
	}
	query := target.Query()
	query.Set("digest", digest.FromString(emptyBlob).String())
	target.RawQuery = query.Encode()
	return target, true
}

// put pushes a manifest by its digest.
func (w *writer) put(ctx context.Context, step string, content []byte) (*registry.Response, bool, error) {
	resp, err := w.ask(ctx, step, http.MethodPut, w.manifestPath(content), manifestType, content)
	if err != nil || w.refused(resp, "pushing a manifest") {
		return nil, false, err
	}
	w.keep(w.manifestPath(content), content)
	return resp, true, nil
}

// refused notes why the write probe ends here, where it does.
func (w *writer) refused(resp *registry.Response, doing string) bool {
	switch {
	case resp.Fault != nil:
		w.push.Detail = fmt.Sprintf("The write probe failed at %s: %s.", doing, resp.Fault.Text)
	case !created(resp.Status):
		w.push.Detail = fmt.Sprintf("The registry answered HTTP %d to %s.", resp.Status, doing)
	default:
		return false
	}
	return true
}

func created(status int) bool { return status >= 200 && status < 300 }

func (w *writer) keep(path string, content []byte) {
	w.pushed = append(w.pushed, pushed{path, digest.FromBytes(content).String()})
}

// cleanUp deletes what was pushed, artifacts before their subjects, and asks
// for each again; what is still there is named.
func (w *writer) cleanUp(ctx context.Context) error {
	for _, item := range slices.Backward(w.pushed) {
		if _, err := w.ask(ctx, "clean-up", http.MethodDelete, item.path, "", nil); err != nil {
			return err
		}
	}
	for _, item := range w.pushed {
		resp, err := w.ask(ctx, "clean-up", http.MethodHead, item.path, "", nil)
		if err != nil {
			return err
		}
		if resp.Fault != nil || resp.Status != http.StatusNotFound {
			w.push.LeftBehind = append(w.push.LeftBehind, item.digest)
		}
	}
	return nil
}

// ask sends one request below the scratch repository.
func (w *writer) ask(ctx context.Context, step, method, path, contentType string, content []byte) (*registry.Response, error) {
	header := http.Header{}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	if method == http.MethodHead {
		header["Accept"] = manifestTypes
	}
	return w.session.Do(ctx, registry.Request{
		Step: step, Method: method, URL: w.client.URL(w.repository + path), Header: header, Body: content, Scope: w.scope,
	})
}

func (w *writer) manifestPath(content []byte) string {
	return "/manifests/" + digest.FromBytes(content).String()
}

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

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
