package registry

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/semaphore"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry/address"
	"refmatrix/scanner/registry/credential"
)

// account is one account at one origin, in whatever entries of the inventory it
// stands, and what the scan knows about it. Directories lock an account after a few
// wrong passwords, so one request at a time sends it until an answer shows whether
// it is good. If that is a refusal, GET /v2/ decides: a wrong password is sent by
// the first request, to /v2/, and not again.
type account struct {
	credential.Account

	trial     *semaphore.Weighted // held by the request that sends the account before it is settled
	loginSlot *semaphore.Weighted // held by the request that signs in at /v2/

	mu        sync.Mutex
	good      bool            // an answer that no other account would have got
	witness   *Request        // one that was accepted, perhaps as it would be from everybody; nil = none
	failed    bool            // the last request with it was not answered
	login     loginResult     // of GET /v2/
	refusedBy map[string]bool // repositories that refused it
}

// loginResult is what GET /v2/ shows about an account.
type loginResult int

const (
	notRequested    loginResult = iota
	loginUnanswered             // a fault, a server error or a rate limit
	loginShowsNothing
	loginRefused
	loginAccepted
)

// enoughRefusals is the number of repositories that have to refuse an account if
// GET /v2/ does not show whether it is good. One alone is what Docker Hub, Harbor,
// Quay, GHCR and Artifact Registry answer for a repository that is absent or not
// the account's.
const enoughRefusals = 2

// accountKey tells accounts apart. Two entries of the inventory with the same
// account at the same origin have one.
type accountKey struct {
	origin address.Origin
	credential.Account
}

// account returns what the scan knows about an account at an origin.
func (p *Pool) account(origin address.Origin, found credential.Account) *account {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := accountKey{origin, found}
	known := p.known[key]
	if known == nil {
		known = &account{
			Account:   found,
			trial:     semaphore.NewWeighted(1),
			loginSlot: semaphore.NewWeighted(1),
			refusedBy: map[string]bool{},
		}
		p.known[key] = known
	}
	return known
}

// errNotSent says that an account is not sent again because it was refused.
var errNotSent = errors.New("the account was refused and is not sent again")

// acquire waits until the account may be sent. release has to be called when the
// answer was recorded. The error is errNotSent if it may not be sent again.
func (a *account) acquire(ctx context.Context) (release func(), err error) {
	release = func() {}
	if !a.settled() {
		if err := acquireIdle(ctx, a.trial); err != nil {
			return release, err
		}
		release = sync.OnceFunc(func() { a.trial.Release(1) })
	}
	if !a.mayBeSent() {
		release()
		return func() {}, errNotSent
	}
	return release, nil
}

// acquireIdle waits for s. The row counts as waiting.
func acquireIdle(ctx context.Context, s *semaphore.Weighted) error {
	defer idleAfter(ctx, ownStall)()
	return s.Acquire(ctx, 1)
}

// hasPassword reports whether the account can answer a Basic challenge.
func (a *account) hasPassword() bool { return a != nil && a.Username != "" && a.Password != "" }

// isAccepted reports whether the registry answered a request with the account. No
// account at all is accepted.
func (a *account) isAccepted() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.good || a.witness != nil
}

// settled reports whether requests need not wait for each other to send the
// account.
func (a *account) settled() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.good || a.witness != nil || a.refused() || a.stopped()
}

// mayBeSent reports whether the account may be sent again.
func (a *account) mayBeSent() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.refused() && !a.stopped()
}

// refused reports whether the account is proven to be refused. The caller holds
// a.mu.
func (a *account) refused() bool {
	accepted := a.good || a.witness != nil
	enough := a.login == loginShowsNothing && len(a.refusedBy) >= enoughRefusals
	return !accepted && (a.login == loginRefused || enough)
}

// stopped reports whether the account was refused as often as it may be, although
// nothing proves that it is the account. The caller holds a.mu.
func (a *account) stopped() bool {
	accepted := a.good || a.witness != nil
	return !accepted && a.login == loginUnanswered && len(a.refusedBy) >= enoughRefusals
}

// accepted notes an answer as to an account that is good. witness is the request if
// everybody may get that answer, nil if only this account does.
func (a *account) accepted(witness *Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = false
	a.good = a.good || witness == nil
	if a.witness == nil {
		a.witness = witness
	}
}

// unanswered notes that a request with the account failed.
func (a *account) unanswered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = true
}

// onlyOnce reports whether a request that sends the account gets one attempt. The
// others wait for it, and the one before it failed.
func (a *account) onlyOnce() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed && !a.good && a.witness == nil
}

// standing is what is known about an account that was sent, or was not sent again.
func (a *account) standing() verdict.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.refused():
		return verdict.AccountRefused
	case a.good, a.witness != nil:
		return verdict.AccountAccepted
	}
	return verdict.AccountSent
}
