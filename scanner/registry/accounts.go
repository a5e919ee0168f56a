package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"refmatrix/scanner/registry/address"
)

// accounts are the files in which docker and podman keep accounts. Each is read
// once, and only when an entry without credentials of its own needs it.
type accounts struct {
	named  func() (*authFile, error)
	docker func() (*dockerConfig, error)
}

func newAccounts() *accounts {
	return &accounts{named: sync.OnceValues(readAuthFile), docker: sync.OnceValues(readDockerConfig)}
}

// find gives the account for a repository at host, empty where there is none:
// of $REGISTRY_AUTH_FILE, which is named on purpose and so comes first, else of
// the docker config.
func (a *accounts) find(ctx context.Context, host, repository string) (auth.Credential, error) {
	named, err := a.named()
	if err != nil {
		return auth.EmptyCredential, err
	}
	found, err := named.find(ctx, host, repository)
	if err != nil || found != auth.EmptyCredential {
		return found, err
	}
	docker, err := a.docker()
	if err != nil {
		return auth.EmptyCredential, err
	}
	return docker.find(ctx, host)
}

// key tells the accounts of one host apart: repositories with the same key have
// the same account.
func (a *accounts) key(host, repository string) string {
	named, err := a.named()
	if err != nil {
		return ""
	}
	return named.key(host, repository)
}

// authFile is the file that podman, buildah and skopeo share
// (containers-auth.json(5)).
type authFile struct {
	Auths       map[string]struct{ Auth, IdentityToken string } // Auth is base64 of user:password
	CredHelpers map[string]string
}

// readAuthFile reads the file that $REGISTRY_AUTH_FILE names; one that is named
// and not there is an error.
func readAuthFile() (*authFile, error) {
	path := os.Getenv("REGISTRY_AUTH_FILE")
	file := &authFile{}
	if path == "" {
		return file, nil
	}
	content, err := os.ReadFile(path)
	if err == nil && len(content) > 0 {
		err = json.Unmarshal(content, file)
	}
	if err != nil {
		return nil, fmt.Errorf("$REGISTRY_AUTH_FILE cannot be read: %w", err)
	}
	return file, nil
}

// key is the entry for a repository: the longest of its own name and those of
// its namespaces, then the registry itself, last as older tools wrote it. It is
// empty where there is none.
func (f *authFile) key(host, repository string) string {
	registry := hubName(host)
	for name := registry + "/" + repository; ; name = name[:strings.LastIndexByte(name, '/')] {
		if _, ok := f.Auths[name]; ok {
			return name
		}
		if name == registry {
			break
		}
	}
	for _, key := range slices.Sorted(maps.Keys(f.Auths)) {
		bare := strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
		if bare != key {
			bare, _, _ = strings.Cut(bare, "/")
		}
		if hubName(bare) == registry {
			return key
		}
	}
	return ""
}

// hubName is the one name under which Docker Hub is filed here.
func hubName(host string) string { return address.CanonicalHost(host) }

func (f *authFile) find(ctx context.Context, host, repository string) (auth.Credential, error) {
	if helper := f.CredHelpers[hubName(host)]; helper != "" {
		return askHelper(ctx, helper, hubName(host))
	}
	key := f.key(host, repository)
	entry := f.Auths[key]
	account := auth.Credential{RefreshToken: entry.IdentityToken}
	if entry.Auth != "" {
		decoded, err := base64.StdEncoding.DecodeString(entry.Auth)
		user, password, ok := strings.Cut(string(decoded), ":")
		if err != nil || !ok {
			return auth.EmptyCredential, fmt.Errorf("the entry %s of $REGISTRY_AUTH_FILE is no base64 of user:password", key)
		}
		account.Username, account.Password = user, strings.Trim(password, "\x00")
	}
	return account, nil
}

// dockerConfig is $DOCKER_CONFIG/config.json or ~/.docker/config.json.
type dockerConfig struct {
	CredHelpers map[string]string
	CredsStore  string

	auths *credentials.FileStore // nil where there is no home to have a file
}

// readDockerConfig reads the file; one that is not there is empty.
func readDockerConfig() (*dockerConfig, error) {
	config := &dockerConfig{}
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return config, nil
		}
		dir = filepath.Join(home, ".docker")
	}
	path := filepath.Join(dir, "config.json")
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err == nil && len(strings.TrimSpace(string(content))) > 0 {
		err = json.Unmarshal(content, config)
	}
	if err == nil {
		config.auths, err = credentials.NewFileStore(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the docker config cannot be read: %w", err)
	}
	return config, nil
}

// find looks a registry up under the name that docker login files it under: by
// its own helper, by the helper for all, in the file.
func (d *dockerConfig) find(ctx context.Context, host string) (auth.Credential, error) {
	server := credentials.ServerAddressFromHostname(host)
	if helper := d.CredHelpers[server]; helper != "" {
		return askHelper(ctx, helper, server)
	}
	if d.CredsStore != "" {
		return askHelper(ctx, d.CredsStore, server)
	}
	if d.auths == nil {
		return auth.EmptyCredential, nil
	}
	account, err := d.auths.Get(ctx, server)
	if err != nil { // the library quotes what it could not decode
		return auth.EmptyCredential, fmt.Errorf("the entry %s of the docker config cannot be read", server)
	}
	return account, nil
}
