package registry

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// credentialSource finds the accounts of one entry, each once.
type credentialSource struct {
	client *Client
	flight singleflight.Group

	mu   sync.Mutex
	held map[string]auth.Credential // by account
}

// account tells accounts of the same registry apart: an auth file can have one
// for each namespace. It is "" where there is one for all.
func (s *credentialSource) account(ctx context.Context) string {
	if inventoryHas(s.client.entry.Auth) {
		return ""
	}
	return s.client.pool.accounts.key(s.client.entry.URL.Host, repositoryOf(ctx))
}

func inventoryHas(a inventory.Auth) bool {
	return a.Anonymous || a.Username != "" || a.Token != "" || a.IdentityToken != "" || a.Helper != ""
}

// repositoryOf is the repository that a request is about, by its token scope.
func repositoryOf(ctx context.Context) string {
	x := exchangeOf(ctx)
	if x == nil {
		return ""
	}
	name := strings.TrimPrefix(x.request.Scope, "repository:")
	if end := strings.LastIndexByte(name, ':'); end >= 0 {
		name = name[:end]
	}
	return name
}

// get is asked by the auth client after a challenge of the registry's own
// origin. A helper or file that fails is a refusal of kind credentials.
func (s *credentialSource) get(ctx context.Context, _ string) (auth.Credential, error) {
	account, repository := s.account(ctx), repositoryOf(ctx)
	s.mu.Lock()
	held, found := s.held[account]
	s.mu.Unlock()
	if found {
		return held, nil
	}
	looked := s.flight.DoChan(account, func() (any, error) {
		// The look-up outlives the row that asked first, for others wait for it,
		// but not the scan: Close ends it and waits for that.
		life, done, err := s.client.pool.outlive()
		if err != nil {
			return nil, err
		}
		defer done()
		bounded, cancel := context.WithTimeout(life, helperTimeout)
		defer cancel()
		return s.look(bounded, repository)
	})
	defer stalled(ctx, ownStall)()
	select {
	case <-ctx.Done():
		return auth.EmptyCredential, ctx.Err()
	case result := <-looked:
		if result.Err != nil {
			return auth.EmptyCredential, &refusal{matrix.Credentials, result.Err.Error()}
		}
		credential := result.Val.(auth.Credential)
		s.client.redactor.add(credential.Password, credential.AccessToken, credential.RefreshToken)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held == nil {
			s.held = map[string]auth.Credential{}
		}
		s.held[account] = credential
		return credential, nil
	}
}

func (s *credentialSource) look(ctx context.Context, repository string) (auth.Credential, error) {
	given, host := s.client.entry.Auth, s.client.entry.URL.Host
	switch {
	case given.Anonymous:
		return auth.EmptyCredential, nil
	case given.Username != "":
		return auth.Credential{Username: given.Username, Password: given.Password.Reveal()}, nil
	case given.IdentityToken != "":
		return auth.Credential{RefreshToken: given.IdentityToken.Reveal()}, nil
	case given.Helper != "":
		return askHelper(ctx, given.Helper, credentials.ServerAddressFromHostname(host))
	}
	return s.client.pool.accounts.find(ctx, host, repository)
}

// perAccount is a token cache that keeps accounts of the same registry apart:
// the auth client caches a Basic account by host alone.
type perAccount struct {
	auth.Cache
	account func(context.Context) string
}

func (c perAccount) GetScheme(ctx context.Context, registry string) (auth.Scheme, error) {
	return c.Cache.GetScheme(ctx, registry+" "+c.account(ctx))
}

func (c perAccount) GetToken(ctx context.Context, registry string, scheme auth.Scheme, key string) (string, error) {
	return c.Cache.GetToken(ctx, registry+" "+c.account(ctx), scheme, key)
}

func (c perAccount) Set(ctx context.Context, registry string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	return c.Cache.Set(ctx, registry+" "+c.account(ctx), scheme, key, fetch)
}
