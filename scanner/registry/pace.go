package registry

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is what a registry's own answers say about how fast it can be asked:
// a 429 halves its rate and stops all its requests for the time it asks for,
// answers that take longer and longer halve it too, good ones let it grow back.
type pace struct {
	mu     sync.Mutex
	until  time.Time  // nothing goes out before
	full   rate.Limit // the inventory's rate, once it was lowered
	spent  bool       // a row used up its retries; the next ones get one attempt each
	steady int        // good answers since the last change

	answers  int           // timed so far
	quickest time.Duration // of them
	usual    time.Duration // their moving average
}

// The pace of a registry without a rate of its own once it has answered 429,
// and the number of good answers after which a lowered rate is doubled.
const (
	afterLimited rate.Limit = 10
	growAfter    int        = 20
)

// A registry is taken to be overloaded once its answers usually take this many
// times as long as its quickest, and this much longer.
const (
	overloadTimes                = 4
	overloadBy     time.Duration = 250 * time.Millisecond
	answersToJudge               = 8
)

// observe takes the time of an answer. Where it shows that the registry slows
// down under our requests, the rate is halved.
func (p *pace) observe(took time.Duration, limit *rate.Limiter) {
	p.mu.Lock()
	if p.answers++; p.answers == 1 {
		p.quickest, p.usual = took, took
	}
	p.quickest = min(p.quickest, took)
	p.usual += (took - p.usual) / answersToJudge
	tooMuch := p.overloaded() && p.steady >= answersToJudge
	p.mu.Unlock()
	if tooMuch {
		p.slow(0, limit)
	}
}

// overloaded reports whether answers take much longer than they could, which is
// judged after some good ones only. p.mu is held.
func (p *pace) overloaded() bool {
	return p.usual > overloadTimes*p.quickest && p.usual-p.quickest > overloadBy
}

// left is how long the registry still wants to be left alone.
func (p *pace) left() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until)
}

// slow takes a 429: no request of any row for wait, as far as a row may wait,
// and half the rate afterwards.
func (p *pace) slow(wait time.Duration, limit *rate.Limiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.until) {
		p.until = until
	}
	now := limit.Limit()
	if p.full == 0 {
		p.full = now
	}
	p.steady = 0
	if now == rate.Inf {
		limit.SetBurst(1)
		now = 2 * afterLimited
	}
	least := p.full / 16
	if p.full == rate.Inf {
		least = afterLimited / 16
	}
	limit.SetLimit(max(now/2, least))
}

// succeeded takes an answer that needs no retry.
func (p *pace) succeeded(ok bool, limit *rate.Limiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !ok {
		return
	}
	p.spent = false
	if p.steady++; p.full == 0 || p.steady < growAfter || p.overloaded() {
		return
	}
	p.steady = 0
	if grown := limit.Limit() * 2; grown < p.full {
		limit.SetLimit(grown)
		return
	}
	limit.SetLimit(p.full)
	p.full = 0
}

// giveUp notes that a row's retries did not help, so that the rows behind it
// ask once each until one is answered.
func (p *pace) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent = true
}

func (p *pace) gaveUp() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}
