package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"refmatrix/matrix/verdict"
)

// signIn signs one request, and records what its answer shows about the account.
type signIn struct {
	session *Session
	request Request
	flight  *flight

	authorization *authorization // what the request is signed with; nil = nothing
	learned       bool           // for this request, because an unsigned one or an old token was refused
	account       *account       // whose authorization it is, or would be; nil = nobody's
	sent          bool           // the account went out, itself or as a token that was issued for it
	ahead         *ahead         // nil = it is not signed ahead of a challenge
	hidden        bool           // the registry did not ask for the account: it was tried on a 403 or 404
	release       func()         // lets other requests send the account
}

// signIn waits until a request may be sent, and signs it with what earlier requests
// learned. It has to be closed.
func (s *Session) signIn(ctx context.Context, q Request) (*signIn, error) {
	c := s.client
	key := authorizationKey{account: c.accounts.key(q.repository()), scope: q.Scope}
	flight, known, err := c.authorizations.join(ctx, key)
	if err != nil {
		return nil, err
	}
	in := &signIn{
		session: s,
		request: q,
		flight:  flight,
		release: func() {},
	}
	if c.token != nil {
		known = c.token
	}
	if q.UnsignedFirst || !c.isOwn(q.URL) {
		return in, nil
	}
	if known == nil {
		if err := in.authorizeAhead(ctx); err != nil {
			in.close()
			return nil, err
		}
		return in, nil
	}
	switch err := in.acquire(ctx, known.account); {
	case err == nil:
		in.authorization, in.sent = known, true
	case !errors.Is(err, errNotSent):
		in.close()
		return nil, err
	}
	return in, nil
}

// close stores what was learned, unless the account is not known to be good or the
// endpoint may want another scheme than the rest of the registry, and lets the requests go
// on that wait.
func (in *signIn) close() {
	in.release()
	learned := in.authorization
	if learned != nil && (in.request.UnsignedFirst || learned.challenge == nil || !learned.account.isAccepted()) {
		learned = nil
	}
	in.flight.finish(learned)
}

// send sends the request, signed or not.
func (in *signIn) send(ctx context.Context) (*answer, error) {
	s := in.session
	return s.follow(ctx, s.outgoing(in.request, in.authorization), s.client.admitStep(in.request.Pinned))
}

// acquire waits until the account may be sent. The error is errNotSent if it may
// not be sent again.
func (in *signIn) acquire(ctx context.Context, a *account) (err error) {
	if a == nil {
		return nil
	}
	in.release()
	in.account = a
	var check bool
	in.release, check, err = a.acquire(ctx, &in.request)
	if err != nil || !check {
		return err
	}
	in.session.settle(ctx, a)
	if a.standing() == verdict.AccountRefused {
		return errNotSent
	}
	return ctx.Err()
}

// answer decides on an answer: whether the request is sent again, signed otherwise.
// The error is a refusal, ours or the token service's.
func (in *signIn) answer(ctx context.Context, got *answer) (again bool, err error) {
	met, err := in.challenge(ctx, got)
	if err != nil || met == nil {
		return false, err
	}
	in.session.release() // what follows may wait for other rows
	known, err := in.known(ctx, met)
	if err == nil && known != nil {
		err = in.acquire(ctx, known.account)
	} else if err == nil {
		known, err = in.authorize(ctx, met)
	}
	if errors.Is(err, errNotSent) {
		in.authorization = nil
		return false, nil
	}
	if err != nil || known == nil {
		return false, err
	}
	in.learned, in.sent, in.authorization = true, true, known
	return true, nil
}

// known returns what already meets a challenge: what was learned since the request was
// signed, or the token of the inventory if it was not sent. It is nil if the request has to
// learn it.
func (in *signIn) known(ctx context.Context, met *challenge) (*authorization, error) {
	if token := in.session.client.token; token != nil && in.request.UnsignedFirst {
		return token, nil
	}
	known, err := in.flight.renew(ctx, in.authorization)
	if known != nil && in.request.UnsignedFirst && known.challenge.scheme != met.scheme {
		known = nil
	}
	return known, err
}

