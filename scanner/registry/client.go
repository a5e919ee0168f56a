// Package registry is the HTTP client of one registry: transport, challenge
// and token flow, rate limit, retries, redirect policy and body bounds. It
// knows nothing of referrers; scanner/probe asks, this package answers with
// what was on the wire, and records every exchange without secrets.
package registry

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
	"oras.land/oras-go/v2/registry/remote/auth"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
)

// Options are what all registries of a scan share.
type Options struct {
	UserAgent string
	Rate      float64       // requests per second over all registries; 0 = unlimited
	Timeout   time.Duration // of one request, instead of the inventory's; 0 = the inventory's
	IdleConns int           // connections kept for reuse, over all registries; 0 = 256

	Resolver *net.Resolver                         // nil = the system's
	Proxy    func(*http.Request) (*url.URL, error) // of a request, nil for none; nil = http.ProxyFromEnvironment
}

// Pool makes clients that share one global rate, the addresses of names, the
// authorities they trust and one look at the files with accounts.
type Pool struct {
	options  Options
	global   *rate.Limiter
	accounts *accounts
	names    names
	life     context.Context // of look-ups that no row waits for any more
	end      context.CancelFunc
	outlived sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	configs map[[sha256.Size]byte]*tls.Config // by TLS settings
	clients map[*Client]bool                  // not closed yet
}

// NewPool returns a Pool; Close it when the scan is over.
func NewPool(options Options) *Pool {
	if options.Proxy == nil {
		options.Proxy = http.ProxyFromEnvironment
	}
	life, end := context.WithCancel(context.Background())
	return &Pool{
		options:  options,
		global:   newLimiter(options.Rate, 1),
		accounts: newAccounts(),
		names:    names{resolver: options.Resolver},
		life:     life,
		end:      end,
		configs:  map[[sha256.Size]byte]*tls.Config{},
		clients:  map[*Client]bool{},
	}
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
	entry    inventory.Registry
	origin   address.Origin
	timeout  time.Duration
	auth     *auth.Client
	bearer   string // a registry token of the inventory, sent with every request
	pool     *Pool
	slots    *semaphore.Weighted
	global   *rate.Limiter
	redactor redactor
	lead     leaders
	pace     *pace

	onLoopback atomic.Bool // every address of the registry is; known once it was dialled

	mu         sync.Mutex
	transports map[route]*http.Transport // made when they are first needed
}

// Client returns the client of one inventory entry.
func (p *Pool) Client(entry inventory.Registry) *Client {
	c := &Client{
		entry:   entry,
		origin:  address.OriginOf(entry.URL),
		timeout: entry.Timeout,
		pool:    p,
		slots:   semaphore.NewWeighted(int64(max(entry.Concurrency, 1))),
		pace:    newPace(entry.Rate, entry.Burst),
		global:  p.global,
		bearer:  entry.Auth.Token.Reveal(),
	}
	if p.options.Timeout > 0 {
		c.timeout = p.options.Timeout
	}
	c.redactor.add(entry.Auth.Password.Reveal(), entry.Auth.Token.Reveal(), entry.Auth.IdentityToken.Reveal())
	source := &credentialSource{client: c}
	c.auth = &auth.Client{
		Client:     &http.Client{Transport: &guard{client: c}, CheckRedirect: c.checkRedirect},
		Header:     http.Header{"User-Agent": {p.options.UserAgent}},
		Credential: source.get,
		Cache:      perAccount{auth.NewCache(), source.account},
		ClientID:   "refmatrix",
		// The library's own look at a realm's addresses comes before the dial and
		// lets through what does not resolve; admitRealm and admitAddresses are
		// stricter, at every hop.
		BlockedRealmPrefixes: []netip.Prefix{},
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[c] = true
	return c
}

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

// Clean makes a string from the wire fit for a report: secrets of this
// registry become ***, what is not printable is escaped, and it is cut at a
// bound.
func (c *Client) Clean(s string) string { return printable(c.redactor.redact(s), maxText) }

// leaders lets one request learn how a registry wants to be signed in to
// while the others of its kind wait, so that 64 images that start together
// cost one challenge and one token and not 64.
type leaders struct {
	mu      sync.Mutex
	bearer  bool
	settled bool                     // the first answer of the registry is in
	flights map[string]chan struct{} // by scope; "" is the registry's first request
	known   map[string]bool          // scopes that have been through the flow
}

// enter waits until a request of scope may go out. done must be called when
// its answer is in.
func (l *leaders) enter(ctx context.Context, scope string) (done func(), err error) {
	for {
		l.mu.Lock()
		key := scope
		if !l.settled {
			key = ""
		} else if !l.bearer || l.known[scope] {
			l.mu.Unlock()
			return func() {}, nil
		}
		flight, taken := l.flights[key]
		if !taken {
			break
		}
		l.mu.Unlock()
		if err := follow(ctx, flight); err != nil {
			return nil, err
		}
	}
	defer l.mu.Unlock()
	if l.flights == nil {
		l.flights, l.known = map[string]chan struct{}{}, map[string]bool{}
	}
	key := scope
	if !l.settled {
		key = ""
	}
	flight := make(chan struct{})
	l.flights[key] = flight
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.settled, l.known[scope] = true, true
		delete(l.flights, key)
		close(flight)
	}, nil
}

// follow waits for another row's flight.
func follow(ctx context.Context, flight <-chan struct{}) error {
	defer stalled(ctx, ownStall)()
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sawBearer notes that this registry hands out a token per scope.
func (l *leaders) sawBearer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bearer = true
}
