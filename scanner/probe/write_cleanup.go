package probe

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// cleanUpTime bounds the clean-up, which also runs when the scan is
// interrupted: what was pushed has to go.
var cleanUpTime = 20 * time.Second

// cleanUp deletes what was pushed, artifacts before their subjects and the blob
// last, and requests each again; what is not seen to be gone is named. Two
// thirds of the time go to deleting, so that some is left for looking.
func (w *writer) cleanUp(ctx context.Context) {
	slices.SortStableFunc(w.pushed, func(a, b pushed) int { return int(a.kind) - int(b.kind) })
	ctx, cancel := context.WithTimeout(ctx, cleanUpTime)
	defer cancel()
	deleting, cancelDeleting := context.WithTimeout(ctx, cleanUpTime*2/3)
	defer cancelDeleting()
	for _, item := range w.pushed {
		w.session.ResetBudget()
		if _, err := w.request(deleting, stepCleanUp, http.MethodDelete, item.path); err != nil {
			break
		}
	}
	for _, item := range w.pushed {
		w.session.ResetBudget()
		resp, err := w.request(ctx, stepCleanUp, w.existenceMethod(), item.path)
		switch {
		case err == nil && resp.Fault == nil && resp.Status == http.StatusNotFound:
		case item.kind == blob:
			w.push.LeftBlob = item.digest
		default:
			w.push.LeftBehind = append(w.push.LeftBehind, item.digest)
		}
	}
}
