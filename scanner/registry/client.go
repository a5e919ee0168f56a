// Package registry is the HTTP client of one registry: transport, challenge
// and token flow, rate limit, retries, redirect policy and body bounds. It
// knows nothing of referrers; scanner/probe asks, this package answers with
// what was on the wire, and records every exchange without secrets.
package registry

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
	"refmatrix/scanner/registry/credential"
	"refmatrix/scanner/registry/redact"
)

// Options are what all registries of a scan share.
type Options struct {
	UserAgent string
	Rate      float64       // requests per second over all registries; 0 = unlimited
	Timeout   time.Duration // of one request, instead of the inventory's; 0 = the inventory's
	IdleConns int           // connections kept for reuse, over all registries; 0 = 256
	Bodies    bool          // the beginning of each error body is kept with its exchange

	Resolver *net.Resolver                         // nil = the system's
	Proxy    func(*http.Request) (*url.URL, error) // of a request, nil for none; nil = http.ProxyFromEnvironment

	proxyRoots *x509.CertPool // of proxies that are reached over TLS; nil = the system's
}

// Pool makes clients that share one global rate, the authorities they trust, what
// is known of accounts, the secrets of these, and one look at the files with accounts.
type Pool struct {
	options  Options
	global   *rate.Limiter
	memory   *memory
	secrets  *redact.Shared
	files    *credential.Files
	life     context.Context // of look-ups that no row waits for any more
	end      context.CancelFunc
	outlived sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	configs map[[sha256.Size]byte]*tls.Config // by TLS settings
	clients map[*Client]bool                  // not closed yet
	known   map[accountKey]*account
}

// NewPool returns a Pool; Close it when the scan is over.
func NewPool(options Options) *Pool {
	if options.Proxy == nil {
		options.Proxy = http.ProxyFromEnvironment
	}
	life, end := context.WithCancel(context.Background())
	return &Pool{
		options: options,
		global:  newLimiter(options.Rate, 1),
		memory:  newMemory(),
		secrets: redact.NewShared(),
		files:   credential.NewFiles(),
		life:    life,
		end:     end,
		configs: map[[sha256.Size]byte]*tls.Config{},
		clients: map[*Client]bool{},
		known:   map[accountKey]*account{},
	}
}

// AddSecrets makes the secrets of the entries known to all clients, before any is sent: a
// registry may know from an earlier scan what another one was sent. They are those that the
// entries hold and those that files hold for their images. What a credential helper knows is
// added when it is looked up.
func (p *Pool) AddSecrets(entries []inventory.Registry) {
	for i := range entries {
		entry := &entries[i]
		p.secrets.AddAccount(secretsOf(entry.Auth)...)
		for _, image := range entry.Images {
			source, err := p.source(entry, image.Repository)
			if err != nil {
				continue // it is reported when the account is needed
			}
			found := source.FileAccount()
			p.secrets.AddAccount(found.Password, found.IdentityToken, found.RegistryToken)
		}
	}
}

// secretsOf returns the secrets that an entry itself holds.
func secretsOf(auth inventory.Auth) []string {
	return []string{auth.Password.Reveal(), auth.Token.Reveal(), auth.IdentityToken.Reveal()}
}

// Close ends what outlived its row, credential helpers that is, and drops the
// connections that are kept for reuse.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.outlived.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.clients {
		c.closeIdle()
	}
}

// outlive returns the context of work that may outlive its row. done has to be
// called when that is over.
func (p *Pool) outlive() (life context.Context, done func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, context.Canceled
	}
	p.outlived.Add(1)
	return p.life, p.outlived.Done, nil
}

// Client talks to one entry of the inventory. Two entries never share tokens
// or credentials, even if they name the same host.
type Client struct {
	entry          inventory.Registry
	origin         address.Origin
	timeout        time.Duration
	pool           *Pool
	accounts       *accounts
	authorizations *authorizations
	token          *authorization // of the inventory, sent with every request; nil if it names none
	version        *Once[version]
	slots          *semaphore.Weighted
	secrets        *redact.Set
	pace           *pace
	evidence       evidence
	pulls          pulls

	nameFault error // why nothing is requested under the registry's name; usually nil

	dialledLoopback, dialledElsewhere atomic.Bool // addresses of the registry itself

	mu         sync.Mutex
	transports map[transportKey]*http.Transport // made when they are first needed
}

// Client returns the client of one inventory entry.
func (p *Pool) Client(entry inventory.Registry) *Client {
	secrets := p.secrets.NewSet()
	c := &Client{
		entry:          entry,
		origin:         address.OriginOf(entry.URL),
		timeout:        entry.Timeout,
		pool:           p,
		authorizations: newAuthorizations(secrets),
		version:        NewOnce[version](maxLogins),
		slots:          semaphore.NewWeighted(int64(max(entry.Concurrency, 1))),
		secrets:        secrets,
		pace:           newPace(entry.Rate, entry.Burst),
	}
	if p.options.Timeout > 0 {
		c.timeout = p.options.Timeout
	}
	c.secrets.AddAccount(secretsOf(entry.Auth)...)
	c.nameFault = admitName(entry.URL.Hostname())
	c.accounts = &accounts{client: c, found: map[string]lookUp{}}
	if token := entry.Auth.Token.Reveal(); token != "" {
		c.token = &authorization{
			header:  "Bearer " + token,
			account: p.account(c.origin, credential.Account{RegistryToken: token}),
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[c] = true
	return c
}

// isOwn reports whether u is on the registry's own origin.
func (c *Client) isOwn(u *url.URL) bool { return address.OriginOf(u) == c.origin }

// Close drops the connections that are kept for reuse. Call it after the last
// request.
func (c *Client) Close() {
	c.closeIdle()
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	delete(c.pool.clients, c)
}

// Entry is the inventory entry that c talks to.
func (c *Client) Entry() inventory.Registry { return c.entry }

// URL joins the registry's base with a path under /v2/, which is taken as it
// stands: callers pass repository names and references of the inventory's
// grammar, and validated digests.
func (c *Client) URL(path string) *url.URL {
	u := *c.entry.URL
	u.Path += "/v2/" + path
	u.RawPath = ""
	return &u
}

// Clean makes a string from the wire fit for a report: secrets of this registry, and
// long ones of others, become ***, what is not printable is escaped, and it is cut at
// a bound.
func (c *Client) Clean(s string) string { return printable(c.secrets.Redact(s), maxText) }
