package registry_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entry is an inventory entry of a registry at address.
func entry(t *testing.T, address string) inventory.Registry {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return inventory.Registry{
		Name: "test", URL: u, Timeout: 300 * time.Millisecond, Concurrency: 4,
		Auth: inventory.Auth{Anonymous: true},
	}
}

// client gives a client of e that is closed with the test.
func client(t *testing.T, e inventory.Registry) *registry.Client {
	t.Helper()
	pool := registry.NewPool(registry.Options{UserAgent: "refmatrix/test"})
	t.Cleanup(pool.Close)
	return pool.Client(e)
}

// serve starts an HTTP server for the test.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// raw starts a server that answers every connection with bytes and then does
// what after says: close, reset, or hold until the test ends.
func raw(t *testing.T, answer string, after func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
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
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, answer)
				after(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return "http://" + listener.Addr().String()
}

func closeNow(net.Conn) {}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// hold waits for the client to give up.
func hold(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// drip sends a byte now and then until the client gives up.
func drip(conn net.Conn) {
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func flood(conn net.Conn) {
	block := bytes.Repeat([]byte("x"), 64<<10)
	for range 1 << 10 {
		if _, err := conn.Write(block); err != nil {
			return
		}
	}
}

// ask makes the request that a referrers step makes.
func ask(t *testing.T, c *registry.Client) (*registry.Response, *registry.Session) {
	t.Helper()
	s := c.NewSession()
	resp, err := s.Do(context.Background(), registry.Request{
		Step: "referrers", Method: http.MethodGet, URL: c.URL("a/b/referrers/sha256:0"),
		Scope: "repository:a/b:pull", MaxBody: registry.MaxIndex,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp, s
}

// TestHeadersSent: a request carries nothing of our own making beside the agent and the
// content encoding that clients accept, which net/http does not send with HEAD.
func TestHeadersSent(t *testing.T) {
	var sent atomic.Pointer[http.Header]
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		sent.Store(&q.Header)
		w.WriteHeader(http.StatusNotFound)
	})
	c := client(t, entry(t, s.URL))
	for method, want := range map[string]string{http.MethodGet: "gzip", http.MethodHead: "", http.MethodPut: "gzip", http.MethodDelete: "gzip"} {
		session := c.NewSession()
		if _, err := session.Do(t.Context(), registry.Request{Step: "x", Method: method, URL: c.URL("a/manifests/b")}); err != nil {
			t.Fatal(err)
		}
		got := sent.Load().Clone()
		got.Del("Content-Length")
		if encoding := got.Get("Accept-Encoding"); encoding != want {
			t.Errorf("%s: Accept-Encoding is %q, want %q", method, encoding, want)
		}
		got.Del("Accept-Encoding")
		if len(got) != 1 || got.Get("User-Agent") != "refmatrix/test" {
			t.Errorf("%s: the registry was sent %v", method, got)
		}
	}
}

// TestFaults: each way a server or network can break gives its own fault, in
// time, and never an answer that could be judged. Its text is the same the next time,
// because it holds no address of this machine's own sockets.
func TestFaults(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	const head = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name, address string
		want          matrix.Reason
	}{
		{"nobody listens", "http://" + closed.Addr().String(), matrix.Connect},
		{"no such name", "http://registry.invalid", matrix.DNS},
		{"a certificate nobody signed", untrusted.URL, matrix.TLS},
		{"http where https was meant", strings.Replace(plain.URL, "http:", "https:", 1), matrix.TLS},
		{"never answers", raw(t, "", hold), matrix.Timeout},
		{"drips", raw(t, head+"Content-Length: 1000000\r\n\r\n", drip), matrix.Timeout},
		{"drips headers", raw(t, head+"X-Slow: ", drip), matrix.Timeout},
		{"garbage", raw(t, "\x00\x01\x02 not HTTP\r\n\r\n", closeNow), matrix.Protocol},
		{"HTTP/0.9", raw(t, "<html>hello</html>\n", closeNow), matrix.Protocol},
		{"closes at once", raw(t, "", closeNow), matrix.Protocol},
		{"resets", raw(t, "", reset), matrix.Connect},
		{"resets in the body", raw(t, head+"Content-Length: 100\r\n\r\nabc", reset), matrix.Connect},
		{"body cut short", raw(t, head+"Content-Length: 100\r\n\r\nabc", closeNow), matrix.Protocol},
		{"404 cut short", raw(t, "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nabc", closeNow), matrix.Protocol},
		{"wrongly chunked", raw(t, head+"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", closeNow), matrix.Protocol},
		{"1 GB announced", raw(t, head+"Content-Length: 1073741824\r\n\r\n", hold), matrix.TooLarge},
		{"endless body", raw(t, head+"\r\n", flood), matrix.TooLarge},
		{"endless headers", raw(t, head+"X: ", flood), matrix.Protocol},
		{"hangs up in the TLS handshake", "https" + raw(t, "", closeNow)[len("http"):], matrix.Protocol},
		{"resets in the TLS handshake", "https" + raw(t, "", reset)[len("http"):], matrix.Connect},
		{"garbage in the TLS handshake", "https" + raw(t, "\x16\x03\x03\x00\x04\x63\x00\x00\x00", hold)[len("http"):], matrix.TLS},
		{"a TLS alert", "https" + raw(t, "\x15\x03\x03\x00\x02\x02\x28", closeNow)[len("http"):], matrix.TLS},
		{"status that is none", raw(t, "HTTP/1.1 abc OK\r\n\r\n", closeNow), matrix.Protocol},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			began := time.Now()
			e := entry(t, test.address)
			if test.want != matrix.Timeout {
				e.Timeout = 10 * time.Second // the fault itself ends it, long before
			}
			resp, s := ask(t, client(t, e))
			if resp.Fault == nil {
				t.Fatalf("an answer: %+v", resp.Answer)
			}
			if resp.Fault.Kind != test.want {
				t.Errorf("%s (%s), want %s", resp.Fault.Kind, resp.Fault.Text, test.want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if len(s.Exchanges()) != 1 || s.Exchanges()[0].Error == "" {
				t.Errorf("exchanges %+v", s.Exchanges())
			}
			again, _ := ask(t, client(t, e))
			if again.Fault == nil || again.Fault.Text != resp.Fault.Text || strings.Contains(resp.Fault.Text, "->") {
				t.Errorf("the same fault again: %+v, first %s", again.Fault, resp.Fault.Text)
			}
		})
	}
}

// TestEchoedSecrets: a server that sends back what it was sent finds nothing
// of it in what is recorded.
func TestEchoedSecrets(t *testing.T) {
	const password = "canary-pass word/+"
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		authorization := q.Header.Get("Authorization")
		w.Header().Set("Server", authorization+" "+password+" "+url.QueryEscape(password)+"\x1b[31m")
		w.Header().Set("Content-Type", "text/"+authorization)
		w.Header().Set("WWW-Authenticate", `Basic realm="`+authorization+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	e := entry(t, s.URL)
	e.Auth = inventory.Auth{Username: "user", Password: password}
	resp, session := ask(t, client(t, e))
	encoded, err := json.Marshal(session.Exchanges())
	if err != nil {
		t.Fatal(err)
	}
	told := string(encoded) + fmt.Sprintf("%+v", resp.Answer)
	for _, secret := range []string{password, url.QueryEscape(password), base64.StdEncoding.EncodeToString([]byte("user:" + password)), base64.StdEncoding.EncodeToString([]byte(password))} {
		if strings.Contains(told, secret) {
			t.Errorf("%q is told: %s", secret, told)
		}
	}
	if strings.Contains(told, "\x1b") {
		t.Error("an escape sequence is told")
	}
}

// TestCancel: a scan that ends does not wait for a server.
func TestCancel(t *testing.T) {
	c := client(t, func() inventory.Registry {
		e := entry(t, raw(t, "", hold))
		e.Timeout = time.Minute
		return e
	}())
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := c.NewSession().Do(ctx, registry.Request{Step: "x", Method: http.MethodGet, URL: c.URL("a/manifests/b")})
	if err == nil {
		t.Error("no error")
	}
}
