package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"refmatrix/scanner/registry/address"
)

// indexServer is the name under which docker login stores an account for Docker
// Hub, in its file and with its helpers.
const indexServer = "https://index.docker.io/v1/"

// kind is what the files differ in. All of them are read by one rule.
type kind struct {
	name string // as reports call the source
	text string // as messages call the file
	hub  string // the key under which the file's own tools store Docker Hub
}

var (
	authFile         = kind{"auth file", "$REGISTRY_AUTH_FILE", address.HubName}
	dockerConfig     = kind{"docker config", "the docker config", indexServer}
	dockerConfigFile = kind{"docker config file", "the docker config file", indexServer}
)

// Config is one file of accounts, parsed: a docker config, or the file that
// podman, buildah and skopeo share (containers-auth.json(5)), which has the same
// format.
type Config struct {
	kind        kind
	accounts    map[string]stored // by the key in the file
	accountKeys index
	helpers     map[string]string // by the key in the file
	helperKeys  index
	store       string // the helper for all other registries
}

// index lists the keys of each canonical name, in the order of their text.
type index map[string][]string

func newIndex[V any](of map[string]V) index {
	keys := index{}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		name := canonicalName(key)
		keys[name] = append(keys[name], key)
	}
	return keys
}

// Format implements fmt.Formatter, so that no verb prints a secret.
func (c *Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.kind.name)) }

// entry is a value of auths. The keys are those of docker's AuthConfig.
type entry struct {
	Auth          string `json:"auth"` // base64 of user:password
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// stored is a decoded entry.
type stored struct {
	account Account
	invalid bool
}

func (e entry) decode() stored {
	account := Account{
		Username:      e.Username,
		Password:      e.Password,
		IdentityToken: e.IdentityToken,
		RegistryToken: e.RegistryToken,
	}
	if e.Auth != "" { // takes precedence, as in docker
		decoded, err := base64.StdEncoding.DecodeString(e.Auth)
		user, password, ok := strings.Cut(string(decoded), ":")
		if err != nil || !ok {
			return stored{invalid: true}
		}
		account.Username, account.Password = user, strings.Trim(password, "\x00")
	}
	return stored{account: account}
}

// document is the JSON of a file.
type document struct {
	Auths       map[string]entry  `json:"auths"`
	CredHelpers map[string]string `json:"credHelpers"`
	CredsStore  string            `json:"credsStore"`
}

// parse reads a file.
func parse(content []byte, of kind) (*Config, error) {
	read, err := parseDocument(content)
	if err != nil {
		return nil, err
	}
	return newConfig(read, of), nil
}

// parseDocument reads the JSON of a file. An empty file is one without accounts.
func parseDocument(content []byte) (document, error) {
	var read document
	if len(bytes.TrimSpace(content)) == 0 {
		return read, nil
	}
	err := decode(content, &read)
	return read, err
}

// Hosts returns the hosts of the registries that a docker config names, by the key of
// each: those with an account in it, those whose account a helper keeps, and those of
// credHelpers. Docker Hub is docker.io. The error does not quote the content, because it
// may hold secrets; a key may, before an @.
func Hosts(content []byte) (map[string]string, error) {
	read, err := parseDocument(content)
	if err != nil {
		return nil, err
	}
	hosts := map[string]string{}
	add := func(key string) { hosts[key], _, _ = strings.Cut(canonicalName(key), "/") }
	for key := range read.Auths {
		add(key)
	}
	for key := range read.CredHelpers {
		add(key)
	}
	return hosts, nil
}

// decode reads JSON. The error does not quote it, because it may hold secrets.
func decode(content []byte, into any) error {
	err := json.Unmarshal(content, into)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("is not a docker config: invalid JSON at byte %d", syntax.Offset)
	case err != nil:
		return errNotDockerConfig
	}
	return nil
}

var errNotDockerConfig = errors.New("is not a docker config")

func newConfig(read document, of kind) *Config {
	accounts := map[string]stored{}
	for key, entry := range read.Auths {
		if decoded := entry.decode(); decoded != (stored{}) { // Docker Desktop writes {} for what its helper keeps
			accounts[key] = decoded
		}
	}
	return &Config{
		kind:        of,
		accounts:    accounts,
		accountKeys: newIndex(accounts),
		helpers:     read.CredHelpers,
		helperKeys:  newIndex(read.CredHelpers),
		store:       read.CredsStore,
	}
}

