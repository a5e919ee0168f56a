package registry_test

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestProxyVariables: what net/http would ignore, or read as something that is no
// proxy, is a fault, and the fault does not repeat the value.
func TestProxyVariables(t *testing.T) {
	const scheme, host, port = "has a scheme", "names no host", "has a port"
	for value, want := range map[string]string{
		"":                              "",
		"proxy":                         "",
		"proxy:3128":                    "",
		"127.0.0.1:3128":                "",
		"[::1]:3128":                    "",
		"user:canary@proxy:3128":        "",
		"http://proxy":                  "",
		"HTTPS://proxy:443/":            "",
		"socks5://user:c%40nary@proxy":  "",
		"socks5h://[::1]:1080":          "",
		"http://proxy:65535":            "",
		"ftp://canary:21":               scheme,
		"socks4://canary:1080":          scheme,
		"canary:canary/word@proxy:3128": "is not the address",
		"http://":                       host,
		"http://:3128":                  host,
		"//canary:3128":                 host,
		":3128":                         host,
		"http://user:canary@":           host,
		"http://canary:0":               port,
		"http://canary:65536":           port,
		"canary:99999999999999999999":   port,
		"http://canary:":                "names no port",
		"http:/canary:3128":             "names no port",
		"http://user:canary/word@proxy": "is not the address",
		"http://user:canary#word@proxy": "is not the address",
		"http://user:can%ry@proxy":      "is not the address",
		"http://us er:canary@proxy":     "is not the address",
		"http://canary proxy:3128":      "is not the address",
		"http://canary:port":            "is not the address",
		"http://[::1:canary":            "is not the address",
		" http://canary:3128":           "is not the address",
		"http://canary:3128\n":          "is not the address",
		"http:canary:3128":              "is not the address",
		"://canary":                     "is not the address",
	} {
		for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
			err := registry.CheckProxies(func(asked string) string {
				if asked == name {
					return value
				}
				return ""
			})
			switch {
			case want == "" && err != nil:
				t.Errorf("%s=%q: %v", name, value, err)
			case want != "" && (err == nil || !strings.HasPrefix(err.Error(), name+" "+want)):
				t.Errorf("%s=%q: %v, want %s", name, value, err, want)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("%s=%q is repeated: %v", name, value, err)
			}
		}
	}
	both := map[string]string{"HTTP_PROXY": "proxy", "http_proxy": "ftp://unread", "HTTPS_PROXY": ":1", "https_proxy": "unread"}
	if err := registry.CheckProxies(func(name string) string { return both[name] }); err == nil ||
		!strings.HasPrefix(err.Error(), "HTTPS_PROXY names no host") {
		t.Errorf("capitals come first: %v", err)
	}
}

