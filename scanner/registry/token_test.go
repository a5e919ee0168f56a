package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

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
	// Each repository costs a token and an unsigned request beside its own: the first meets the
	// challenge, and the 404 of the other one may have come because of the token.
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

// TestScope: a token is asked for what the step needs, whatever else the
// challenge names.
func TestScope(t *testing.T) {
	for _, scope := range []string{"", "repository:user/image:pull", "repository:a/b:pull", "repository:a/b:pull,push,delete repository:prod/secret:* registry:catalog:*", "*"} {
		var asked atomic.Value
		var s *httptest.Server
		s = serve(t, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/token" {
				asked.Store(q.URL.Query()["scope"])
				_, _ = io.WriteString(w, `{"token":"token"}`)
				return
			}
			if q.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/token",scope="`+scope+`"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		resp, _ := ask(t, client(t, entry(t, s.URL)))
		if got := fmt.Sprint(asked.Load()); resp.Status != http.StatusOK || got != "[repository:a/b:pull]" {
			t.Errorf("%q: %d, asked for %s", scope, resp.Status, got)
		}
	}
}

// TestTokenFaults: what a token endpoint does wrong is told without the query
// of its URLs, where signatures travel.
func TestTokenFaults(t *testing.T) {
	const signature = "canary-signature"
	other := serve(t, http.NotFound)
	tests := []struct {
		name   string
		auth   inventory.Auth
		answer http.HandlerFunc // to /token
		want   matrix.Reason
		words  string
	}{
		{"a page", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html>")
		}, matrix.TokenError, "answered HTTP 200, but no token"},
		{"an empty object", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "{}")
		}, matrix.TokenError, "answered HTTP 200, but no token"},
		{"more than a token", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"token":"`+strings.Repeat("x", 64<<10)+`"}`)
		}, matrix.TokenError, "over the bound of 65536 bytes"},
		{"a token that no header carries", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"token":"`+strings.Repeat("x", 16<<10+1)+`"}`)
		}, matrix.TokenError, "answered a token of 16385 bytes, over the bound of 16384"},
		{"500", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		}, matrix.TokenError, "answered HTTP 500"},
		{"no URL", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1/?sig="+signature)
			w.WriteHeader(http.StatusFound)
		}, matrix.TokenError, "the Location of the redirect is not a URL"},
		{"a broken header", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/\x7f?sig="+signature)
			w.WriteHeader(http.StatusFound)
		}, matrix.TokenError, "a header line of the answer is malformed"},
		{"another scheme", inventory.Auth{Anonymous: true}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "ftp://127.0.0.1/?sig="+signature)
			w.WriteHeader(http.StatusFound)
		}, matrix.AuthRefused, "is neither https nor http"},
		{"the identity token to another origin", inventory.Auth{IdentityToken: "canary-identity"}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL+"/?sig="+signature)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, matrix.AuthRefused, "redirects the request with the identity token"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s *httptest.Server
			s = serve(t, func(w http.ResponseWriter, q *http.Request) {
				switch q.URL.Path {
				case "/sign-in":
					http.Redirect(w, q, "/token?sig="+signature, http.StatusTemporaryRedirect)
				case "/token":
					test.answer(w, q)
				default:
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.URL+`/sign-in"`)
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			e := entry(t, s.URL)
			e.Auth = test.auth
			resp, session := ask(t, client(t, e))
			told, err := json.Marshal(session.Exchanges())
			if err != nil {
				t.Fatal(err)
			}
			if resp.Fault == nil || resp.Fault.Kind != test.want || !strings.Contains(resp.Fault.Text, test.words) {
				t.Fatalf("%+v, want %s: %s", resp.Fault, test.want, test.words)
			}
			if strings.Contains(resp.Fault.Text+string(told), "canary") {
				t.Errorf("%s\n%s", resp.Fault.Text, told)
			}
		})
	}
}