// ParseDockerConfig reads a docker config that holds accounts itself, as the pull
// secrets of Kubernetes do: .dockerconfigjson, or the older .dockercfg, which is
// what the former has under auths. A credential helper in it is an error, because
// it is not meant for this machine. So is an entry that cannot be decoded.
func ParseDockerConfig(content []byte) (*Config, error) {
	var read document
	if err := decode(content, &read); err != nil {
		return nil, err
	}
	switch {
	case len(read.CredHelpers) > 0:
		return nil, errors.New("has credHelpers: only auths are read here, write helper: NAME for a credential helper")
	case read.CredsStore != "":
		return nil, errors.New("has credsStore: only auths are read here, write helper: NAME for a credential helper")
	}
	isOlder := read.Auths == nil
	if isOlder {
		if err := decode(content, &read.Auths); err != nil {
			return nil, err
		}
	}
	c := newConfig(read, dockerConfigFile)
	if isOlder && len(c.accounts) == 0 { // any object of objects could be one
		return nil, errNotDockerConfig
	}
	for _, key := range slices.Sorted(maps.Keys(c.accounts)) {
		if c.accounts[key].invalid {
			return nil, fmt.Errorf("the entry %s is not base64 of user:password", printable(key))
		}
	}
	return c, nil
}

// printable returns a key for a message. What stands before an @ could be a
// password.
func printable(key string) string {
	key = key[strings.LastIndexByte(key, '@')+1:]
	if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) || len(key) > 200 {
		return strconv.Quote(fmt.Sprintf("%.200s", key))
	}
	return key
}

// canonicalName returns what a key of a file stands for, a registry or a
// namespace of one, in the spelling of lookups: without scheme, version and
// closing slash, the host in lower case, Docker Hub as docker.io.
func canonicalName(key string) string {
	rest, hasScheme := key, false
	scheme, after, found := strings.Cut(key, "://")
	if scheme = strings.ToLower(scheme); found && (scheme == "https" || scheme == "http") {
		rest, hasScheme = after, true
	}
	host, path, _ := strings.Cut(rest, "/")
	host = canonicalHost(host)
	switch path {
	case "v1/", "v2/":
		return host
	case "v1", "v2": // without a scheme it may be a namespace
		if hasScheme || host == address.HubName {
			return host
		}
	}
	return strings.TrimRight(host+"/"+path, "/")
}

func canonicalHost(host string) string { return address.CanonicalHost(strings.ToLower(host)) }

// Locate returns the source of the account for a repository at host: the longest
// namespace that has an entry, else the helper that is responsible for the host,
// else the host's own entry. repository is "" for the registry itself.
func (c *Config) Locate(host, repository string) Source {
	for path := repository; path != ""; path = path[:max(0, strings.LastIndexByte(path, '/'))] {
		if key := c.choose(c.accountKeys, host, "/"+path); key != "" {
			return Source{config: c, key: key}
		}
	}
	if helper := c.helper(host); helper != "" {
		return Source{helper: helper, server: serverName(host, c.kind.hub)}
	}
	if key := c.choose(c.accountKeys, host, ""); key != "" {
		return Source{config: c, key: key}
	}
	return Source{}
}

// choose returns the key for a namespace of host, or "". path begins with a slash,
// or is empty for the host itself. If keys in several spellings are there, the one
// that was looked up comes first, then the one that the file's own tools write,
// then the order of the text decides.
func (c *Config) choose(from index, host, path string) string {
	keys := from[canonicalHost(host)+path]
	if len(keys) == 0 {
		return ""
	}
	written := canonicalHost(host) + path
	if written == address.HubName {
		written = c.kind.hub
	}
	preferred := []string{host + path, written}
	if host == address.HubHost { // the inventory makes this host of every name of Docker Hub
		slices.Reverse(preferred)
	}
	for _, key := range preferred {
		if slices.Contains(keys, key) {
			return key
		}
	}
	return keys[0]
}

// helper returns the credential helper for host, if any. An empty name in
// credHelpers means that the host has none, as in docker.
func (c *Config) helper(host string) string {
	if key := c.choose(c.helperKeys, host, ""); key != "" {
		return c.helpers[key]
	}
	return c.store
}

// account returns the account under a key of the file.
func (c *Config) account(key string) (Account, error) {
	found := c.accounts[key]
	if found.invalid {
		return Account{}, fmt.Errorf("the entry %s of %s is not base64 of user:password", printable(key), c.kind.text)
	}
	return found.account, nil
}

// serverName returns the name under which a helper is asked for host. hub is the
// one for Docker Hub.
func serverName(host, hub string) string {
	if name := canonicalHost(host); name != address.HubName {
		return name
	}
	return hub
}
