// Package hostile runs the built command against registries that are broken or
// mean it ill, each on a socket and an address of its own.
package hostile

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"refmatrix/cmd/demofleet/testca"
)

// server is one hostile registry: its origin, and everything it was sent.
type server struct {
	origin string

	mu       sync.Mutex
	sent     bytes.Buffer
	requests []request // of a server of HTTP
}

// request is one request as a server saw it.
type request struct{ method, target, authorization string }

// take notes a request, whole in what was sent.
func (s *server) take(r *http.Request) {
	dump, _ := httputil.DumpRequest(r, true)
	s.note(dump)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request{r.Method, r.RequestURI, r.Header.Get("Authorization")})
}

// asked lists the requests so far.
func (s *server) asked() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *server) note(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent.Len() < 4<<20 {
		s.sent.Write(text)
	}
}

func (s *server) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent.String()
}

// hostAt is the address of the server at n.
func hostAt(n int) string { return fmt.Sprintf("127.77.%d.%d", n/200, 1+n%200) }

// listen opens an address of 127.77.0.0/16 that is the server's own.
func listen(t *testing.T, n int) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", hostAt(n)+":0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// serveHTTP starts a server of a handler, behind TLS where config is set.
func serveHTTP(t *testing.T, n int, config *tls.Config, handler func(*server) http.HandlerFunc) *server {
	t.Helper()
	return serveAt(t, listen(t, n), config, handler)
}

// serveAt is serveHTTP at an address of the caller's.
func serveAt(t *testing.T, listener net.Listener, config *tls.Config, handler func(*server) http.HandlerFunc) *server {
	t.Helper()
	s := &server{origin: "http://" + listener.Addr().String()}
	if config != nil {
		s.origin = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, s.watching(config))
	}
	answer := handler(s)
	web := &http.Server{
		ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.take(r)
			answer(w, r)
		}),
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = web.Serve(listener) })
	t.Cleanup(func() {
		_ = web.Close()
		serving.Wait()
	})
	return s
}

// watching returns config for a server that asks for a client certificate and
// notes the name in the one that it is shown.
func (s *server) watching(config *tls.Config) *tls.Config {
	config = config.Clone()
	config.ClientAuth = max(config.ClientAuth, tls.RequestClientCert)
	config.VerifyConnection = func(state tls.ConnectionState) error {
		for _, certificate := range state.PeerCertificates {
			s.note([]byte("client certificate: " + certificate.Subject.CommonName + "\n"))
		}
		return nil
	}
	return config
}

// serveRaw starts a server that answers each connection with bytes, and then
// does what after says.
func serveRaw(t *testing.T, n int, config *tls.Config, answer string, after func(net.Conn)) *server {
	t.Helper()
	listener := listen(t, n)
	s := &server{origin: "http://" + listener.Addr().String()}
	if config != nil {
		s.origin = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, config)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				request := make([]byte, 8<<10)
				n, _ := conn.Read(request)
				s.note(request[:n])
				_, _ = io.WriteString(conn, answer)
				after(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return s
}

func closeNow(net.Conn) {}

func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// repeat sends text until the client has enough, at most a gigabyte.
func repeat(text string, pause time.Duration) func(net.Conn) {
	block := []byte(text)
	if pause == 0 {
		block = bytes.Repeat(block, 1+64<<10/len(block))
	}
	return func(conn net.Conn) {
		for sent := 0; sent < 1<<30; sent += len(block) {
			if _, err := conn.Write(block); err != nil {
				return
			}
			if pause > 0 {
				time.Sleep(pause)
			}
		}
	}
}

func newAuthority(t *testing.T) *testca.Authority {
	t.Helper()
	a, err := testca.New("hostile")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// tlsConfig is the TLS of the server at n, its certificate changed as change
// says, and signed by itself if selfSigned is set.
func tlsConfig(t *testing.T, a *testca.Authority, n int, change func(*x509.Certificate), selfSigned bool) *tls.Config {
	t.Helper()
	template := testca.Server(hostAt(n))
	if change != nil {
		change(template)
	}
	sign := a.SignAs
	if selfSigned {
		sign = a.SelfSign
	}
	certificate, err := sign(template)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{*certificate},
		MinVersion:   tls.VersionTLS10, //nolint:gosec // an old server is what is played
	}
}

// writeClientCertificate writes a client certificate of this name, and its key,
// into dir. It returns the inventory's keys for the two.
func writeClientCertificate(t *testing.T, a *testca.Authority, dir, file, name string) string {
	t.Helper()
	template := testca.Server()
	template.Subject.CommonName = name
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	certificate, err := a.SignAs(template)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, block := range map[string]*pem.Block{
		".pem": {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]},
		".key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, file+suffix), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("certFile: %[1]s.pem, keyFile: %[1]s.key", file)
}
