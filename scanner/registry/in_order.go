package registry

import (
	"context"
	"sync"
	"time"
)

// Order lets rows go on one after another, by the numbers under which they were begun: 0, 1,
// 2 and so on. What rows learn of each other is then the same in every scan, whatever row is
// the fastest. The zero Order is ready for use.
type Order struct {
	mu      sync.Mutex
	turn    int                   // the lowest number that has not passed
	passed  map[int]bool          // the numbers after turn that have passed
	waiting map[int]chan struct{} // closed when it is the number's turn
	open    bool                  // nobody waits any more
}

// Wait waits until every row before number has passed, or nobody has to wait any more. The
// row counts as idle. If it has waited as long as one request may take, a row before it is not
// answered, and nobody waits any more: rows that are answered must not be lost with it when the
// scan ends. The error is that of ctx, which ended before.
func (o *Order) Wait(ctx context.Context, s *Session, number int) error {
	o.mu.Lock()
	if o.open || o.turn >= number {
		o.mu.Unlock()
		return ctx.Err()
	}
	if o.waiting == nil {
		o.waiting = map[int]chan struct{}{}
	}
	turn := make(chan struct{})
	o.waiting[number] = turn
	o.mu.Unlock()
	s.Idle()
	tooLong := time.AfterFunc(s.client.timeout, o.Open)
	defer tooLong.Stop()
	return waitFor(ctx, turn)
}

// Pass says that the row with the number lets the next one go on. Every row has to pass, and
// may do so more than once.
func (o *Order) Pass(number int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if number < o.turn || o.open {
		return
	}
	if o.passed == nil {
		o.passed = map[int]bool{}
	}
	o.passed[number] = true
	for o.passed[o.turn] {
		delete(o.passed, o.turn)
		o.turn++
	}
	if turn := o.waiting[o.turn]; turn != nil {
		close(turn)
		delete(o.waiting, o.turn)
	}
}

// Open lets every row go on, now and later.
func (o *Order) Open() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, turn := range o.waiting {
		close(turn)
	}
	o.open, o.passed, o.waiting = true, nil, nil
}

// InOrder is one question about a repository, to which all its rows that have the question
// get one answer. They ask in the order of their numbers, until an answer holds for all.
type InOrder[T any] struct {
	order Order

	mu       sync.Mutex
	left     int // times that rows wait for each other to ask
	answered bool
	answer   T
}

// NewInOrder returns a question for which rows wait until it was asked most times. If no
// answer held until then, each row asks for itself.
func NewInOrder[T any](most int) *InOrder[T] { return &InOrder[T]{left: most} }

// Do returns the answer that holds for the repository, which an earlier row got, or else what
// ask returns. shared reports which of them it is. The error is
// that of ask, or of ctx, which ended while the row waited.
func (o *InOrder[T]) Do(ctx context.Context, s *Session, number int, ask func() (answer T, holds bool, err error)) (
	answer T, shared bool, err error,
) {
	if err := o.order.Wait(ctx, s, number); err != nil {
		return answer, false, err
	}
	if answer, ok := o.known(); ok {
		return answer, true, nil
	}
	answer, holds, err := ask()
	o.keep(answer, holds && err == nil)
	o.order.Pass(number)
	return answer, false, err
}

// Pass says that the row with the number does not ask any more.
func (o *InOrder[T]) Pass(number int) { o.order.Pass(number) }

func (o *InOrder[T]) known() (answer T, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer, o.answered
}

// keep keeps an answer, if it holds and rows still wait for one.
func (o *InOrder[T]) keep(answer T, holds bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.answered || o.left <= 0 {
		return
	}
	o.left--
	if o.answered = holds; holds {
		o.answer = answer
	}
	if o.answered || o.left == 0 {
		o.order.Open()
	}
}
