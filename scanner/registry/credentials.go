package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"refmatrix/matrix"
)

// helperTimeout bounds one run of a credential helper.
const helperTimeout = 30 * time.Second

// dockerStore is the docker config and $REGISTRY_AUTH_FILE, read once and
// only when an entry without credentials of its own is challenged.
type dockerStore struct {
	once  sync.Once
	store credentials.Store
	err   error
}

func (d *dockerStore) open() (credentials.Store, error) {
	d.once.Do(func() {
		docker, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
		if err != nil {
			d.err = fmt.Errorf("the docker config cannot be read: %w", err)
			return
		}
		d.store = docker
		// The file that podman, buildah and skopeo share; it is named on purpose,
		// so it comes first.
		if path := os.Getenv("REGISTRY_AUTH_FILE"); path != "" {
			named, err := credentials.NewStore(path, credentials.StoreOptions{})
			if err != nil {
				d.err = fmt.Errorf("$REGISTRY_AUTH_FILE cannot be read: %w", err)
				return
			}
			d.store = credentials.NewStoreWithFallbacks(named, docker)
		}
	})
	return d.store, d.err
}

// credentialSource finds the credential of one entry, once.
type credentialSource struct {
	client *Client
	docker *dockerStore
	flight singleflight.Group

	mu    sync.Mutex
	found bool
	held  auth.Credential
}

func newCredentials(c *Client, docker *dockerStore) *credentialSource {
	return &credentialSource{client: c, docker: docker}
}

// get is asked by the auth client after a challenge of the registry's own
// origin. A failing helper is a refusal of kind credentials; its output is
// not repeated, for it may hold what it should have handed over.
func (s *credentialSource) get(ctx context.Context, _ string) (auth.Credential, error) {
	s.mu.Lock()
	held, found := s.held, s.found
	s.mu.Unlock()
	if found {
		return held, nil
	}
	looked := s.flight.DoChan("", func() (any, error) {
		// The look-up outlives the row that asked first: others wait for it.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), helperTimeout)
		defer cancel()
		return s.look(bounded)
	})
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
		s.held, s.found = credential, true
		s.mu.Unlock()
		return credential, nil
	}
}

func (s *credentialSource) look(ctx context.Context) (auth.Credential, error) {
	given := s.client.entry.Auth
	switch {
	case given.Anonymous:
		return auth.EmptyCredential, nil
	case given.Username != "":
		return auth.Credential{Username: given.Username, Password: given.Password.Reveal()}, nil
	case given.Token != "":
		return auth.Credential{AccessToken: given.Token.Reveal()}, nil
	case given.IdentityToken != "":
		return auth.Credential{RefreshToken: given.IdentityToken.Reveal()}, nil
	case given.Helper != "":
		return s.ask(ctx, credentials.NewNativeStore(given.Helper), "docker-credential-"+given.Helper)
	}
	store, err := s.docker.open()
	if err != nil {
		return auth.EmptyCredential, err
	}
	return s.ask(ctx, store, "the docker config's credential helper")
}

// ask looks a registry up under the name that docker login files it under.
func (s *credentialSource) ask(ctx context.Context, store credentials.Store, name string) (auth.Credential, error) {
	address := credentials.ServerAddressFromHostname(s.client.entry.URL.Host)
	credential, err := store.Get(ctx, address)
	switch {
	case err == nil:
		return credential, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return auth.EmptyCredential, fmt.Errorf("%s did not answer within %s", name, helperTimeout)
	}
	return auth.EmptyCredential, fmt.Errorf("%s failed for %s", name, address)
}
