package registry

import (
	"context"
	"strings"
	"sync"
	"unicode"

	"refmatrix/matrix"
)

// authorization is what the requests of one account and scope are signed with. It
// is not changed once it was made.
type authorization struct {
	header    string     // the value of Authorization
	challenge *challenge // the one that it meets, which came to an unsigned request; nil for a token of the inventory
	account   *account   // whose it is; nil for an anonymous token
}

// newAuthorization makes the authorization of a scheme and a secret, which is
// redacted from now on.
func (c *Client) newAuthorization(scheme, secret string, met *challenge, account *account) (*authorization, error) {
	// net/http would refuse the header too, but as a fault of the next request.
	if strings.ContainsFunc(secret, unicode.IsControl) {
		return nil, &refusal{matrix.TokenError, "the token holds characters that no header may carry"}
	}
	c.redactor.add(secret)
	return &authorization{
		header:    scheme + " " + secret,
		challenge: met,
		account:   account,
	}, nil
}

// signInKey tells authorizations apart: by the key of the account, because an auth
// file can have an account for each namespace, and by the token scope.
type signInKey struct{ account, scope string }

// signIn is what a client has learned of how its registry wants to be signed in
// to. One request learns while the others of its account and scope wait, so that
// 64 images that start together cost one challenge and one token and not 64.
type signIn struct {
	mu      sync.Mutex
	settled bool // the first answer of the registry is in
	bearer  bool // the registry wants a token for each scope
	learned map[signInKey]*authorization
	basic   map[string]*authorization   // by account, for all scopes
	flights map[signInKey]chan struct{} // closed when the request that learns is done; before settled the zero key
}

func newSignIn() *signIn {
	return &signIn{
		learned: map[signInKey]*authorization{},
		basic:   map[string]*authorization{},
		flights: map[signInKey]chan struct{}{},
	}
}

// turn is the right of one request to go out.
type turn struct {
	signIn *signIn
	key    signInKey
	leads  bool // the others of flight wait for what it learns
	flight signInKey
}

// enter waits until a request of key may go out. It returns what the request is
// signed with, nil if that is nothing or not known yet. The turn has to be left.
func (s *signIn) enter(ctx context.Context, key signInKey) (*turn, *authorization, error) {
	t := &turn{signIn: s, key: key}
	for {
		s.mu.Lock()
		t.flight = key
		if !s.settled {
			t.flight = signInKey{}
		} else if known, ok := s.known(key); ok || !s.bearer {
			s.mu.Unlock()
			return t, known, nil
		}
		other, taken := s.flights[t.flight]
		if !taken {
			t.take()
			s.mu.Unlock()
			return t, nil, nil
		}
		s.mu.Unlock()
		if err := waitFor(ctx, other); err != nil {
			return nil, nil, err
		}
	}
}

// lead makes the request the one that learns the authorization of its key. If
// another request is about to, it waits for that one, once. It returns what was
// learned since the request was signed with used, or nil if the request has to
// learn it itself.
func (t *turn) lead(ctx context.Context, used *authorization) (*authorization, error) {
	if t.leads {
		return nil, nil
	}
	s := t.signIn
	s.mu.Lock()
	defer s.mu.Unlock()
	t.flight = t.key
	if other, taken := s.flights[t.flight]; taken {
		s.mu.Unlock()
		err := waitFor(ctx, other)
		s.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
	if known, _ := s.known(t.key); known != used {
		return known, nil
	}
	if _, taken := s.flights[t.flight]; !taken {
		t.take()
	}
	return nil, nil
}

// take makes the request the leader of its flight. The caller holds signIn.mu.
func (t *turn) take() {
	t.leads = true
	t.signIn.flights[t.flight] = make(chan struct{})
}

// leave keeps what the request learned, nil for nothing, and lets the requests go
// on that wait for it.
func (t *turn) leave(learned *authorization) {
	s := t.signIn
	s.mu.Lock()
	defer s.mu.Unlock()
	if learned != nil && learned.challenge.scheme == basic {
		s.basic[t.key.account] = learned
	} else if t.leads || learned != nil {
		s.bearer = s.bearer || learned != nil
		s.learned[t.key] = learned
	}
	if t.leads {
		s.settled = true
		close(s.flights[t.flight])
		delete(s.flights, t.flight)
	}
}

// known returns the authorization of key. ok is false if no request of key was
// answered yet. The caller holds s.mu.
func (s *signIn) known(key signInKey) (known *authorization, ok bool) {
	if known, ok = s.learned[key]; known == nil && s.basic[key.account] != nil {
		return s.basic[key.account], true
	}
	return known, ok
}

// waitFor waits until another request's flight is over.
func waitFor(ctx context.Context, flight <-chan struct{}) error {
	defer idleAfter(ctx, ownStall)()
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