// TestProxyFaults: what a proxy does wrong is a matter of the connection, told
// with the proxy's name and without its password.
func TestProxyFaults(t *testing.T) {
	const password = "canary-proxy-pass"
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	refusing := serve(t, func(w http.ResponseWriter, q *http.Request) {
		conn, stream, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(stream, "HTTP/1.1 407 you sent %s %s\r\nContent-Length: 0\r\n\r\n", q.Header.Get("Proxy-Authorization"), password)
		stream.Flush()
	})
	breaking := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	through := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "not here")
	})
	tests := []struct {
		name, proxy, registry string
		want                  string // words of the fault; "" for the registry's own answer
		requests              int
	}{
		{"407 to CONNECT", refusing.URL, "https://registry.inside", "answered HTTP 407", 1},
		{"407 to a request", refusing.URL, "http://registry.inside", "answered HTTP 407", 1},
		{"502 to CONNECT", breaking.URL, "https://registry.inside", "answered HTTP 502 to CONNECT", 2},
		{"nobody listens", "http://" + closed.Addr().String(), "https://registry.inside", "cannot be reached", 2},
		{"no such proxy", "http://proxy.invalid:3128", "http://registry.inside", "cannot be reached", 1},
		{"nobody listens to SOCKS", "socks5://" + closed.Addr().String(), "http://registry.inside", "cannot be reached", 2},
		{"it lets through", through.URL, "http://registry.inside", "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address, err := url.Parse(test.proxy)
			if err != nil {
				t.Fatal(err)
			}
			address.User = url.UserPassword("user", password)
			pool := registry.NewPool(registry.Options{Proxy: http.ProxyURL(address)})
			t.Cleanup(pool.Close)
			e := entry(t, test.registry)
			e.Retries, e.RetryCap = 1, time.Second
			resp, session := ask(t, pool.Client(e))
			if n := len(session.Exchanges()); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
			if test.want == "" {
				if resp.Status != http.StatusNotFound {
					t.Errorf("%+v", resp.Fault)
				}
				return
			}
			if resp.Fault == nil || resp.Fault.Kind != matrix.Connect || !strings.Contains(resp.Fault.Text, test.want) || !strings.Contains(resp.Fault.Text, address.Host) {
				t.Errorf("%+v, want %s of %s", resp.Fault, test.want, address.Host)
			}
			told, err := json.Marshal(session.Exchanges())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(told), password) || resp.Fault != nil && strings.Contains(resp.Fault.Text, password) {
				t.Errorf("the password is told: %s %+v", told, resp.Fault)
			}
		})
	}
}

// tunnel answers CONNECT with a connection to target, whatever host was asked
// for, and any other request with 404.
func tunnel(t *testing.T, target string) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodConnect {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		there, err := net.Dial("tcp", target)
		if err != nil {
			t.Error(err)
			return
		}
		defer there.Close()
		here, stream, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer here.Close()
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, stream) }()
		_, _ = io.Copy(here, there)
	}
}

