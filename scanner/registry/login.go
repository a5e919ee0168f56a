package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// settle has GET /v2/ show whether the registry refuses the account, unless that is
// known. A row does so once.
func (s *Session) settle(ctx context.Context, a *account) {
	s.release() // the row that signs in may need it; the body has MaxError at the most
	if acquireIdle(ctx, a.loginSlot) != nil {
		return
	}
	defer a.loginSlot.Release(1)
	a.mu.Lock()
	open, witness := !a.good && a.mayLogIn() && !s.loggedIn, a.witness
	a.mu.Unlock()
	if !open {
		return
	}
	// The answer is for all rows, so it has one timeout of its own.
	own := s.budget
	s.loggedIn, s.budget = true, s.client.timeout
	defer func() { s.budget = own }()
	result := s.logIn(ctx, a)
	forEverybody := result == loginRefused && witness != nil && s.opensToEverybody(ctx, witness)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logins++
	switch a.login = result; {
	case result == loginAccepted:
		a.good = true
	case forEverybody:
		a.witness = nil
	}
}

// logIn signs in at /v2/ as docker login does: GET /v2/, its challenge met for no
// scope, and GET /v2/ again.
func (s *Session) logIn(ctx context.Context, a *account) loginResult {
	found, err := s.version(ctx)
	switch {
	case err != nil || !found.answered:
		return loginUnanswered
	case found.challenge == nil, found.challenge.scheme == basic && !a.hasPassword():
		return loginShowsNothing
	case s.client.admit(found.challenge) != nil:
		return loginShowsNothing
	}
	signed, err := s.authorize(ctx, found.challenge, a, "")
	if refused := new(tokenRefusal); errors.As(err, &refused) && !IsTransient(refused.status) {
		return loginRefused
	}
	out := s.versionRequest(signed)
	var got *answer
	if err == nil {
		got, err = s.follow(ctx, out, s.client.admitStep(""))
	}
	switch {
	case !s.lastAnswered():
		return loginUnanswered
	case err != nil:
		return loginShowsNothing
	case got.url != out.url: // perhaps a page to sign in at
		return loginShowsNothing
	case got.status == http.StatusUnauthorized:
		return loginRefused
	case got.status < 300, got.status == http.StatusNotFound: // some proxies pass on only what is below /v2/
		return loginAccepted
	}
	return loginShowsNothing
}

// opensToEverybody reports whether a request that was answered is answered without
// an account too, so that it does not show that the account is good.
func (s *Session) opensToEverybody(ctx context.Context, q *Request) bool {
	anonymous := s.outgoing(*q, nil)
	anonymous.step = matrix.LoginStep
	got, err := s.follow(ctx, anonymous, s.client.admitStep(q.Pinned))
	if err != nil {
		return false
	}
	met := s.client.usable(got)
	if got.status == http.StatusUnauthorized && met != nil && met.scheme == bearer && s.client.admit(met) == nil {
		token, err := s.token(ctx, met, nil, q.Scope)
		if err != nil {
			return false
		}
		anonymous.authorization = "Bearer " + token
		if got, err = s.follow(ctx, anonymous, s.client.admitStep(q.Pinned)); err != nil {
			return false
		}
	}
	return got.status < 300
}

// version is what GET /v2/ answers to an unsigned request (distribution specification
// v1.1, "Determining Support").
type version struct {
	answered   bool
	challenge  *challenge // nil if there was none
	isRegistry bool       // the answer is one that a registry gives
}

// version returns what GET /v2/ answers to an unsigned request, which is sent until it is
// answered, maxLogins times at the most. The error is not nil only if the scan ends.
func (s *Session) version(ctx context.Context) (version, error) {
	return s.client.version.Do(ctx, s, func() (v version, holds bool, err error) {
		got, err := s.follow(ctx, s.versionRequest(nil), s.client.admitStep(""))
		switch {
		case ctx.Err() != nil:
			return v, false, ctx.Err()
		case errors.Is(err, errNoTurn):
			return v, false, err
		case err != nil, verdict.IsServerError(got.status), IsTransient(got.status):
			return v, false, nil
		}
		v.answered = true
		if got.status == http.StatusUnauthorized {
			v.challenge = s.client.usable(got)
		}
		v.isRegistry = s.client.isOwn(got.url) && isRegistry(got)
		return v, true, nil
	})
}

// isRegistry reports whether an answer of GET /v2/ is one of a registry: it has a challenge
// or the API version header, is JSON under 200, or has an OCI error.
func isRegistry(got *answer) bool {
	if got.header.Get("Www-Authenticate") != "" || got.header.Get("Docker-Distribution-Api-Version") != "" {
		return true
	}
	codes, isJSON := CodesOfCut(got.body)
	return len(codes) > 0 || isJSON && got.status == http.StatusOK
}

// NotARegistry reports whether GET /v2/ was answered at the registry's origin as no
// registry answers it. It is false if it was not answered.
func (s *Session) NotARegistry(ctx context.Context) (bool, error) {
	s.countReading()
	defer func() { s.answered = time.Now() }()
	v, err := s.version(ctx)
	return v.answered && !v.isRegistry, err
}

// versionRequest is GET /v2/, signed unless signed is nil.
func (s *Session) versionRequest(signed *authorization) outgoing {
	return s.outgoing(Request{
		Step:   matrix.LoginStep,
		Method: http.MethodGet,
		URL:    s.client.URL(""),
	}, signed)
}
