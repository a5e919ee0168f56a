package registry

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"unicode"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/credential"
	"refmatrix/scanner/registry/redact"
)

// authorization is what the requests of one account and scope are signed with. It
// is not changed once it was made.
type authorization struct {
	header    string     // the value of Authorization
	challenge *challenge // the challenge it answers; nil for a token of the inventory
	account   *account   // the account it was made with; nil for an anonymous token
}

// newAuthorization returns the authorization of a scheme and a secret. That of an account
// is redacted from now on, and a token while a row or authorizations hold it.
func (c *Client) newAuthorization(scheme, secret string, met *challenge, account *account) (*authorization, error) {
	// net/http would refuse the header too, but as a fault of the next request.
	if strings.ContainsFunc(secret, unicode.IsControl) {
		return nil, &refusal{matrix.TokenError, "the token holds characters that no header may carry"}
	}
	if met.scheme == basic {
		c.secrets.AddAccount(secret)
	}
	return &authorization{
		header:    scheme + " " + secret,
		challenge: met,
		account:   account,
	}, nil
}

// token returns the token of a Bearer authorization.
func (a *authorization) token() string { return strings.TrimPrefix(a.header, "Bearer ") }

// size is about what the authorization takes in memory, in bytes: its token and what it
// was requested with.
func (a *authorization) size() int {
	n := len(a.header)
	if a.challenge != nil {
		for _, value := range a.challenge.parameters {
			n += len(value)
		}
	}
	return n
}

// basicSecret returns the credentials of the Basic scheme (RFC 7617, section 2).
func basicSecret(a credential.Account) string {
	return base64.StdEncoding.EncodeToString([]byte(a.Username + ":" + a.Password))
}

// authorizationKey tells authorizations apart: by the key of the account, because
// the files can have an account for each namespace, and by the token scope.
type authorizationKey struct{ account, scope string }

// authorizations are what a client has learned of how its registry wants to be
// signed in to. One request learns while the others of its account and scope wait,
// so that 64 images that start together cost one challenge and one token and not 64.
type authorizations struct {
	secrets *redact.Set // of the client

	mu            sync.Mutex
	firstAnswered bool // the first request of the client is done
	learned       map[authorizationKey]*authorization
	tokens        []authorizationKey                 // whose authorization in learned is a token, the oldest first
	bytes         int                                // of them
	basic         map[string]*authorization          // by account, for all scopes
	flights       map[authorizationKey]chan struct{} // closed when the request that learns is done
	realms        map[string]*challenge              // by account, that another repository's first request would meet; nil = there is not one for all
}

func newAuthorizations(secrets *redact.Set) *authorizations {
	return &authorizations{
		secrets: secrets,
		learned: map[authorizationKey]*authorization{},
		basic:   map[string]*authorization{},
		flights: map[authorizationKey]chan struct{}{},
		realms:  map[string]*challenge{},
	}
}

// flight is one request's part in learning an authorization.
type flight struct {
	in    *authorizations
	key   authorizationKey
	leads bool             // the others wait for what it learns
	over  authorizationKey // the key under which they wait: the zero key for the first request of the client
}

// join waits until a request of key may be sent. It returns what the request is
// signed with, or nil if that is nothing or not known yet. The flight has to be
// finished.
func (as *authorizations) join(ctx context.Context, key authorizationKey) (*flight, *authorization, error) {
	f := &flight{in: as, key: key}
	for {
		known, other := f.board()
		if other == nil {
			return f, known, nil
		}
		if err := waitFor(ctx, other); err != nil {
			return nil, nil, err
		}
	}
}

// board returns what is known, or the flight to wait for. If there is neither and
// the request has to learn it, it leads from now on.
func (f *flight) board() (known *authorization, other chan struct{}) {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	f.over = f.key
	if !f.in.firstAnswered {
		f.over = authorizationKey{}
	} else if known, ok := f.in.known(f.key); ok {
		return known, nil
	}
	if other, taken := f.in.flights[f.over]; taken {
		return nil, other
	}
	f.lead()
	return nil, nil
}

// renew makes the request the one that learns its authorization again, or for the
// first time. If another one is about to, it waits for that, once. It returns what
// was learned since the request was signed with used, or nil if the request has to
// learn it itself.
func (f *flight) renew(ctx context.Context, used *authorization) (*authorization, error) {
	if f.leads {
		return nil, nil
	}
	f.in.mu.Lock()
	other := f.in.flights[f.key]
	f.in.mu.Unlock()
	if other != nil {
		if err := waitFor(ctx, other); err != nil {
			return nil, err
		}
	}
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	if known, _ := f.in.known(f.key); known != used {
		return known, nil
	}
	if f.over = f.key; f.in.flights[f.over] == nil {
		f.lead()
	}
	return nil, nil
}

// lead makes the others wait for this request. The caller holds the lock.
func (f *flight) lead() {
	f.leads = true
	f.in.flights[f.over] = make(chan struct{})
}

// finish stores what the request learned, nil for nothing, and lets the requests go
// on that wait for it.
func (f *flight) finish(learned *authorization) {
	as := f.in
	as.mu.Lock()
	defer as.mu.Unlock()
	_, known := as.learned[f.key]
	switch {
	case learned == nil && f.leads && !known:
		as.learned[f.key] = nil // a request of this key was answered
	case learned == nil:
	case learned.challenge.scheme == basic:
		as.basic[f.key.account] = learned
	default:
		as.keep(f.key, learned)
		as.keepRealm(f.key.account, learned.challenge)
	}
	if f.leads {
		as.firstAnswered = true
		close(as.flights[f.over])
		delete(as.flights, f.over)
	}
}

// maxTokens bounds the tokens kept of one registry and their challenges, in bytes. Images
// of a repository follow each other, as a rule, so that the oldest is the one to lose.
const maxTokens = 256 << 10

// keep stores a token. The caller holds the lock.
func (as *authorizations) keep(key authorizationKey, learned *authorization) {
	as.drop(key)
	as.learned[key] = learned
	as.secrets.AddToken(learned.token())
	as.tokens, as.bytes = append(as.tokens, key), as.bytes+learned.size()
	for as.bytes > maxTokens {
		as.drop(as.tokens[0])
	}
}

// drop forgets the token of key, if there is one. The caller holds the lock.
func (as *authorizations) drop(key authorizationKey) {
	if at := slices.Index(as.tokens, key); at >= 0 {
		as.secrets.RemoveToken(as.learned[key].token())
		as.bytes -= as.learned[key].size()
		as.tokens = slices.Delete(as.tokens, at, at+1)
		delete(as.learned, key)
	}
}

// known returns the authorization of key. ok is false if no request of key was
// answered yet. The caller holds the lock.
func (as *authorizations) known(key authorizationKey) (known *authorization, ok bool) {
	if known, ok = as.learned[key]; known == nil && as.basic[key.account] != nil {
		return as.basic[key.account], true
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
