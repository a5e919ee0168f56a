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
// it is good. Unless the first answer accepts it, GET /v2/ decides: a wrong password
// is sent by the first request, to /v2/, and not again.
type account struct {
	credential.Account

	trial     *semaphore.Weighted // held by the request that sends the account before it is settled
	loginSlot *semaphore.Weighted // held by the request that signs in at /v2/

	mu        sync.Mutex
	good      bool            // an answer came that no other account would get
	witness   *Request        // a request that was answered, perhaps as it would be for everybody; nil = none
	sent      bool            // by some request
	failed    bool            // the last request with it was not answered
	login     loginResult     // of GET /v2/
	logins    int             // times that GET /v2/ was tried
	refusedBy map[string]bool // repositories that refused it
	refusedAt map[string]bool // paths of other endpoints that refused it
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

// maxLogins bounds how often GET /v2/ is tried if it is not answered.
const maxLogins = 2

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
			refusedAt: map[string]bool{},
		}
		p.known[key] = known
	}
	return known
}

// errNotSent means that an account is not sent again because it was refused.
var errNotSent = errors.New("the account was refused and is not sent again")

// acquire waits until the account may be sent for a request. release has to be
// called when the answer was recorded. check says that GET /v2/ should show first
// whether it is good, because an earlier request did not. The error is errNotSent if
// the account may not be sent again.
func (a *account) acquire(ctx context.Context, q *Request) (release func(), check bool, err error) {
	release = func() {}
	if !a.settled() {
		if err := acquireIdle(ctx, a.trial); err != nil {
			return release, false, err
		}
		release = sync.OnceFunc(func() { a.trial.Release(1) })
		if a.settled() { // by the request before
			release()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refused() || a.stopped() || a.refusedHere(q) && !a.accepted() {
		release()
		return func() {}, false, errNotSent
	}
	check = a.sent && !a.accepted() && a.mayLogIn()
	a.sent = true
	return release, check, nil
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
	return a.accepted()
}

// settled reports whether requests need not wait for each other to send the account:
// it was accepted or refused, or no request that is signed is answered.
func (a *account) settled() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	silent := a.failed && a.login == loginUnanswered
	return a.accepted() || a.refused() || a.stopped() || silent
}

// accepted reports whether a request with the account was answered. The caller holds
// a.mu, as for the five below.
func (a *account) accepted() bool { return a.good || a.witness != nil }

// mayLogIn reports whether GET /v2/ may be tried: it was not answered yet, and not
// tried too often.
func (a *account) mayLogIn() bool { return a.login <= loginUnanswered && a.logins < maxLogins }

// refused reports whether the account is proven to be refused.
func (a *account) refused() bool {
	enough := a.login == loginShowsNothing && len(a.refusedBy) >= enoughRefusals
	return !a.accepted() && (a.login == loginRefused || enough)
}

// refusedHere reports whether the repository of a request refused the account, or the
// endpoint of one that is not of a repository.
func (a *account) refusedHere(q *Request) bool {
	return a.refusedBy[q.repository()] || !q.ofRepository() && a.refusedAt[q.URL.Path]
}

// stopped reports whether the account was refused as often as it may be, although
// nothing proves that it is the account.
func (a *account) stopped() bool {
	return !a.accepted() && a.login == loginUnanswered && !a.mayLogIn() && len(a.refusedBy) >= enoughRefusals
}

// accept notes an answer as to an account that is good. witness is the request if
// everybody may get that answer, nil if only this account does.
func (a *account) accept(witness *Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = false
	a.good = a.good || witness == nil
	if a.witness == nil {
		a.witness = witness
	}
}

// refuse notes that a request was refused because of the account. Only repositories count
// as enoughRefusals: another endpoint may want another kind of account, and is not sent
// this one again.
func (a *account) refuse(q *Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = false
	if q.ofRepository() {
		a.refusedBy[q.repository()] = true
	} else {
		a.refusedAt[q.URL.Path] = true
	}
}

// unanswered notes that a request with the account failed.
func (a *account) unanswered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = true
}

// onlyOnce reports whether a request that sends the account gets one attempt: the one
// before it was not answered, and others wait.
func (a *account) onlyOnce() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed && !a.accepted()
}

// standing is what is known about an account that was sent, or was not sent again.
func (a *account) standing() verdict.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.refused():
		return verdict.AccountRefused
	case a.accepted():
		return verdict.AccountAccepted
	}
	return verdict.AccountSent
}
