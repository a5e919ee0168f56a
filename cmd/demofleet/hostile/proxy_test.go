package hostile

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"refmatrix/cmd/demofleet/testca"
)

// proxyTo is a proxy that leads names, and their ports, to servers on loopback.
func proxyTo(names map[string]*server) func(*server) http.HandlerFunc {
	address := func(name string) string {
		one := names[name]
		if one == nil {
			return ""
		}
		_, hostPort, _ := strings.Cut(one.origin, "://")
		return hostPort
	}
	plain := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Host, r.Out.Host = address(r.In.URL.Host), r.In.Host
	}}
	return func(*server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodConnect && address(r.Host) != "":
				connect(w, address(r.Host))
			case r.Method != http.MethodConnect && address(r.URL.Host) != "":
				plain.ServeHTTP(w, r)
			default:
				w.WriteHeader(http.StatusBadGateway)
			}
		}
	}
}

// connect joins the connection of a CONNECT to a server.
func connect(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, stream, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, stream)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
}

// named is the TLS of a server at n that is known by name.
func named(t *testing.T, a *testca.Authority, n int, name string) *tls.Config {
	t.Helper()
	return tlsConfig(t, a, n, func(c *x509.Certificate) { c.DNSNames = []string{name} }, false)
}

// proxied is the environment of a command that has this proxy for everything, and
// trusts what is in authorities.
func proxied(proxy *server, authorities string) []string {
	address := strings.Replace(proxy.origin, "://", "://scanner:"+proxySecret+"@", 1)
	return []string{
		"HTTP_PROXY=" + address, "HTTPS_PROXY=" + address, "NO_PROXY=", "http_proxy=", "https_proxy=", "no_proxy=",
		"SSL_CERT_FILE=" + authorities, "SSL_CERT_DIR=/nonexistent",
	}
}

const proxySecret = "canary-of-the-proxy-8hX2kQ9v"

// switching is a registry that wants a token for team/app until it has one and
// Basic from then on, and Basic alone for team/other.
func switching(realm string) func(*server) http.HandlerFunc {
	return func(s *server) http.HandlerFunc {
		signed := signedIn(s, empty)
		return func(w http.ResponseWriter, r *http.Request) {
			_, _, isBasic := r.BasicAuth()
			isApp, hasToken := strings.HasPrefix(r.URL.Path, "/v2/team/app/"), r.Header.Get("Authorization") == "Bearer good"
			switch {
			case isBasic, hasToken && isApp && strings.Contains(r.URL.Path, "/manifests/"):
				signed(w, r)
			case isApp && !hasToken:
				wants(w, `Bearer realm="`+realm+`",service="x"`)
			default:
				wants(w, `Basic realm="x"`)
			}
		}
	}
}

