package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
)

// issued is a certificate for a server that signs itself.
func issued(t *testing.T, change func(*x509.Certificate)) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
}

// TestTLSCauses: a connection that fails in TLS is reported with its cause, with real servers.
func TestTLSCauses(t *testing.T) {
	asIs := func(*x509.Certificate) {}
	for _, c := range []struct {
		name    string
		plain   bool
		change  func(*x509.Certificate)
		server  func(*tls.Config)
		unknown bool // the client does not trust the authority
		want    verdict.TLSCause
	}{
		{name: "plain HTTP", plain: true, change: asIs, want: verdict.PlainHTTP},
		{name: "an authority that is not trusted", change: asIs, unknown: true, want: verdict.UnknownAuthority},
		{name: "another name", change: func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }, want: verdict.WrongName},
		{name: "no name", change: func(c *x509.Certificate) { c.IPAddresses = nil }, want: verdict.WrongName},
		{name: "out of date", change: func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, want: verdict.CertificateExpired},
		{name: "not valid yet", change: func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, want: verdict.CertificateExpired},
		{name: "a client certificate", change: asIs, server: func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }, want: verdict.ClientCertificate},
		{name: "a client certificate, TLS 1.2", change: asIs, server: func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 }, want: ""}, // a handshake failure, which has many causes
		{name: "an old version", change: asIs, server: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, want: verdict.TLSVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			certificate, authority := issued(t, c.change)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			if c.server != nil {
				c.server(server.TLS)
			}
			if c.plain {
				server.Start()
			} else {
				server.StartTLS()
			}
			defer server.Close()
			u, err := url.Parse("https://" + server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			entry := inventory.Registry{URL: u, Timeout: 5 * time.Second, Concurrency: 1, Auth: inventory.Auth{Anonymous: true}}
			if !c.unknown {
				entry.TLS.CA = pemOf(authority)
			}
			pool := NewPool(Options{})
			defer pool.Close()
			client := pool.Client(entry)
			resp, err := client.NewSession().Do(t.Context(), Request{Step: "resolve", Method: http.MethodGet, URL: client.URL("a/manifests/1")})
			if err != nil {
				t.Fatal(err)
			}
			if resp.Fault == nil || resp.Fault.Kind != matrix.TLS || resp.Fault.TLS != c.want {
				t.Errorf("%+v, want the cause %s", resp.Fault, c.want)
			}
		})
	}
}

// pemOf returns a certificate as caFile has it.
func pemOf(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}
