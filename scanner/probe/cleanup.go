package probe

import (
	"context"
	"net/http"
	"slices"
	"time"

	"refmatrix/scanner/registry"
)

// cleanUpTime bounds the clean-up, which also runs when the scan is
// interrupted: what was pushed has to go.
var cleanUpTime = 20 * time.Second

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

// sendToDelete sends a request that stores item, and remembers item where any
// attempt of it may have been stored: one that was not answered in time can be
// there all the same, and only a clear refusal says that it is not.
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

// cleanUp deletes what was pushed, artifacts before their subjects and the blob
// last, and asks for each again; what is not seen to be gone is named. Two
// thirds of the time go to deleting, so that some is left for looking.
func (w *writer) cleanUp(ctx context.Context) {
	slices.SortStableFunc(w.pushed, func(a, b pushed) int { return int(a.kind) - int(b.kind) })
	ctx, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	deleting, cancelDeleting := context.WithTimeout(ctx, cleanUpTime*2/3)
	defer cancelDeleting()
	for _, item := range w.pushed {
		w.session.ResetBudget()
		if _, err := w.ask(deleting, "clean-up", http.MethodDelete, item.path); err != nil {
			break
		}
	}
	for _, item := range w.pushed {
		w.session.ResetBudget()
		resp, err := w.ask(ctx, "clean-up", w.lookMethod(), item.path)
		switch {
		case err == nil && resp.Fault == nil && resp.Status == http.StatusNotFound:
		case item.kind == blob:
			w.push.LeftBlob = item.digest
		default:
			w.push.LeftBehind = append(w.push.LeftBehind, item.digest)
		}
	}
}

// lookMethod asks whether something is there: HEAD, or GET where the registry
// is seen to refuse HEAD, for a 404 to that says nothing (Nexus).
func (s *subject) lookMethod() string {
	if s.seen.Manifest.Method == http.MethodGet {
		return http.MethodGet
	}
	return http.MethodHead
}

// ask sends a request without a body below the scratch repository.
func (w *writer) ask(ctx context.Context, step, method, path string) (*registry.Response, error) {
	return w.send(ctx, registry.Request{Step: step, Method: method, URL: w.url(path), Header: accept(manifestTypes...), MaxBody: registry.MaxIndex})
}
