package registry

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/credential"
)

// accounts finds the accounts of one entry, each once.
type accounts struct {
	client *Client
	flight singleflight.Group

	mu    sync.Mutex
	found map[string]lookUp // by the key of its source
}

// lookUp is what came of looking for an account.
type lookUp struct {
	account *account // nil if nothing was found
	err     error    // of a helper or file
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
	return a.client.pool.source(&a.client.entry, repository)
}

// source is where the account of an entry for a repository comes from, as of accounts.
func (p *Pool) source(entry *inventory.Registry, repository string) (credential.Source, error) {
	auth, host := entry.Auth, entry.URL.Host
	switch {
	case auth.Anonymous, auth.Username != "", auth.Token != "", auth.IdentityToken != "":
		return credential.Source{}, nil
	case auth.DockerConfig != nil:
		return auth.DockerConfig.Locate(host, repository), nil
	case auth.Helper != "":
		return credential.Helper(auth.Helper, host), nil
	}
	return p.files.Locate(host, repository)
}

// get returns the account for a repository, or nil without one. A helper or file
// that fails is a refusal of kind credentials.
func (a *accounts) get(ctx context.Context, repository string) (*account, error) {
	key := a.key(repository)
	a.mu.Lock()
	known, ok := a.found[key]
	a.mu.Unlock()
	if ok {
		return known.account, known.err
	}
	looked := a.flight.DoChan(key, func() (any, error) {
		// The look-up outlives the row that asked first, because others wait for it,
		// but not the scan: Close ends it and waits for that.
		life, done, err := a.client.pool.outlive()
		if err != nil {
			return lookUp{err: err}, nil
		}
		defer done()
		return a.keep(key, a.find(life, repository)), nil
	})
	defer idleAfter(ctx, ownStall)()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-looked:
		found := result.Val.(lookUp)
		return found.account, found.err
	}
}

// keep remembers what came of a look-up.
func (a *accounts) keep(key string, found lookUp) lookUp {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.found[key] = found
	return found
}

// find looks the account up: in the inventory, or else at its source. Its secrets
// are redacted from now on.
func (a *accounts) find(ctx context.Context, repository string) lookUp {
	auth := a.client.entry.Auth
	found := credential.Account{
		Username:      auth.Username,
		Password:      auth.Password.Reveal(),
		IdentityToken: auth.IdentityToken.Reveal(),
		RegistryToken: auth.Token.Reveal(),
	}
	if found.IsZero() {
		source, err := a.source(repository)
		if err == nil {
			found, err = source.Account(ctx)
		}
		if err != nil {
			return lookUp{err: &refusal{matrix.Credentials, err.Error()}}
		}
	}
	if found.IsZero() {
		return lookUp{}
	}
	a.client.secrets.AddAccount(found.Password, found.IdentityToken, found.RegistryToken)
	return lookUp{account: a.client.pool.account(a.client.origin, found)}
}
