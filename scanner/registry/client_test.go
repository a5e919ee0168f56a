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
	"os"
	"path/filepath"
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

// TestFaults: each way a server or network can break gives its own fault, in
// time, and never an answer that could be judged.
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
		{"1 GB announced", raw(t, head+"Content-Length: 1073741824\r\n\r\n", hold), matrix.Protocol},
		{"endless body", raw(t, head+"\r\n", flood), matrix.Protocol},
		{"endless headers", raw(t, head+"X: ", flood), matrix.Protocol},
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
		})
	}
}

// TestRetryAfter: a registry that says 429 for ever ends a row within the time
// it is allowed to take, whatever it asks to wait.
func TestRetryAfter(t *testing.T) {
	for _, value := range []string{"3600", "-5", "soon", "880.092µs", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), "99999999999999999999"} {
		t.Run(value, func(t *testing.T) {
			var asked atomic.Int32
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Retry-After", value)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			e := entry(t, s.URL)
			e.Retries, e.RetryCap = 2, 40*time.Millisecond
			began := time.Now()
			resp, session := ask(t, client(t, e))
			if resp.Status != http.StatusTooManyRequests || resp.Fault != nil {
				t.Errorf("%+v", resp.Answer)
			}
			if took := time.Since(began); took > 3*e.Timeout+2*e.RetryCap {
				t.Errorf("took %s", took)
			}
			if n := int(asked.Load()); n < 2 || n > 3 || n != len(session.Exchanges()) {
				t.Errorf("%d requests, %d told", n, len(session.Exchanges()))
			}
		})
	}
}

// TestBackoffWithoutRetryAfter: retryCap bounds what a registry asks for; the
// short backoff between attempts is ours.
func TestBackoffWithoutRetryAfter(t *testing.T) {
	for _, test := range []struct {
		status int
		asked  string
	}{
		{http.StatusServiceUnavailable, ""},
		{http.StatusServiceUnavailable, "3600"},
		{http.StatusTooManyRequests, "3600"},
	} {
		var asked atomic.Int32
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) < 3 {
				w.Header().Set("Retry-After", test.asked)
				w.WriteHeader(test.status)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		})
		e := entry(t, s.URL)
		e.Timeout, e.Retries, e.RetryCap = 10*time.Second, 2, 0
		began := time.Now()
		if resp, _ := ask(t, client(t, e)); resp.Status != http.StatusNotFound {
			t.Errorf("%d %s: %+v after %d requests", test.status, test.asked, resp.Answer, asked.Load())
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

// TestLeftAlone: what Retry-After asks for holds for the rows after the one
// that was told, whether that one gave up or had no retries at all.
func TestLeftAlone(t *testing.T) {
	for _, test := range []struct {
		name, asked string
		retries     int
		cap, least  time.Duration
	}{
		{"without retries", "150ms", 0, time.Second, 150 * time.Millisecond},
		{"after the retries", "150ms", 1, time.Second, 150 * time.Millisecond},
		{"up to retryCap", "3600", 0, 150 * time.Millisecond, 150 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var times []time.Time
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				times = append(times, time.Now())
				mu.Unlock()
				w.Header().Set("Retry-After", test.asked)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			e := entry(t, s.URL)
			e.Timeout, e.Retries, e.RetryCap = 10*time.Second, test.retries, test.cap
			c := client(t, e)
			for row := range 3 {
				resp, session := ask(t, c)
				if resp.Status != http.StatusTooManyRequests {
					t.Fatalf("row %d: %+v", row, resp.Answer)
				}
				// The wait before a row's first request is not the row's.
				if took, most := session.Elapsed(), 10*time.Second+time.Duration(test.retries)*test.cap; took > most {
					t.Errorf("row %d took %s", row, took)
				}
			}
			for i := 1; i < len(times); i++ {
				if apart := times[i].Sub(times[i-1]); apart < test.least-5*time.Millisecond {
					t.Errorf("request %d came %s after the one before", i, apart)
				}
			}
		})
	}
}

