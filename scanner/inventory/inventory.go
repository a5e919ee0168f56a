// Package inventory reads the list of registries to probe: it loads, expands
// variables, validates and lists every fault with its file, line and key.
package inventory

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/credential"
)

// Inventory is a valid inventory: everything in it can be used unchanged.
type Inventory struct {
	Registries []Registry
	Warnings   []string // not faults, but worth a line on stderr
	Path       string   // the file's name as messages print it

	// Whole is all entries of the file, also those that are not in Registries because a part
	// was chosen: a registry may repeat a secret of any of them.
	Whole []Registry

	inline bool // a secret stands in the file itself
}

// ImageCount is how many images the inventory names, over all registries.
func (inv *Inventory) ImageCount() int {
	n := 0
	for i := range inv.Registries {
		n += len(inv.Registries[i].Images)
	}
	return n
}

// Registry is one entry, defaults merged in.
type Registry struct {
	Name        string
	URL         *url.URL // scheme set, base path kept, no slash at the end
	Images      []Image
	NoImages    bool    // images was left out: Images is DefaultImage alone
	Rate        float64 // requests per second, 0 = unlimited
	Burst       int
	Concurrency int           // requests in flight
	Timeout     time.Duration // of one request, body included
	Retries     int
	RetryCap    time.Duration // the most that a row waits for what Retry-After asks; 0 = not at all, backoff only
	Auth        Auth
	TLS         TLS
	Labels      map[string]string
	Expect      string            // a strategy or a support word, "" for none
	Require     []matrix.LinkKind // kinds that every image must have; empty = none
	LeavePulls  int               // no counted GET is sent where fewer pulls are left; 0 = no bound
	WriteProbe  *WriteProbe
	Line        int // of the entry in its file
}

// Auth is how to sign in. The zero value means the docker config.
type Auth struct {
	Username      string
	Password      Secret
	Token         Secret // a registry bearer token
	IdentityToken Secret // an OAuth2 refresh token
	Helper        string // the NAME of a docker-credential-NAME program
	DockerConfig  *credential.Config
	Anonymous     bool
	Realms        []string // the only hosts that may be asked for a token; empty = any that is safe
}

// TLS is how to meet an https registry. The zero value trusts the system.
type TLS struct {
	CA                 []byte // PEM bundle beside the system's, read from CAFile
	CAFile             string
	Certificate        *tls.Certificate // for the client, from CertFile and KeyFile
	CertFile, KeyFile  string
	InsecureSkipVerify bool
}

// WriteProbe names the repository that the write probe may push to.
type WriteProbe struct{ Repository string }

// Secret is text that never prints itself; Reveal is for whoever sends it.
type Secret string

const hidden = "***"

// Reveal returns the secret's text.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer without the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format implements fmt.Formatter, so that no verb prints the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText implements encoding.TextMarshaler without the secret; JSON and
// log handlers use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Select cuts the inventory to the registries whose name matches one of the
// globs (all, where there are none) and whose labels match every selector:
// key=value, key!=value, or key for any value. An error says that a pattern
// is malformed or that nothing is left.
func (inv *Inventory) Select(only, selectors []string) error {
	if len(only) == 0 && len(selectors) == 0 {
		return nil
	}
	for _, glob := range only {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--only %q: not a glob: %w", glob, err)
		}
	}
	kept := slices.DeleteFunc(slices.Clone(inv.Registries), func(r Registry) bool {
		return !nameMatches(r.Name, only) || !labelsMatch(r.Labels, selectors)
	})
	if len(kept) == 0 {
		return fmt.Errorf("%s: no registry matches %s: check --only and --selector",
			inv.Path, strings.Join(append(slices.Clone(only), selectors...), " "))
	}
	inv.Registries = kept
	return nil
}

func nameMatches(name string, globs []string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool {
		// A glob's * stops at a slash; a registry's default name may hold one.
		ok, _ := path.Match(strings.ReplaceAll(glob, "/", "|"), strings.ReplaceAll(name, "/", "|"))
		return ok
	})
}

func labelsMatch(labels map[string]string, selectors []string) bool {
	for _, selector := range selectors {
		key, value, valued := strings.Cut(selector, "=")
		if negated, ok := strings.CutSuffix(key, "!"); ok && valued {
			if labels[negated] == value {
				return false
			}
			continue
		}
		have, ok := labels[key]
		if !ok || valued && have != value {
			return false
		}
	}
	return true
}
