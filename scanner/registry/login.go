package registry

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/semaphore"

	"refmatrix/matrix"
)

// login signs in at /v2/ as docker login does: GET /v2/, its challenge met for no
// scope, and GET /v2/ again.
func (s *Session) login(ctx context.Context, a *account) login {
	met, err := s.versionChallenge(ctx)
	if err != nil || met == nil {
		return notKnown
	}
	signed, err := s.authorize(ctx, met, a, "")
	var refused *tokenRefusal
	if errors.As(err, &refused) && isRefusal(refused.status) {
		return loginRefused
	}
	if err != nil || signed == nil {
		return notKnown
	}
	got, err := s.follow(ctx, s.versionRequest(signed), s.client.admitStep(""))
	switch {
	case err != nil || !s.client.isOwn(got.url):
	case got.status == http.StatusUnauthorized:
		return loginRefused
	case got.status < 400:
		return loginAccepted
	}
	return notKnown
}

// versionEndpoint is what GET /v2/ answers to an unsigned request, asked once.
type versionEndpoint struct {
	asking *semaphore.Weighted
	asked  bool
	met    *challenge // nil if it asks for nothing
}

// versionChallenge returns the challenge of GET /v2/, or nil if it asks for nothing
// or did not answer.
func (s *Session) versionChallenge(ctx context.Context) (*challenge, error) {
	v := &s.client.version
	if err := waitToHold(ctx, v.asking); err != nil {
		return nil, err
	}
	defer v.asking.Release(1)
	if v.asked {
		return v.met, nil
	}
	got, err := s.follow(ctx, s.versionRequest(nil), s.client.admitStep(""))
	if err != nil {
		return nil, ctx.Err()
	}
	v.asked = true
	if got.status == http.StatusUnauthorized {
		v.met = s.client.usable(got)
	}
	return v.met, nil
}

// versionRequest asks for the base of the API (distribution specification v1.1,
// "Determining Support").
func (s *Session) versionRequest(signed *authorization) outgoing {
	return s.outgoing(Request{
		Step:   matrix.LoginStep,
		Method: http.MethodGet,
		URL:    s.client.URL(""),
	}, signed)
}
