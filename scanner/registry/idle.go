package registry

import (
	"context"
	"time"
)

// Worker is what a row occupies while it is probed. It learns when the row only
// waits, so that another row can be probed meanwhile.
type Worker interface {
	Idle() // the row waits for somebody else
	Busy() // the row goes on; must not wait for other rows, which may wait for this one
}

type workerKey struct{}

// WithWorker has the requests made under ctx report to w when they wait.
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

// idleAfter makes the row count as waiting after a time of what the caller is
// about to wait for. The function it returns has to be called when that is over.
func idleAfter(ctx context.Context, after time.Duration) (over func()) {
	w, ok := ctx.Value(workerKey{}).(Worker)
	if !ok {
		return func() {}
	}
	idle := make(chan struct{})
	timer := time.AfterFunc(after, func() {
		w.Idle()
		close(idle)
	})
	return func() {
		if !timer.Stop() {
			<-idle
			w.Busy()
		}
	}
}
