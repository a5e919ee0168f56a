package registry

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/credential"
)

// transportKey is a way on which requests leave. A connection of one is never used
// for another, because each has its own rule on where it may lead.
type transportKey struct {
	foreign bool // to another origin than the registry's
	token   bool // of these, a token request
	proxied bool // by way of a proxy, to which looking names up is left
}

// transportFor returns the key of a request's transport, and the proxy if it takes
// one.
func (c *Client) transportFor(step string, req *http.Request) (transportKey, *url.URL, error) {
	proxy, err := c.pool.options.Proxy(req)
	if err != nil {
		return transportKey{}, nil, &refusal{matrix.Connect, "HTTP_PROXY is not used, because REQUEST_METHOD is set as for a CGI program: unset either"}
	}
	if proxy != nil && proxy.User != nil {
		password, _ := proxy.User.Password()
		c.secrets.AddAccount(password, basicSecret(credential.Account{Username: proxy.User.Username(), Password: password}))
	}
	foreign := !c.isOwn(req.URL)
	if !foreign {
		err = c.nameFault
	}
	return transportKey{
		foreign: foreign,
		token:   foreign && step == tokenStep,
		proxied: proxy != nil,
	}, proxy, err
}

// transport returns the transport of a key.
func (c *Client) transport(key transportKey) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.transports[key]; ok {
		return known
	}
	if c.transports == nil {
		c.transports = map[transportKey]*http.Transport{}
	}
	one := c.newTransport(key)
	if key.proxied {
		one.DialTLSContext = dialProxy(one.DialContext, c.pool.options.proxyRoots)
	}
	c.transports[key] = one
	return one
}

// closeIdle drops the connections that are kept for reuse.
func (c *Client) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, made := range c.transports {
		made.CloseIdleConnections()
	}
}

// A connection is kept this long for the next image of its registry, less
// where only few may be open.
const (
	keptTime  = 2 * time.Second
	keptConns = 256
)

// Bounds on what the transport itself takes of an answer, in bytes.
const (
	maxHeader = 64 << 10 // see maxHeaders for their number

	// Of one body that nobody has read yet (RFC 9113, section 6.9), where net/http takes
	// 4 MiB. All bodies of a connection together have its bound of 1 GiB, which they do not
	// reach: with less, bodies that wait for memory could fill it and stop the one that
	// they wait for.
	maxUnread = 128 << 10
)

// newTransport returns a new transport for a key. It is the client's own, so that
// its connections can be closed when the registry's last image is done.
// Compression is not left to the transport, because decode keeps to a body's bounds.
func (c *Client) newTransport(key transportKey) *http.Transport {
	settings := c.entry.TLS
	if key.foreign {
		// The client certificate is a credential for this registry, and
		// insecureSkipVerify applies to this registry only.
		settings.Certificate, settings.InsecureSkipVerify = nil, false
	}
	idle := c.pool.options.IdleConns
	if idle <= 0 {
		idle = keptConns
	}
	return &http.Transport{
		TLSClientConfig:        c.pool.tlsFor(settings).Clone(), // the transport adds to it
		Proxy:                  c.pool.options.Proxy,
		OnProxyConnectResponse: proxyAnswered,
		DialContext:            c.dial(key),
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           min(idle, 16),
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        max(keptTime*time.Duration(idle)/keptConns, 50*time.Millisecond),
		MaxResponseHeaderBytes: maxHeader,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxUnread},
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        2 << 10,
	}
}

// tlsFor returns the TLS configuration of all entries with the same settings,
// which for a company's own authority is most of them: its authorities are read
// once.
func (p *Pool) tlsFor(settings inventory.TLS) *tls.Config {
	key := keyOf(settings)
	p.mu.Lock()
	defer p.mu.Unlock()
	if config, ok := p.configs[key]; ok {
		return config
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: settings.InsecureSkipVerify, //nolint:gosec // the inventory asks for it by name
	}
	if len(settings.CA) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM(settings.CA)
		config.RootCAs = roots
	}
	if settings.Certificate != nil {
		config.Certificates = []tls.Certificate{*settings.Certificate}
	}
	p.configs[key] = config
	return config
}

// keyOf is the same for settings that make the same connections.
func keyOf(settings inventory.TLS) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%t %d ", settings.InsecureSkipVerify, len(settings.CA))
	h.Write(settings.CA)
	if settings.Certificate != nil {
		for _, der := range settings.Certificate.Certificate {
			h.Write(der)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
