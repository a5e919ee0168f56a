package registry

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
)

// at is an address as the net package puts into its errors.
func at(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port} }

// system is what the net package makes of a call of the system that failed.
func system(call string, errno syscall.Errno) error { return os.NewSyscallError(call, errno) }

// TestFaultText: a fault says what happened and to whom, and nothing that differs
// between two runs or two machines: no address of our own, no name server, no time.
func TestFaultText(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: at(5000), Err: system("connect", syscall.ECONNREFUSED)}
	reset := &net.OpError{Op: "read", Net: "tcp", Source: at(43210), Addr: at(5000), Err: system("read", syscall.ECONNRESET)}
	lookup := func(dns net.DNSError) error {
		dns.Name, dns.Server = "r.example", "10.0.0.2:53"
		return &net.OpError{Op: "dial", Net: "tcp", Err: &dns}
	}
	expired := x509.CertificateInvalidError{
		Cert:   &x509.Certificate{NotBefore: time.Unix(0, 0).UTC(), NotAfter: time.Unix(86400, 0).UTC()},
		Reason: x509.Expired,
		Detail: "current time 2026-11-27T06:17:00Z is after 1970-01-02T00:00:00Z",
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{refused, "connect to 127.0.0.1:5000: connection refused"},
		{&net.OpError{Op: "dial", Net: "tcp", Source: at(43210), Addr: at(5000), Err: system("connect", syscall.ENETUNREACH)}, "connect to 127.0.0.1:5000: network is unreachable"},
		{&net.OpError{Op: "dial", Net: "tcp", Addr: at(5000), Err: os.ErrDeadlineExceeded}, "connect to 127.0.0.1:5000: i/o timeout"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.AddrError{Err: "missing address", Addr: "x"}}, "dial tcp: address x: missing address"},
		{reset, "connection reset by peer"},
		{&net.OpError{Op: "write", Net: "tcp", Source: at(43210), Addr: at(5000), Err: system("write", syscall.EPIPE)}, "broken pipe"},
		{&net.OpError{Op: "read", Net: "tcp", Source: at(43210), Addr: at(5000), Err: net.ErrClosed}, "use of closed network connection"},
		{fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", reset), "net/http: HTTP/1.x transport connection broken: connection reset by peer"},
		{fmt.Errorf("http2: client connection lost: %w", reset), "http2: client connection lost: connection reset by peer"},
		{&url.Error{Op: "Get", URL: "http://r.example/", Err: refused}, `Get "http://r.example/": connect to 127.0.0.1:5000: connection refused`},
		{lookup(net.DNSError{Err: "no such host", IsNotFound: true}), "lookup r.example: no such host"},
		{lookup(net.DNSError{Err: "i/o timeout", IsTimeout: true}), "lookup r.example: i/o timeout"},
		{lookup(net.DNSError{Err: "read udp 10.0.0.7:41234->10.0.0.2:53: i/o timeout", IsTimeout: true}), "lookup r.example: i/o timeout"},
		{lookup(net.DNSError{Err: "read udp 10.0.0.7:41234->10.0.0.2:53: read: connection refused"}), "lookup r.example: connection refused"},
		{lookup(net.DNSError{Err: "dial udp 10.0.0.2:53: connect: network is unreachable"}), "lookup r.example: network is unreachable"},
		{lookup(net.DNSError{Err: "server misbehaving", IsTemporary: true}), "lookup r.example: server misbehaving"},
		{&net.DNSError{Name: "r.example", Server: "10.0.0.2:53", Err: "no such host"}, "lookup r.example: no such host"},
		{&proxyFault{proxy: "proxy.example:3128", err: refused}, "the proxy proxy.example:3128 cannot be reached: connect to 127.0.0.1:5000: connection refused"},
		{&proxyFault{proxy: "proxy.example:3128", err: lookup(net.DNSError{Err: "no such host"})}, "the proxy proxy.example:3128 cannot be reached: lookup r.example: no such host"},
		{&net.OpError{Op: "socks connect", Net: "tcp", Source: at(1080), Addr: at(5000), Err: refused}, "connect to 127.0.0.1:5000: connection refused"},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, "remote error: tls: handshake failure"},
		{&net.OpError{Op: "local error", Err: tls.AlertError(70)}, "local error: tls: protocol version not supported"},
		{&tls.CertificateVerificationError{Err: expired}, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: it is valid from 1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "tls: failed to verify certificate: x509: certificate signed by unknown authority"},
		{errors.New("http2: server sent GOAWAY and closed the connection."), "http2: server sent GOAWAY and closed the connection"},
	} {
		if got := faultText(test.err); got != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.err, got, test.want)
		}
	}
}

// TestStatusLines: of a status line that is not one no single word is quoted, because it may
// be a part of a password of several.
func TestStatusLines(t *testing.T) {
	const password = "correct horse 8hX2"
	for line, want := range map[string]string{
		password:                  "the status line of the answer is malformed",
		"HTTP/1.1 " + password:    "the status line of the answer is malformed",
		"HTTP/1.1 20 " + password: "the status line of the answer is malformed",
		"HTTP/correct 200 horse":  "the status line of the answer is malformed",
		"8hX2":                    `malformed HTTP response "8hX2"`,
	} {
		_, err := http.ReadResponse(bufio.NewReader(strings.NewReader(line+"\r\n\r\n")), nil)
		if got := faultText(err); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// TestTimeoutText: a timeout names its value and the setting that it comes from, and what
// depends on the requests before names the time of them all.
func TestTimeoutText(t *testing.T) {
	for _, test := range []struct {
		late   timedOut
		option time.Duration // --timeout
		want   string
	}{
		{timedOut{after: 10 * time.Second}, 0, "no connection within 10s (timeout: 10s)"},
		{timedOut{after: 10 * time.Second, connected: true}, 0, "no complete answer within 10s (timeout: 10s)"},
		{timedOut{after: 3 * time.Second, connected: true}, 3 * time.Second, "no complete answer within 3s (--timeout 3s)"},
		{timedOut{after: 10 * time.Second, proxy: "p:1"}, 0, "no connection through the proxy p:1 within 10s (timeout: 10s)"},
		{timedOut{connected: true}, 0, "no complete answer within the time that the row had left of 30s (3 x timeout: 10s)"},
		{timedOut{connected: true}, 1500 * time.Millisecond, "no complete answer within the time that the row had left of 4.5s (3 x --timeout 1.5s)"},
		{timedOut{after: bodyStall, stalled: true, connected: true}, 0, "the body of the answer stopped for 2s"},
	} {
		pool := NewPool(Options{Timeout: test.option})
		defer pool.Close()
		test.late.client = pool.Client(inventory.Registry{URL: &url.URL{Scheme: "https", Host: "r.example"}, Timeout: 10 * time.Second, Retries: 2})
		if got := faultText(&test.late); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// TestTimeIsUsedUp: a row without time left sends nothing and says how much it had.
func TestTimeIsUsedUp(t *testing.T) {
	s := sessionOf(t, 1, 10*time.Second, 0)
	s.budget = 0
	resp, err := s.Do(t.Context(), Request{Step: "resolve", Method: http.MethodHead, URL: s.client.URL("a/manifests/b")})
	if err != nil || resp.Fault == nil || resp.Fault.Text != "the row used up its time of 20s (2 x timeout: 10s)" {
		t.Errorf("%+v, %v", resp, err)
	}
}
