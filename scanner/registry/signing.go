package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry/credential"
)

// signing is how one request is signed: with what, and what its answer says of
// the account.
type signing struct {
	session *Session
	request Request
	turn    *turn

	authorization *authorization // what the request is signed with; nil = nothing
	learned       bool           // for this request, so that a refusal of it stands
	account       *account       // that was sent, or that was not because it is refused
	release       func()         // ends the trial of the account
}

// sign waits until the request may go out, and signs it with what earlier requests
// learned.
func (s *Session) sign(ctx context.Context, q Request) (*signing, error) {
	c := s.client
	key := signInKey{account: c.accounts.key(q.repository()), scope: q.Scope}
	turn, known, err := c.signIn.enter(ctx, key)
	if err != nil {
		return nil, err
	}
	in := &signing{session: s, request: q, turn: turn, release: func() {}}
	if c.token != nil {
		known = c.token
	}
	if known == nil {
		return in, nil
	}
	return in, in.use(ctx, known)
}

// end keeps what was learned, unless the registry refused it, and lets the
// requests go on that wait.
func (in *signing) end() {
	in.release()
	learned := in.authorization
	if learned != nil && (learned.challenge == nil || learned.account.refused() || !learned.account.settled()) {
		learned = nil
	}
	in.turn.leave(learned)
}

// use signs the request with known, unless its account is refused.
func (in *signing) use(ctx context.Context, known *authorization) error {
	err := in.try(ctx, known.account)
	if errors.Is(err, errAccountRefused) {
		return nil
	}
	in.authorization = known
	return err
}

// try waits until the account may be sent. The error is errAccountRefused if the
// scan knows that the registry refuses it.
func (in *signing) try(ctx context.Context, a *account) (err error) {
	if a == nil {
		return nil
	}
	in.release()
	in.account = a
	in.release, err = a.enter(ctx)
	return err
}

// meet decides on the answer: whether the request is sent again, signed otherwise.
// The error is a refusal, ours or the token service's.
func (in *signing) meet(ctx context.Context, got *answer) (again bool, err error) {
	met, err := in.challenge(ctx, got)
	if err != nil || met == nil {
		return false, err
	}
	known, err := in.turn.lead(ctx, in.authorization)
	if err == nil && known != nil {
		err = in.try(ctx, known.account)
	} else if err == nil {
		known, err = in.authorize(ctx, met)
	}
	if errors.Is(err, errAccountRefused) {
		return false, nil
	}
	if err != nil || known == nil {
		return false, err
	}
	in.learned, in.authorization = true, known
	return true, nil
}

// challenge returns the challenge to meet, or nil if the answer stands.
func (in *signing) challenge(ctx context.Context, got *answer) (*challenge, error) {
	c, used := in.session.client, in.authorization
	switch {
	case in.learned:
	case got.status == http.StatusUnauthorized && used == nil:
		return c.usable(got), nil
	case got.status == http.StatusUnauthorized && used.challenge != nil && used.challenge.scheme == bearer:
		// The token has expired. What the registry names to a signed request can be
		// something else than it named to an unsigned one (Harbor, nvcr.io).
		return used.challenge, nil
	case used == nil && in.request.Hidden && c.hides(got):
		if a, err := c.accounts.get(ctx, in.request.repository()); a != nil && err == nil {
			return in.session.versionChallenge(ctx)
		}
		return nil, ctx.Err() // without an account at hand the answer stands
	}
	return nil, nil
}

// hides reports whether an answer may stand for a manifest that the registry hides
// from those who did not sign in.
func (c *Client) hides(got *answer) bool {
	refused := got.status == http.StatusForbidden || got.status == http.StatusNotFound
	return refused && got.header.Get("Www-Authenticate") == "" && c.isOwn(got.url)
}

// authorize meets a challenge with the account of the request's repository. It
// returns nil if there is none, and Basic wants one.
func (in *signing) authorize(ctx context.Context, met *challenge) (*authorization, error) {
	a, err := in.session.client.accounts.get(ctx, in.request.repository())
	if err != nil {
		return nil, err
	}
	if err := in.try(ctx, a); err != nil {
		return nil, err
	}
	return in.session.authorize(ctx, met, a, in.request.Scope)
}

// authorize meets a challenge of the registry's own origin: Basic with the account,
// Bearer with a token for scope. It returns nil if Basic wants an account and a is
// nil or a token.
func (s *Session) authorize(ctx context.Context, met *challenge, a *account, scope string) (*authorization, error) {
	c := s.client
	var sent credential.Account
	if a != nil {
		sent = a.Account
	}
	if met.scheme == basic {
		if sent.Username == "" && sent.Password == "" {
			return nil, nil
		}
		if err := c.admitBasic(); err != nil {
			return nil, err
		}
		secret := base64.StdEncoding.EncodeToString([]byte(sent.Username + ":" + sent.Password))
		return c.newAuthorization("Basic", secret, met, a)
	}
	if err := c.admitRealm(met.parameters["realm"]); err != nil {
		return nil, err
	}
	token, err := s.token(ctx, met, sent, scope)
	if err != nil {
		return nil, err
	}
	return c.newAuthorization("Bearer", token, met, a)
}

// judge notes what an answer says of the account, in resp for this row and in the
// account for those that come later.
func (in *signing) judge(ctx context.Context, resp *Response) {
	a, own := in.account, resp.URL == nil || in.session.client.isOwn(resp.URL)
	switch {
	case a == nil:
	case in.authorization == nil && !resp.Token:
		// The account was not sent, so this is the answer to those who send none.
		if a.refused() {
			resp.Account = verdict.AccountRefused
		}
	case resp.Fault != nil:
		a.unproven()
	case resp.Token && isRefusal(resp.Status), own && resp.Status == http.StatusUnauthorized:
		resp.Account = in.refusedAccount(ctx)
	case !own, resp.Status < 400, resp.Status == http.StatusNotFound && !resp.Token:
		// An answer on another origin came because the registry redirected there.
		a.accepted()
		resp.Account = verdict.AccountAccepted
	default:
		a.unproven()
		resp.Account = verdict.AccountSent
	}
}

// isRefusal reports whether a status of the token service refuses an account, and
// not the moment or the request as such.
func isRefusal(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusBadRequest
}
