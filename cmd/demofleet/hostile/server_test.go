// Package hostile runs the built command against registries that are broken or
// mean it ill, each on a socket and an address of its own.
package hostile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"testing"
	"time"
)

// server is one hostile registry: its origin, and everything it was sent.
type server struct {
	origin string

	mu   sync.Mutex
	sent bytes.Buffer
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

// listen opens an address of 127.77.0.0/16 that is the server's own.
func listen(t *testing.T, n int) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.77.%d.%d:0", n/200, 1+n%200))
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
		listener = tls.NewListener(listener, config)
	}
	answer := handler(s)
	web := &http.Server{
		ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			dump, _ := httputil.DumpRequest(r, true)
			s.note(dump)
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

// authority signs the certificates of the servers that have one.
type authority struct {
	key *ecdsa.PrivateKey
	own *x509.Certificate
	pem []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hostile"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{key, own, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// config is a server's TLS, its certificate changed as change says; without an
// authority it signs itself.
func (a *authority) config(t *testing.T, n int, change func(*x509.Certificate), selfSigned bool) *tls.Config {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(n + 2)), Subject: pkix.Name{CommonName: "registry"},
		IPAddresses: []net.IP{net.ParseIP(fmt.Sprintf("127.77.%d.%d", n/200, 1+n%200))},
		NotBefore:   time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	if change != nil {
		change(template)
	}
	parent := a.own
	if selfSigned {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}}, MinVersion: tls.VersionTLS10} //nolint:gosec // an old server is what is played
}