// tokenRegistry is a registry behind a token service on its own origin.
type tokenRegistry struct {
	*httptest.Server
	requests, tokens atomic.Int32
	perScope         sync.Map
}

func newTokenRegistry(t *testing.T, secret string) *tokenRegistry {
	r := &tokenRegistry{}
	r.Server = serve(t, func(w http.ResponseWriter, q *http.Request) {
		r.requests.Add(1)
		if q.URL.Path == "/token" {
			r.tokens.Add(1)
			n, _ := r.perScope.LoadOrStore(q.URL.Query().Get("scope"), new(atomic.Int32))
			n.(*atomic.Int32).Add(1)
			time.Sleep(20 * time.Millisecond) // others must arrive meanwhile and wait
			_ = json.NewEncoder(w).Encode(map[string]string{"token": secret + q.URL.Query().Get("scope")})
			return
		}
		repository := strings.Split(strings.TrimPrefix(q.URL.Path, "/v2/"), "/referrers/")[0]
		scope := "repository:" + repository + ":pull"
		if q.Header.Get("Authorization") != "Bearer "+secret+scope {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="s",scope="%s"`, r.URL, scope))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	return r
}

// TestOneTokenPerScope: however many images ask at once, a registry sees one
// challenge and one token request for each scope.
func TestOneTokenPerScope(t *testing.T) {
	r := newTokenRegistry(t, "token-")
	c := client(t, entry(t, r.URL))
	const images, repositories = 32, 2
	var all sync.WaitGroup
	for i := range images {
		all.Go(func() {
			name := fmt.Sprintf("team/app%d", i%repositories)
			resp, err := c.NewSession().Do(context.Background(), registry.Request{
				Step: "referrers", Method: http.MethodGet, URL: c.URL(name + "/referrers/sha256:0"), Scope: "repository:" + name + ":pull",
			})
			if err != nil || resp.Status != http.StatusNotFound {
				t.Errorf("%v %+v", err, resp)
			}
		})
	}
	all.Wait()
	r.perScope.Range(func(scope, n any) bool {
		if got := n.(*atomic.Int32).Load(); got != 1 {
			t.Errorf("%d tokens for %s", got, scope)
		}
		return true
	})
	// Each repository costs a challenge and a token beside its own requests.
	if got := int(r.requests.Load()); got != images+2*repositories {
		t.Errorf("%d requests, want %d", got, images+2*repositories)
	}
}

// TestAccountsStayApart: two entries for one host never share a token.
func TestAccountsStayApart(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		user, _, ok := q.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		seen[user]++
		mu.Unlock()
	})
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	for _, user := range []string{"alice", "bob"} {
		e := entry(t, s.URL)
		e.Auth = inventory.Auth{Username: user, Password: inventory.Secret("password of " + user)}
		ask(t, pool.Client(e))
	}
	if seen["alice"] != 1 || seen["bob"] != 1 {
		t.Errorf("%v", seen)
	}
}

// TestRate: the server never sees more than burst + rate x time in any window,
// retries and token requests counted.
func TestRate(t *testing.T) {
	var mu sync.Mutex
	var times []time.Time
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		times = append(times, time.Now())
		mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
	})
	e := entry(t, s.URL)
	e.Rate, e.Burst, e.Concurrency = 100, 5, 16
	c := client(t, e)
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	// A request can be late on its way to the server and so come closer to the
	// next one; the margin is what one scheduling delay can hide.
	const margin = 3
	for i := range times {
		for j := i; j < len(times); j++ {
			window := times[j].Sub(times[i]).Seconds()
			if n := j - i + 1; float64(n) > float64(e.Burst)+e.Rate*window+1+margin {
				t.Fatalf("%d requests in %.3f s", n, window)
			}
		}
	}
	if len(times) != 30 {
		t.Errorf("%d requests", len(times))
	}
}

// TestInFlight: no more requests are in flight than the inventory allows.
func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		w.WriteHeader(http.StatusNotFound)
	})
	e := entry(t, s.URL)
	e.Concurrency = 3
	c := client(t, e)
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d in flight", most.Load())
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

// TestEchoedToken: a token endpoint that repeats its token in a header finds
// nothing of it in what is recorded, although it is new there.
func TestEchoedToken(t *testing.T) {
	const token = "canary-token-98765"
	var s *httptest.Server
	s = serve(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Server", token)
		if q.URL.Path == "/token" {
			_, _ = io.WriteString(w, `{"token":"`+token+`"}`)
			return
		}
		if q.Header.Get("Authorization") == "" {
			w.Header().Set("Server", "x")
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	resp, session := ask(t, client(t, entry(t, s.URL)))
	encoded, err := json.Marshal(session.Exchanges())
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != http.StatusOK || strings.Contains(string(encoded), token) {
		t.Errorf("%d %s", resp.Status, encoded)
	}
}

// TestCredentialSources: where the inventory says nothing, the docker config
// and what it names are asked.
func TestCredentialSources(t *testing.T) {
	dir := t.TempDir()
	helper := "#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"x\",\"Username\":\"helped\",\"Secret\":\"from-helper\"}'\n"
	broken := "#!/bin/sh\necho 'canary-in-helper-output'\nexit 1\n"
	for name, script := range map[string]string{"docker-credential-good": helper, "docker-credential-broken": broken} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		user, _, ok := q.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", "Basic realm=x")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Server", user)
	})
	host := strings.TrimPrefix(s.URL, "http://")
	encode := func(user string) string { return base64.StdEncoding.EncodeToString([]byte(user + ":password")) }
	tests := []struct {
		name, docker, registryAuth string
		auth                       inventory.Auth
		want                       string
	}{
		{"auths", `{"auths":{"` + host + `":{"auth":"` + encode("dockered") + `"}}}`, "", inventory.Auth{}, "dockered"},
		{"credHelpers", `{"credHelpers":{"` + host + `":"good"}}`, "", inventory.Auth{}, "helped"},
		{"credsStore", `{"credsStore":"good"}`, "", inventory.Auth{}, "helped"},
		{"REGISTRY_AUTH_FILE comes first", `{"auths":{"` + host + `":{"auth":"` + encode("dockered") + `"}}}`, `{"auths":{"` + host + `":{"auth":"` + encode("podmanned") + `"}}}`, inventory.Auth{}, "podmanned"},
		{"a helper of the inventory", `{}`, "", inventory.Auth{Helper: "good"}, "helped"},
		{"a helper that fails", `{}`, "", inventory.Auth{Helper: "broken"}, "fault credentials: docker-credential-broken failed for " + host},
		{"a helper that is not there", `{}`, "", inventory.Auth{Helper: "nowhere"}, "fault credentials: docker-credential-nowhere failed for " + host},
		{"a docker config that is broken", `{`, "", inventory.Auth{}, "fault credentials: the docker config cannot be read"},
		{"anonymous asks nobody", `{"credsStore":"broken"}`, "", inventory.Auth{Anonymous: true}, "401"},
		{"nobody knows it", `{}`, "", inventory.Auth{}, "401"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := t.TempDir()
			t.Setenv("DOCKER_CONFIG", config)
			if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(test.docker), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("REGISTRY_AUTH_FILE", "")
			if test.registryAuth != "" {
				path := filepath.Join(config, "auth.json")
				t.Setenv("REGISTRY_AUTH_FILE", path)
				if err := os.WriteFile(path, []byte(test.registryAuth), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			e := entry(t, s.URL)
			e.Auth, e.Timeout = test.auth, 5*time.Second
			resp, _ := ask(t, client(t, e))
			got := resp.Header.Get("Server")
			switch {
			case resp.Fault != nil:
				got = fmt.Sprintf("fault %s: %s", resp.Fault.Kind, resp.Fault.Text)
			case resp.Status == http.StatusUnauthorized:
				got = "401"
			}
			if !strings.HasPrefix(got, test.want) || strings.Contains(got, "canary") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
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