// TestTLSToAProxy: a proxy is held to what the system trusts and sees no client
// certificate, whatever the entry's tls: says; the registry behind it is held to
// that. What fails on the way to the proxy is the proxy's.
func TestTLSToAProxy(t *testing.T) {
	var shown atomic.Int32 // certificates that the registry saw
	behind := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		shown.Store(int32(len(q.TLS.PeerCertificates)))
		w.WriteHeader(http.StatusNotFound)
	}))
	behind.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	behind.EnableHTTP2 = true
	start := func(server *httptest.Server, begin func()) {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		begin()
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
		})
	}
	start(behind, behind.StartTLS)
	trusted := x509.NewCertPool()
	trusted.AddCert(behind.Certificate()) // which is that of every server of httptest
	settings := inventory.TLS{Certificate: certificate(t), InsecureSkipVerify: true}
	authority := inventory.TLS{
		Certificate: certificate(t),
		CA:          pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: behind.Certificate().Raw}),
	}
	const tlsRegistry, plainRegistry = "https://example.com", "http://registry.inside"
	for _, test := range []struct {
		name     string
		proxy    *tls.Config // of the proxy, nil = as httptest has it
		h2       bool        // the proxy offers HTTP/2
		plain    bool        // the proxy speaks no TLS
		host     string      // of the proxy, instead of 127.0.0.1
		system   *x509.CertPool
		entry    inventory.TLS
		registry string
		want     string // words of the fault; "" for the registry's own answer
		kind     matrix.Reason
	}{
		{name: "trusted", system: trusted, entry: settings, registry: tlsRegistry},
		{name: "trusted, to http", system: trusted, entry: settings, registry: plainRegistry},
		{name: "the registry's authority", system: trusted, entry: authority, registry: tlsRegistry},
		{name: "HTTP/2 offered", h2: true, system: trusted, entry: settings, registry: tlsRegistry},
		{name: "HTTP/2 offered, to http", h2: true, system: trusted, entry: settings, registry: plainRegistry},
		{
			name:     "insecureSkipVerify",
			system:   x509.NewCertPool(),
			entry:    settings,
			registry: tlsRegistry,
			want:     "let the system trust it",
			kind:     matrix.Connect,
		},
		{
			name:     "insecureSkipVerify, to http",
			system:   x509.NewCertPool(),
			entry:    settings,
			registry: plainRegistry,
			want:     "unknown authority",
			kind:     matrix.Connect,
		},
		{
			name:     "caFile",
			system:   x509.NewCertPool(),
			entry:    authority,
			registry: tlsRegistry,
			want:     "unknown authority",
			kind:     matrix.Connect,
		},
		{
			name:     "another name",
			host:     "localhost",
			system:   trusted,
			entry:    settings,
			registry: tlsRegistry,
			want:     "not localhost",
			kind:     matrix.Connect,
		},
		{
			name:     "an old version",
			proxy:    &tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS11},
			system:   trusted,
			entry:    settings,
			registry: tlsRegistry,
			want:     "protocol version",
			kind:     matrix.Connect,
		},
		{
			name:     "a client certificate wanted",
			proxy:    &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13},
			system:   trusted,
			entry:    settings,
			registry: tlsRegistry,
			want:     "certificate required",
			kind:     matrix.Connect,
		},
		{
			name:     "a client certificate wanted, to http",
			proxy:    &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13},
			system:   trusted,
			entry:    settings,
			registry: plainRegistry,
			want:     "certificate required",
			kind:     matrix.Connect,
		},
		{
			name:     "no TLS",
			plain:    true,
			system:   trusted,
			entry:    settings,
			registry: tlsRegistry,
			want:     "does not look like a TLS handshake",
			kind:     matrix.Connect,
		},
		{
			name:     "the registry's certificate",
			system:   trusted,
			registry: tlsRegistry,
			want:     "unknown authority",
			kind:     matrix.TLS,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			shown.Store(0)
			var asked, certificates atomic.Int32
			through := tunnel(t, behind.Listener.Addr().String())
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				asked.Add(1)
				if q.TLS != nil {
					certificates.Add(int32(len(q.TLS.PeerCertificates)))
				}
				through(w, q)
			}))
			begin := server.Start
			if !test.plain {
				server.TLS = cmp.Or(test.proxy, &tls.Config{}).Clone()
				server.TLS.ClientAuth = max(server.TLS.ClientAuth, tls.RequestClientCert)
				server.EnableHTTP2 = test.h2
				begin = server.StartTLS
			}
			start(server, begin)
			address := &url.URL{Scheme: "https", Host: server.Listener.Addr().String()}
			if test.host != "" {
				address.Host = net.JoinHostPort(test.host, address.Port())
			}
			pool := registry.NewPool(registry.TrustingProxies(registry.Options{Proxy: http.ProxyURL(address)}, test.system))
			t.Cleanup(pool.Close)
			e := entry(t, test.registry)
			e.TLS, e.Timeout = test.entry, 3*time.Second
			e.Retries, e.RetryCap = 1, time.Second
			resp, session := ask(t, pool.Client(e))
			if n := len(session.Exchanges()); n != 1 {
				t.Errorf("%d requests: asking again does not help", n)
			}
			if certificates.Load() != 0 {
				t.Error("the proxy saw the registry's client certificate")
			}
			if test.want == "" {
				if resp.Status != http.StatusNotFound || asked.Load() != 1 {
					t.Errorf("HTTP %d, %+v, %d requests of the proxy", resp.Status, resp.Fault, asked.Load())
				}
				if test.registry == tlsRegistry && shown.Load() != 1 {
					t.Errorf("the registry saw %d certificates", shown.Load())
				}
				return
			}
			if resp.Fault == nil || resp.Fault.Kind != test.kind || !strings.Contains(resp.Fault.Text, test.want) {
				t.Fatalf("%+v, want %s and %q", resp.Fault, test.kind, test.want)
			}
			if named := strings.Contains(resp.Fault.Text, "the proxy "+address.Host); named != (test.kind == matrix.Connect) {
				t.Errorf("%s is named: %v in %q", address.Host, named, resp.Fault.Text)
			}
			if test.kind == matrix.Connect && asked.Load() != 0 {
				t.Error("the proxy was asked for something")
			}
		})
	}
}