// challenge returns the challenge to meet, or nil if the answer stands.
func (in *signIn) challenge(ctx context.Context, got *answer) (*challenge, error) {
	c, used := in.session.client, in.authorization
	switch {
	case got.status == http.StatusUnauthorized && used == nil:
		met := c.usable(got)
		if met != nil {
			met.unsigned = true
		}
		return met, nil
	case got.status == http.StatusUnauthorized && used.challenge != nil && used.challenge.scheme == bearer:
		// The token has expired. What the registry names to a signed request can be
		// something else than it named to an unsigned one (Harbor, nvcr.io).
		return used.challenge, nil
	case got.status == http.StatusUnauthorized && used.challenge != nil:
		// Basic was learned for another scope, and this one wants a token.
		if met := c.usable(got); met != nil && met.scheme == bearer {
			return met, nil
		}
	case used == nil && in.request.Hidden && c.mayHide(got):
		in.session.release() // a helper or another row may take long; the body has MaxError at the most
		if a, err := c.accounts.get(ctx, in.request.repository()); a == nil || err != nil {
			return nil, ctx.Err() // without an account at hand the answer stands
		}
		found, err := in.session.version(ctx)
		if err != nil {
			return nil, err
		}
		in.hidden = found.challenge != nil
		return found.challenge, nil
	}
	return nil, nil
}

// mayHide reports whether an answer may stand for a manifest that the registry hides
// from those who did not sign in.
func (c *Client) mayHide(got *answer) bool {
	refused := got.status == http.StatusForbidden || got.status == http.StatusNotFound
	return refused && got.header.Get("Www-Authenticate") == "" && c.isOwn(got.url)
}

// authorize meets a challenge with the account of the request's repository. It
// returns nil if a Basic challenge has no account to answer it.
func (in *signIn) authorize(ctx context.Context, met *challenge) (*authorization, error) {
	c := in.session.client
	a, err := c.accounts.get(ctx, in.request.repository())
	if err != nil || met.scheme == basic && !a.hasPassword() {
		return nil, err
	}
	if err := c.admit(met); err != nil {
		return nil, err
	}
	if err := in.acquire(ctx, a); err != nil {
		return nil, err
	}
	in.sent = true
	return in.session.authorize(ctx, met, a, in.request.Scope)
}

// authorize meets a challenge that was admitted: Basic with the account, Bearer with
// a token for scope, which is anonymous if a is nil.
func (s *Session) authorize(ctx context.Context, met *challenge, a *account, scope string) (*authorization, error) {
	if met.scheme == basic {
		return s.client.newAuthorization("Basic", basicSecret(a.Account), met, a)
	}
	token, err := s.token(ctx, met, a, scope)
	if err != nil {
		return nil, err
	}
	return s.client.newAuthorization("Bearer", token, met, a)
}

// record notes what the answer shows about the account: in resp for this row, and
// in the account for later ones.
func (in *signIn) record(ctx context.Context, resp *Response) {
	a := in.account
	if a == nil {
		return
	}
	own := resp.URL == nil || in.session.client.isOwn(resp.URL)
	switch status := resp.Status; {
	case !in.sent:
	case in.ahead != nil && in.ahead.failed, !in.session.lastAnswered():
		a.unanswered()
	case resp.Fault != nil:
	case own && (resp.Token || status == http.StatusUnauthorized || status == http.StatusForbidden):
		if resp.Token || status == http.StatusUnauthorized {
			a.refuse(&in.request)
		}
		in.session.settle(ctx, a)
	case resp.URL != in.request.URL: // perhaps a page to sign in at, there or at another origin
	case status < 300, status == http.StatusNotFound && !in.hidden:
		a.accept(in.witness())
	}
	resp.Account = a.standing()
}

// ofRepository reports whether the request is one that only the repository decides on.
func (q *Request) ofRepository() bool {
	return strings.Contains(q.URL.Path, "/v2/"+q.repository()+"/")
}

// witness returns the request again, if its answer does not show that the account is
// good: what was not refused before may be public, and a token may be one that
// everybody gets (Harbor issues one for a wrong password).
func (in *signIn) witness() *Request {
	if in.learned && (in.account.Password == "" || in.authorization.challenge.scheme == basic) {
		return nil
	}
	q := in.request // alone: the account outlives the row
	return &q
}
