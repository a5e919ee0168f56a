package registry

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
)

// route is a way on which requests leave. A connection of one route is never
// used for another, for each has its own rule on where it may lead.
type route struct {
	foreign bool // to another origin than the registry's
	token   bool // of these, a token request
	proxied bool // by way of a proxy, to which looking names up is left
}

// routeOf gives the route of a request, and the proxy where it takes one.
func (c *Client) routeOf(step string, req *http.Request) (route, *url.URL, error) {
	proxy, err := c.pool.options.Proxy(req)
	if err != nil {
		return route{}, nil, &refusal{matrix.Connect, "the proxy that the environment names has no readable address"}
	}
	if proxy != nil && proxy.User != nil {
		password, _ := proxy.User.Password()
		c.redactor.add(password, base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)))
	}
	foreign := address.OriginOf(req.URL) != c.origin
	return route{foreign: foreign, token: foreign && step == tokenStep, proxied: proxy != nil}, proxy, nil
}

// hostOf is the host and port of a proxy, "" for none.
func hostOf(proxy *url.URL) string {
	if proxy == nil {
		return ""
	}
	return proxy.Host
}

// transport gives the transport of a route.
func (c *Client) transport(r route) *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if made, ok := c.transports[r]; ok {
		return made
	}
	if c.transports == nil {
		c.transports = map[route]*http.Transport{}
	}
	made := c.newTransport(r)
	c.transports[r] = made
	return made
}

// closeIdle drops the connections that are kept for reuse.
func (c *Client) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, made := range c.transports {
		made.CloseIdleConnections()
	}
}

// admissionOf is the rule on the addresses that a route may lead to.
func (c *Client) admissionOf(r route) admission {
	switch {
	case r.proxied: // the addresses are the proxy's
		return func(string, []netip.Addr) error { return nil }
	case r.foreign:
		return func(host string, addresses []netip.Addr) error { return c.admitAddresses(r, host, addresses) }
	}
	return func(_ string, addresses []netip.Addr) error {
		all := true
		for _, one := range addresses {
			all = all && address.ClassOf(one) == address.Loopback
		}
		c.onLoopback.Store(all)
		return nil
	}
}

// admitAddresses refuses to dial another origin than the registry's where one
// of its addresses is forbidden: a token request always, a redirect unless it
// stays on the loopback that the registry is on itself.
func (c *Client) admitAddresses(r route, host string, addresses []netip.Addr) error {
	for _, one := range addresses {
		class := address.ClassOf(one)
		switch {
		case class == "", class == address.Loopback && !r.token && c.onLoopback.Load():
		case r.token:
			return &refusal{matrix.AuthRefused, fmt.Sprintf("the host of the realm, %s, is on a %s address", host, class)}
		default:
			return &refusal{matrix.Redirect, fmt.Sprintf("redirect to %s, which is on a %s address", host, class)}
		}
	}
	return nil
}

// A connection is kept this long for the next image of its registry, less
// where only few may be open.
const (
	keptTime  = 2 * time.Second
	keptConns = 256
)

// newTransport makes the transport of a route. It is the client's own, so that
// its connections can be closed when the registry's last image is done.
// Compression stays off, so that a body's bound is a bound on what is unpacked,
// and a digest is one of the bytes on the wire.
func (c *Client) newTransport(r route) *http.Transport {
	settings := c.entry.TLS
	if r.foreign {
		// The certificate is the account at this registry, and what is said of
		// this registry's certificate says nothing of another's.
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
		DialContext:            c.pool.names.dial(c.admissionOf(r)),
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           min(idle, 16),
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        max(keptTime*time.Duration(idle)/keptConns, 50*time.Millisecond),
		MaxResponseHeaderBytes: 256 << 10,
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        2 << 10,
	}
}

// tlsFor gives the TLS configuration of all entries with the same settings,
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
