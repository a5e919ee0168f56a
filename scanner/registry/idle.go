package registry

import (
	"context"
	"time"
)

// Worker is what a row occupies while it is probed. It hears when the row only
// waits, so that another row can be probed meanwhile.
type Worker interface {
	Idle() // the row waits for somebody else
	Busy() // the row goes on; must not wait for other rows, which may wait for this one
}

type workerKey struct{}

// WithWorker lets the requests made under ctx tell w when they wait.
func WithWorker(ctx context.Context, w Worker) context.Context {
	return context.WithValue(ctx, workerKey{}, w)
}

// After these times a row counts as waiting: a dial that is not through (a
// black-holed address answers nothing at all), our own rate limit, backoff,
// another row's sign-in or a credential helper, and an answer that does not come.
const (
	dialStall   = 250 * time.Millisecond
	ownStall    = 50 * time.Millisecond
	answerStall = 2 * time.Second
)

// stalled watches what the caller is about to wait for; the function it
// returns has to be called when that is over.
func stalled(ctx context.Context, after time.Duration) (over func()) {
	w, ok := ctx.Value(workerKey{}).(Worker)
	if !ok {
		return func() {}
	}
	told := make(chan struct{})
	timer := time.AfterFunc(after, func() {
		w.Idle()
		close(told)
	})
	return func() {
		if !timer.Stop() {
			<-told
			w.Busy()
		}
	}
}
