package registry

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"refmatrix/matrix/verdict"
)

// Where a registry has named the realm of its tokens, the first request of another repository
// has its token before it is sent, instead of being refused first. That the realm is the same
// there is an assumption: if the request is refused, the challenge of an unsigned one decides.
// This costs no request more than to send it unsigned first, unless the repository is open to
// everybody, which is not assumed any more once one was.

// ahead is a request that got its token before the registry asked for one.
type ahead struct {
	challenge *challenge // that another repository's unsigned request met
	err       error      // of the token service; nil = the request is signed
	failed    bool       // what err comes from is not an answer that holds
}

// authorizeAhead requests a token for the first request of a repository, if the registry has
// named a realm to another one and accepted the account there. The error is that of ctx.
func (in *signIn) authorizeAhead(ctx context.Context) error {
	q := &in.request
	met := in.session.client.authorizations.realm(in.flight.key.account)
	if met == nil || !in.flight.leads || !isRead(q.Method) || !q.ofRepository() {
		return nil
	}
	signed, err := in.authorize(ctx, met)
	switch {
	case ctx.Err() != nil, errors.Is(err, errNoTurn):
		return err
	case errors.Is(err, errNotSent):
		in.unsign()
		return nil
	}
	in.authorization = signed
	in.ahead = &ahead{
		challenge: met,
		err:       err,
		failed:    err != nil && !in.session.lastAnswered(),
	}
	return nil
}

// unsign makes the request one that is not signed, so that its answer shows nothing of an
// account.
func (in *signIn) unsign() { in.authorization, in.account, in.sent = nil, nil, false }

// sendFirst sends the request, signed ahead or not at all. stands is false if the answer is
// yet to be decided on. What was signed ahead and is refused is sent unsigned: if that meets
// the same challenge, or is refused in the same way without one, the refusal stands, because
// meeting the challenge again would change nothing.
func (in *signIn) sendFirst(ctx context.Context) (got *answer, stands bool, err error) {
	realms := in.session.client.authorizations
	if in.ahead == nil {
		got, err = in.send(ctx)
		if err == nil && in.showsOpen(got) {
			realms.forgetRealm(in.flight.key.account)
		}
		return got, false, err
	}
	var refused *answer
	if in.ahead.err == nil {
		if refused, err = in.send(ctx); err != nil || !mayRefuseToken(refused.status) {
			return refused, true, err
		}
	}
	signed := *in
	in.session.release() // the body of a refusal has MaxError at the most
	in.unsign()
	in.ahead = nil
	got, err = in.send(ctx)
	switch {
	case err == nil && !in.session.client.meets(got, signed.ahead.challenge) && !sameRefusal(got, refused):
		if !ofTheMoment(got.status) {
			realms.forgetRealm(in.flight.key.account)
		}
		return got, false, nil
	case err != nil && refused != nil:
		return got, true, err
	}
	in.ahead, in.authorization, in.account, in.sent = signed.ahead, signed.authorization, signed.account, signed.sent
	return refused, true, in.ahead.err
}

// mayRefuseToken reports whether a status may come because the token is of another realm than
// the repository's, or because the repository wants none: 401 or 403, 404 of registries that
// hide what is private, 400 of storage that does not know the scheme.
func mayRefuseToken(status int) bool { return status >= 400 && status < 500 && !ofTheMoment(status) }

// sameRefusal reports whether an unsigned request was refused as the signed one was, and
// named no realm.
func sameRefusal(unsigned, signed *answer) bool {
	return signed != nil && unsigned.status == signed.status && unsigned.status != http.StatusUnauthorized
}

// ofTheMoment reports whether a status is of the moment, and shows nothing of a realm.
func ofTheMoment(status int) bool { return IsTransient(status) || verdict.IsServerError(status) }

// showsOpen reports whether a repository was read by a request that nobody signed.
func (in *signIn) showsOpen(got *answer) bool {
	q := &in.request
	return in.authorization == nil && !q.UnsignedFirst && got.status < 300 && isRead(q.Method) && q.ofRepository() &&
		in.session.client.isOwn(q.URL)
}

// meets reports whether an answer has a challenge that is met as another one is.
func (c *Client) meets(got *answer, other *challenge) bool {
	met := c.usable(got)
	return got.status == http.StatusUnauthorized && met != nil && met.scheme == other.scheme &&
		maps.Equal(met.parameters, other.parameters)
}

// realm returns the challenge that the first request of another repository with the account
// would meet, or nil if that is not known.
func (as *authorizations) realm(account string) *challenge {
	as.mu.Lock()
	defer as.mu.Unlock()
	return as.realms[account]
}

// keepRealm keeps the challenge of a token that the registry accepted, if it came to an
// unsigned request: to a signed one a registry may name another (Harbor, nvcr.io). Of several
// the first is kept. The caller holds the lock.
func (as *authorizations) keepRealm(account string, met *challenge) {
	if _, known := as.realms[account]; !known && met.unsigned {
		as.realms[account] = met
	}
}

// forgetRealm makes every request of the account be sent unsigned first from now on, because
// the registry's repositories do not have one realm.
func (as *authorizations) forgetRealm(account string) {
	as.mu.Lock()
	defer as.mu.Unlock()
	as.realms[account] = nil
}
