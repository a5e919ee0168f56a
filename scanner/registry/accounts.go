package registry

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
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
	source  string   // that has it, or where was looked
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
	from := ownSource(auth)
	if found.IsZero() {
		source, err := a.source(repository)
		if err == nil {
			found, from, err = source.Account(ctx)
		}
		if err != nil {
			return lookUp{err: &refusal{matrix.Credentials, err.Error()}}
		}
	}
	if found.IsZero() {
		return lookUp{source: from}
	}
	a.client.secrets.AddAccount(found.Password, found.IdentityToken, found.RegistryToken)
	return lookUp{source: from, account: a.client.pool.account(a.client.origin, found)}
}

// ownSource names what the inventory itself says of the account, "" if that is elsewhere.
func ownSource(auth inventory.Auth) string {
	switch {
	case auth.Anonymous:
		return "anonymous"
	case auth.Username != "", auth.Token != "", auth.IdentityToken != "":
		return "inventory"
	}
	return ""
}

// Credentials returns where the account for a repository comes from. A helper that was not
// run is taken to know one. The zero value means that a file cannot be read.
func (c *Client) Credentials(repository string) verdict.Credentials {
	if own := ownSource(c.entry.Auth); own != "" {
		return verdict.Credentials{Source: own}
	}
	a := c.accounts
	source, err := a.source(repository)
	if err != nil {
		return verdict.Credentials{}
	}
	name := source.Name()
	a.mu.Lock()
	known, looked := a.found[source.Key()]
	a.mu.Unlock()
	switch {
	case looked && known.account != nil:
		return verdict.Credentials{Source: known.source}
	case looked && known.err == nil, name == credential.NoSource:
		return verdict.Credentials{Source: credential.NoSource, Looked: c.lookedIn(name)}
	}
	return verdict.Credentials{Source: name}
}

// lookedIn returns where an account was looked for in vain.
func (c *Client) lookedIn(source string) string {
	files := "$REGISTRY_AUTH_FILE and the docker config"
	switch {
	case c.entry.Auth.DockerConfig != nil:
		return "the file of dockerConfig:"
	case c.entry.Auth.Helper != "":
		return source
	case source != credential.NoSource:
		return source + ", " + files
	}
	return files
}
