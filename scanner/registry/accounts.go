package registry

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/credential"
)

// accounts finds the accounts of one entry, each once.
type accounts struct {
	client *Client
	flight singleflight.Group

	mu   sync.Mutex
	held map[string]*account // by the key of its source; nil where there is none
}

// key tells the accounts of one entry apart: the files can have one for each
// namespace. It is "" if there is one for all.
func (a *accounts) key(repository string) string {
	source, err := a.source(repository)
	if err != nil {
		return "" // the error is that of get, once an account is needed
	}
	return source.Key()
}

// source is where the account for a repository comes from, unless the inventory
// itself holds it.
func (a *accounts) source(repository string) (credential.Source, error) {
	auth, host := a.client.entry.Auth, a.client.entry.URL.Host
	switch {
	case auth.Anonymous, auth.Username != "", auth.Token != "", auth.IdentityToken != "":
		return credential.Source{}, nil
	case auth.DockerConfig != nil:
		return auth.DockerConfig.Locate(host, repository), nil
	case auth.Helper != "":
		return credential.Helper(auth.Helper, host), nil
	}
	return a.client.pool.files.Locate(host, repository)
}

// get returns the account for a repository, nil if there is none. A helper or file
// that fails is a refusal of kind credentials.
func (a *accounts) get(ctx context.Context, repository string) (*account, error) {
	key := a.key(repository)
	a.mu.Lock()
	held, found := a.held[key]
	a.mu.Unlock()
	if found {
		return held, nil
	}
	looked := a.flight.DoChan(key, func() (any, error) {
		// The look-up outlives the row that asked first, because others wait for it,
		// but not the scan: Close ends it and waits for that.
		life, done, err := a.client.pool.outlive()
		if err != nil {
			return nil, err
		}
		defer done()
		return a.find(life, repository)
	})
	defer idleAfter(ctx, ownStall)()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-looked:
		if result.Err != nil {
			return nil, &refusal{matrix.Credentials, result.Err.Error()}
		}
		return a.keep(key, result.Val.(credential.Account)), nil
	}
}

// keep makes secrets of an account's secrets and remembers it.
func (a *accounts) keep(key string, found credential.Account) *account {
	a.client.redactor.add(found.Password, found.IdentityToken, found.RegistryToken)
	a.mu.Lock()
	defer a.mu.Unlock()
	if held, ok := a.held[key]; ok {
		return held
	}
	var held *account
	if !found.IsZero() {
		held = a.client.pool.account(a.client.origin, found)
	}
	a.held[key] = held
	return held
}

// find looks the account up: in the inventory, or else at its source.
func (a *accounts) find(ctx context.Context, repository string) (credential.Account, error) {
	auth := a.client.entry.Auth
	held := credential.Account{
		Username:      auth.Username,
		Password:      auth.Password.Reveal(),
		IdentityToken: auth.IdentityToken.Reveal(),
		RegistryToken: auth.Token.Reveal(),
	}
	if !held.IsZero() {
		return held, nil
	}
	source, err := a.source(repository)
	if err != nil {
		return credential.Account{}, err
	}
	return source.Account(ctx)
}
