package registry

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast one registry may be probed. It starts with the rate of the
// inventory and follows the registry's own answers: a 429 halves the rate and
// holds back every request for the time it asks for, answers that take longer
// and longer halve the rate too, and good answers let it grow back.
type pace struct {
	limit *rate.Limiter

	mu      sync.Mutex
	until   time.Time  // end of the cooldown: no request is sent before
	full    rate.Limit // the inventory's rate while a lowered one is in force; else 0
	tripped bool       // a row used up its retries; the next rows get one attempt each
	steady  int        // good answers since the last change

	answers  int           // timed so far
	quickest time.Duration // of them
	usual    time.Duration // their moving average
}

func newPace(perSecond float64, burst int) *pace {
	return &pace{limit: newLimiter(perSecond, burst)}
}

// newLimiter returns a token bucket of perSecond; 0 means no limit.
func newLimiter(perSecond float64, burst int) *rate.Limiter {
	if perSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(burst, 1))
}

// The rate that a registry without a rate of its own gets once it has answered
// 429, and the number of good answers after which a lowered rate is doubled.
const (
	afterLimited rate.Limit = 10
	growAfter    int        = 20
)

// A registry is overloaded once its answers usually take this many times as
// long as its quickest one, and this much longer.
const (
	overloadTimes                = 4
	overloadBy     time.Duration = 250 * time.Millisecond
	answersToJudge               = 8
)

// wait waits until the rate allows a request.
func (p *pace) wait(ctx context.Context) error { return p.limit.Wait(ctx) }

// observe notes how long an answer took. If it shows that the registry slows
// down under our requests, the rate is halved. That is judged only after some good
// answers, so that a few slow ones at the start or after a change do not count.
func (p *pace) observe(took time.Duration) {
	p.mu.Lock()
	if p.answers++; p.answers == 1 {
		p.quickest, p.usual = took, took
	}
	p.quickest = min(p.quickest, took)
	p.usual += (took - p.usual) / answersToJudge
	tooMuch := p.overloaded() && p.steady >= answersToJudge
	p.mu.Unlock()
	if tooMuch {
		p.throttle(0)
	}
}

// overloaded reports whether answers take much longer than they could. The
// caller holds p.mu.
func (p *pace) overloaded() bool {
	return p.usual > overloadTimes*p.quickest && p.usual-p.quickest > overloadBy
}

// cooldown is how long the registry still wants no request; 0 or less once that
// is over.
func (p *pace) cooldown() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until)
}

// throttle halves the rate and lets no row send a request for cooldown. A
// shorter cooldown does not cut a longer one short.
func (p *pace) throttle(cooldown time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(cooldown); until.After(p.until) {
		p.until = until
	}
	now := p.limit.Limit()
	if p.full == 0 {
		p.full = now
	}
	p.steady = 0
	if now == rate.Inf {
		p.limit.SetBurst(1)
		now = 2 * afterLimited
	}
	least := p.full / 16
	if p.full == rate.Inf {
		least = afterLimited / 16
	}
	p.limit.SetLimit(max(now/2, least))
}

// succeeded notes an answer that needs no retry; ok is false if no answer came.
func (p *pace) succeeded(ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok {
		return
	}
	p.tripped = false
	if p.steady++; p.full == 0 || p.steady < growAfter || p.overloaded() {
		return
	}
	p.steady = 0
	if grown := p.limit.Limit() * 2; grown < p.full {
		p.limit.SetLimit(grown)
		return
	}
	p.limit.SetLimit(p.full)
	p.full = 0
}

// trip notes that a row's retries did not help. Like a circuit breaker, it
// leaves the rows behind it one attempt each until one is answered.
func (p *pace) trip() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tripped = true
}

func (p *pace) isTripped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tripped
}
