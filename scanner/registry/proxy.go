package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"refmatrix/matrix"
)

// CheckProxies returns an error if a variable of the environment that should name
// a proxy does not. net/http ignores such a variable and connects directly, which
// the network may not allow or may not be meant to see. The error does not repeat
// the value, because it may hold a password.
func CheckProxies(getenv func(string) string) error {
	var faults []error
	for _, names := range [][]string{{"HTTP_PROXY", "http_proxy"}, {"HTTPS_PROXY", "https_proxy"}} {
		for _, name := range names {
			value := getenv(name)
			if value == "" {
				continue
			}
			if wrong := proxyObjection(value); wrong != "" {
				faults = append(faults, fmt.Errorf("%s %s: write http://HOST:PORT, or https, socks5 or socks5h instead of http, "+
					"and percent-encode what is special in a user or password", name, wrong))
			}
			break // the second spelling is not read then
		}
	}
	return errors.Join(faults...)
}

// proxyObjection says what is wrong with the value of a proxy variable, or "" if
// nothing is. What it accepts net/http reads the same way, a value without a
// scheme as one with http:// before it.
func proxyObjection(value string) string {
	proxy, err := url.Parse(value)
	if !strings.Contains(value, "://") && (err != nil || proxy.Scheme == "" || proxy.Host == "") {
		proxy, err = url.Parse("http://" + value)
	}
	switch {
	case err != nil:
		return "is not the address of a proxy"
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme):
		return "has a scheme that no proxy has"
	case proxy.Hostname() == "":
		return "names no host"
	case strings.HasSuffix(proxy.Host, ":"):
		return "names no port after the colon"
	case proxy.Port() != "" && !isPort(proxy.Port()):
		return "has a port that is not a number from 1 to 65535"
	}
	return ""
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// hostOf returns the host and port of a proxy, "" for none.
func hostOf(proxy *url.URL) string {
	if proxy == nil {
		return ""
	}
	return proxy.Host
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialProxy returns the dial to a proxy over TLS, which is the only dial that
// net/http calls a DialTLSContext for if there is a proxy. What is in an entry's
// tls: is for a registry, so that the proxy is held to roots (nil = the system's)
// and sees no client certificate. It is offered no protocol by ALPN, because
// net/http speaks HTTP/1.1 to a proxy.
func dialProxy(dial dialFunc, roots *x509.CertPool) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(conn, &tls.Config{
			MinVersion: tls.VersionTLS12,
			ServerName: host,
			RootCAs:    roots,
		})
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, &proxyFault{proxy: address, err: err}
		}
		return proxyConn{secured, address}, nil
	}
}

// proxyConn is a TLS connection to a proxy. A proxy that wants a client
// certificate may say so only in place of its first answer (RFC 8446, section
// 4.4.2.4), where net/http takes the alert for the registry's.
type proxyConn struct {
	*tls.Conn
	proxy string // host and port
}

// Read implements net.Conn.
func (c proxyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == "remote error" { // so crypto/tls marks them
		err = &proxyFault{proxy: c.proxy, err: err}
	}
	return n, err
}

// proxyFault is a proxy that could not be reached, or did not let us through.
type proxyFault struct {
	proxy  string // host and port
	status int    // what it answered; 0 if nothing came, and err is the reason
	err    error
}

func (p *proxyFault) Error() string {
	var untrusted *tls.CertificateVerificationError
	switch {
	case p.status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("the proxy %s answered HTTP 407: it wants other credentials than its URL in the environment holds", p.proxy)
	case p.status != 0:
		return fmt.Sprintf("the proxy %s answered HTTP %d to CONNECT", p.proxy, p.status)
	case errors.As(p.err, &untrusted):
		return fmt.Sprintf("the proxy %s cannot be reached: %v: let the system trust it, because tls: is for the registry only",
			p.proxy, p.err)
	}
	return fmt.Sprintf("the proxy %s cannot be reached: %v", p.proxy, p.err)
}

func (p *proxyFault) Unwrap() error { return p.err }

// isTransient reports whether asking again may help.
func (p *proxyFault) isTransient() bool {
	if p.status != 0 {
		return IsTransient(p.status)
	}
	return classify(p.err) != matrix.TLS
}

// proxyAnswered judges the answer to CONNECT. Without it net/http makes the
// reason phrase the error, in which a proxy may repeat its own password.
func proxyAnswered(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyFault{proxy: proxy.Host, status: resp.StatusCode}
}

// blameProxy returns the proxy's own part of what came through it: a connection
// to it that failed, or a 407 to a request in plain HTTP.
func blameProxy(proxy *url.URL, resp *http.Response, err error) error {
	var (
		fault  *proxyFault
		failed *net.OpError
	)
	switch {
	case proxy == nil:
	case errors.As(err, &fault):
		return fault
	case errors.As(err, &failed) && (failed.Op == "proxyconnect" || failed.Op == "socks connect"):
		return &proxyFault{proxy: proxy.Host, err: failed.Err}
	case err == nil && resp.StatusCode == http.StatusProxyAuthRequired:
		return &proxyFault{proxy: proxy.Host, status: resp.StatusCode}
	}
	return err
}
