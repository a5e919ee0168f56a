package registry

import (
	"context"
	"sync"
	"time"
)

// clock ends a request when its time is used up. It stands still while the request
// waits for memory, which is not the registry's doing.
type clock struct {
	end func() // of the request

	mu      sync.Mutex
	timer   *time.Timer
	began   time.Time // the clock was last started; zero while it stands still
	used    time.Duration
	allowed time.Duration
	late    *timedOut // why the clock ended the request; nil if it did not
}

// startClock returns the context of a request that may take as long as allowed. The
// clock has to be stopped.
func startClock(ctx context.Context, allowed time.Duration) (context.Context, *clock) {
	timed, end := context.WithCancel(ctx)
	c := &clock{end: end, allowed: allowed}
	c.timer = time.AfterFunc(allowed, func() { c.expire(timedOut{after: allowed}) })
	c.began = time.Now()
	return timed, c
}

// expire ends the request, for the reason why.
func (c *clock) expire(why timedOut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.late == nil {
		c.late = &why
	}
	c.end()
}

// pause makes the clock stand still until resume.
func (c *clock) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.used += time.Since(c.began)
	c.began = time.Time{}
}

func (c *clock) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = time.Now()
	c.timer.Reset(c.allowed - c.used)
}

// stop ends the clock, and returns the time that it ran and why it ended the request,
// nil if it did not.
func (c *clock) stop() (took time.Duration, late *timedOut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
	c.end()
	if !c.began.IsZero() {
		c.used += time.Since(c.began)
		c.began = time.Time{}
	}
	return c.used, c.late
}