// TestBehindATLSProxy: behind a proxy that is reached over TLS, offers HTTP/2 and
// asks for a client certificate, registries are measured, and each secret is where
// it belongs. There names are all that is known of a host: one of a metadata
// service is not asked for, and an account goes to the hosts of auth.realms only,
// whatever the registry turns to.
func TestBehindATLSProxy(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	authorities := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authorities, a.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	healthy := func(s *server) http.HandlerFunc { return signedIn(s, empty) }
	secured := serveHTTP(t, 0, named(t, a, 0, "registry.test"), healthy)
	plain := serveHTTP(t, 1, nil, healthy)
	service := serveHTTP(t, 2, named(t, a, 2, "auth.test"), func(*server) http.HandlerFunc { return issue })
	turned := serveHTTP(t, 3, named(t, a, 3, "turned.test"), switching("https://auth.test/token"))
	allowed := serveHTTP(t, 4, named(t, a, 4, "allowed.test"), switching("https://auth.test/token"))
	config := tlsConfig(t, a, 5, nil, false)
	config.NextProtos = []string{"h2", "http/1.1"}
	proxy := serveHTTP(t, 5, config, proxyTo(map[string]*server{
		"registry.test:443": secured, "plain.test": plain, "auth.test:443": service, "turned.test:443": turned, "allowed.test:443": allowed,
		"metadata.google.internal": plain, "metadata.google.internal:443": secured,
	}))

	const certificate, secret, plainSecret, turnedSecret = "canary-certificate-8hX2kQ9v", "canary-0-8hX2kQ9v", "canary-1-8hX2kQ9v", "canary-2-8hX2kQ9v"
	writeSecret(t, dir, "secret", secret)
	writeSecret(t, dir, "plain", plainSecret)
	writeSecret(t, dir, "turned", turnedSecret)
	settings := writeClientCertificate(t, a, dir, "client", certificate)
	rows, shown := run(t, dir, `version: 1
defaults: {images: [team/app], rate: 0, retries: 0, timeout: 20s}
registries:
  - {name: secured, url: 'https://registry.test', auth: {username: robot, passwordFile: secret}, tls: {`+settings+`}}
  - {name: plain, url: 'http://plain.test', auth: {username: robot, passwordFile: plain}}
  - {name: metadata, url: 'http://metadata.google.internal', auth: {username: robot, passwordFile: secret}}
  - {name: metadata over TLS, url: 'https://metadata.google.internal', auth: {username: robot, passwordFile: secret}}
  - {name: turned, url: 'https://turned.test', images: [team/app, team/other], auth: {username: robot, passwordFile: turned, realms: [auth.test]}}
  - {name: allowed, url: 'https://allowed.test', images: [team/app, team/other], auth: {username: robot, passwordFile: turned, realms: [auth.test, allowed.test]}}
`, proxied(proxy, authorities), "secured", "metadata", "metadata over TLS", "turned")
	for name, want := range map[string]string{
		"secured team/app:latest":           "referrers-empty",
		"plain team/app:latest":             "referrers-empty",
		"metadata team/app:latest":          "connect",
		"metadata over TLS team/app:latest": "connect",
		"turned team/app:latest":            "forbidden",
		"turned team/other:latest":          "auth-refused",
		"allowed team/app:latest":           "forbidden",
		"allowed team/other:latest":         "referrers-empty",
	} {
		if got := rows[name]; got.Reason != want {
			t.Errorf("%s: %s (%s), want %s", name, got.Reason, got.Detail, want)
		}
	}
	nothingShown(t, shown, certificate, secret, plainSecret, turnedSecret, proxySecret)

	seenBy := func(s *server, secret string) bool {
		for _, form := range append(forms(secret), forms("scanner:"+secret)...) {
			if strings.Contains(s.heard(), form) {
				return true
			}
		}
		return false
	}
	for _, test := range []struct {
		name string
		s    *server
		sees []string
	}{
		// It leads requests in plain HTTP on, as they are.
		{"the proxy", proxy, []string{proxySecret, plainSecret}},
		{"secured", secured, []string{secret, certificate}},
		{"plain", plain, []string{plainSecret}},
		{"the token service", service, []string{turnedSecret}},
		{"turned", turned, nil},
		{"allowed", allowed, []string{turnedSecret}},
	} {
		for _, one := range []string{certificate, secret, plainSecret, turnedSecret, proxySecret} {
			want := strings.Contains(fmt.Sprint(test.sees), one)
			if got := seenBy(test.s, one); got != want {
				t.Errorf("%s saw %s: %v, want %v", test.name, one, got, want)
			}
		}
	}
	if strings.Contains(proxy.heard(), "metadata") || strings.Contains(plain.heard(), "metadata") {
		t.Error("a metadata service was asked for")
	}
}

// TestUntrustedTLSProxy: the proxy is held to what the system trusts, whatever the
// entry's tls: says, and is shown neither its account nor a client certificate.
func TestUntrustedTLSProxy(t *testing.T) {
	a := newAuthority(t)
	for n, test := range []struct {
		name       string
		settings   string // of tls:, beside the client certificate
		selfSigned bool
		wanted     bool // the proxy lets nobody in without a client certificate
		trusted    bool // the system trusts the authority
	}{
		{name: "insecureSkipVerify", settings: "insecureSkipVerify: true", selfSigned: true, trusted: true},
		{name: "caFile", settings: "caFile: ca.pem"},
		{name: "wants a client certificate", settings: "caFile: ca.pem", wanted: true, trusted: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			authorities := filepath.Join(dir, "ca.pem")
			if err := os.WriteFile(authorities, a.PEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			if !test.trusted {
				authorities = "/nonexistent"
			}
			behind := serveHTTP(t, 2*n, named(t, a, 2*n, "registry.test"), func(s *server) http.HandlerFunc { return signedIn(s, empty) })
			config := tlsConfig(t, a, 2*n+1, nil, test.selfSigned)
			if test.wanted {
				config.ClientAuth = tls.RequireAnyClientCert
			}
			proxy := serveHTTP(t, 2*n+1, config, proxyTo(map[string]*server{"registry.test:443": behind, "registry.test": behind}))
			const secret, certificate = "canary-0-8hX2kQ9v", "canary-certificate-8hX2kQ9v"
			writeSecret(t, dir, "secret", secret)
			settings := "tls: {" + writeClientCertificate(t, a, dir, "client", certificate) + ", " + test.settings + "}"
			account := "auth: {username: robot, passwordFile: secret}"
			rows, shown := run(t, dir, `version: 1
defaults: {images: [team/app], rate: 0, retries: 0, timeout: 20s, `+account+`}
registries:
  - {name: secured, url: 'https://registry.test', `+settings+`}
  - {name: plain, url: 'http://registry.test', `+settings+`}
`, proxied(proxy, authorities), "secured", "plain")
			for _, name := range []string{"secured team/app:latest", "plain team/app:latest"} {
				if got := rows[name]; got.Reason != "connect" || !strings.Contains(got.Detail, "the proxy "+strings.TrimPrefix(proxy.origin, "https://")) {
					t.Errorf("%s: %s (%s)", name, got.Reason, got.Detail)
				}
			}
			if heard := proxy.heard() + behind.heard(); heard != "" {
				t.Errorf("heard %q", heard)
			}
			nothingShown(t, shown, secret, certificate, proxySecret)
		})
	}
}
