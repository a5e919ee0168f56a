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
// stands, and what the scan knows of it. Directories lock an account after a few
// wrong passwords, so it is sent by one request at a time until one of them shows
// whether it is good: a wrong one is sent by that request and once more to /v2/.
type account struct {
	credential.Account

	trial  *semaphore.Weighted // held by the request that sends the account before it is settled
	asking *semaphore.Weighted // held by the request that signs in at /v2/

	mu        sync.Mutex
	good      bool            // some request was accepted
	unclear   bool            // an answer showed nothing, so that waiting for the next one may take long
	login     login           // what GET /v2/ signed with it showed
	refusedBy map[string]bool // repositories that refused it
}

// login is what GET /v2/ says of an account, as docker login asks.
type login int

const (
	notAsked login = iota
	notKnown       // /v2/ asks for nothing, or its answer shows nothing
	loginRefused
	loginAccepted
)

// accountKey tells accounts apart. Two entries of the inventory with the same
// account at the same origin have one.
type accountKey struct {
	origin address.Origin
	credential.Account
}

// account returns what the scan knows of an account at an origin.
func (p *Pool) account(origin address.Origin, found credential.Account) *account {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := accountKey{origin, found}
	known := p.known[key]
	if known == nil {
		known = &account{
			Account:   found,
			trial:     semaphore.NewWeighted(1),
			asking:    semaphore.NewWeighted(1),
			refusedBy: map[string]bool{},
		}
		p.known[key] = known
	}
	return known
}

// errAccountRefused says that an account is not sent because the registry was seen
// to refuse it.
var errAccountRefused = errors.New("the registry refuses this account")

// enter waits until the account may be sent. release has to be called when the
// answer was judged. The error is errAccountRefused if it may not be sent again.
func (a *account) enter(ctx context.Context) (release func(), err error) {
	if !a.settled() {
		if err := waitToHold(ctx, a.trial); err != nil {
			return func() {}, err
		}
		if !a.settled() {
			return sync.OnceFunc(func() { a.trial.Release(1) }), nil
		}
		a.trial.Release(1)
	}
	if a.refused() {
		return func() {}, errAccountRefused
	}
	return func() {}, nil
}

// waitToHold waits until no other request holds s.
func waitToHold(ctx context.Context, s *semaphore.Weighted) error {
	defer idleAfter(ctx, ownStall)()
	return s.Acquire(ctx, 1)
}

// settled reports whether requests need not wait for each other to send the
// account. No account at all is settled.
func (a *account) settled() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.good || a.unclear || a.proven()
}

// refused reports whether the registry is known to refuse the account.
func (a *account) refused() bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.proven()
}

// proven reports whether the account is refused and not only the repository: GET
// /v2/ refused it, or says nothing and two repositories did. One refusal alone is
// what Docker Hub, Harbor, Quay, GHCR and Artifact Registry answer for a repository
// that is not there. The caller holds a.mu.
func (a *account) proven() bool {
	return !a.good && (a.login == loginRefused || a.login == notKnown && len(a.refusedBy) >= 2)
}

// accepted notes that the registry accepted the account.
func (a *account) accepted() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.good = true
}

// unproven notes an answer that shows nothing of the account.
func (a *account) unproven() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unclear = true
}

// refusedAccount notes that the request's repository refused the account, and has
// GET /v2/ decide whether the account or only the repository is the reason.
func (in *signing) refusedAccount(ctx context.Context) verdict.Account {
	a := in.account
	a.mu.Lock()
	a.refusedBy[in.request.repository()] = true
	a.mu.Unlock()
	in.session.settle(ctx, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.good:
		return verdict.AccountAccepted
	case a.proven():
		return verdict.AccountRefused
	}
	return verdict.AccountSent
}

// settle signs in at /v2/ with an account, unless it is known to be good or that was
// done before.
func (s *Session) settle(ctx context.Context, a *account) {
	if waitToHold(ctx, a.asking) != nil {
		return
	}
	defer a.asking.Release(1)
	a.mu.Lock()
	open := !a.good && a.login == notAsked
	a.mu.Unlock()
	if !open {
		return
	}
	result := s.login(ctx, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.login = result
	a.good = a.good || result == loginAccepted
}
