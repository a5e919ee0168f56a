package registry

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Once is one question about a registry. One row at a time asks it, until it is answered
// or was asked as often as it may be. The answer serves every row.
type Once[T any] struct {
	slot     *semaphore.Weighted // held by the row that asks
	left     int                 // times that it may still be asked
	answered bool
	answer   T
}

// NewOnce returns a question that is asked most times at the most.
func NewOnce[T any](most int) *Once[T] {
	return &Once[T]{slot: semaphore.NewWeighted(1), left: most}
}

// Do returns the answer to the row of s, and calls ask for it if it is not known yet. The
// memory of the row's last body is given back first: rows that wait for one row must not hold
// what this one needs to go on. ask reports whether its answer holds for the registry; one
// that does not is returned to nobody else but if the question may not be asked again. The
// error is that of ask, or of ctx, which ended while another row asked; it counts as not
// asked.
func (o *Once[T]) Do(ctx context.Context, s *Session, ask func() (answer T, holds bool, err error)) (T, error) {
	s.release()
	if err := acquireIdle(ctx, o.slot); err != nil {
		var none T
		return none, err
	}
	defer o.slot.Release(1)
	if o.answered || o.left <= 0 {
		return o.answer, nil
	}
	answer, holds, err := ask()
	if err != nil {
		return answer, err
	}
	o.left--
	o.answered, o.answer = holds, answer
	return answer, nil
}
