package registry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// scripted is a registry that answers as a rule says and records what it was sent:
// method, path and query, and who signed.
type scripted struct {
	*httptest.Server
	mu   sync.Mutex
	sent []string
}

// reply is an answer: a status, and a challenge or body. {origin} is the server's.
type reply struct {
	status    int
	challenge string
	body      string
	location  string
}

// signedBy is who signed a request: a user and password, a token, or nobody.
func signedBy(q *http.Request) string {
	if user, password, ok := q.BasicAuth(); ok {
		return user + ":" + password
	}
	return strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
}

// script starts a registry. rule gets the request without its origin, as
// "GET /v2/", and who signed it.
func script(t *testing.T, rule func(request, by string) reply) *scripted {
	t.Helper()
	s := &scripted{}
	s.Server = serve(t, func(w http.ResponseWriter, q *http.Request) {
		request, by := q.Method+" "+q.URL.RequestURI(), signedBy(q)
		if q.Method == http.MethodPost && q.URL.Path == "/token" {
			_ = q.ParseForm()
			by = q.PostForm.Get("refresh_token")
			request += " scope=" + q.PostForm.Get("scope") + " service=" + q.PostForm.Get("service")
		}
		s.mu.Lock()
		s.sent = append(s.sent, strings.TrimSpace(request+" "+by))
		s.mu.Unlock()
		answer := rule(request, by)
		place := func(text string) string { return strings.ReplaceAll(text, "{origin}", s.URL) }
		if answer.challenge != "" {
			w.Header().Set("WWW-Authenticate", place(answer.challenge))
		}
		if answer.location != "" {
			w.Header().Set("Location", place(answer.location))
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	})
	return s
}

// take returns what was sent since the last call.
func (s *scripted) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// manifest asks for the manifest of a repository, as the resolve step does.
func manifest(t *testing.T, c *registry.Client, repository string) *registry.Response {
	t.Helper()
	resp, err := c.NewSession().Do(t.Context(), registry.Request{
		Step: "resolve", Method: http.MethodGet, URL: c.URL(repository + "/manifests/x"),
		Scope: "repository:" + repository + ":pull", Hidden: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// outcome is a response in a word: its status or fault, and what became of the
// account.
func outcome(resp *registry.Response) string {
	if resp.Fault != nil {
		return string(resp.Fault.Kind)
	}
	text := fmt.Sprint(resp.Status)
	if resp.Token {
		text = "token " + text
	}
	return strings.TrimSpace(text + " " + string(resp.Account))
}

const basicChallenge, bearerChallenge = `Basic realm="x"`, `Bearer realm="{origin}/token",service="s"`

// wantsBasic is a registry that wants a user and password everywhere.
func wantsBasic(good string) func(string, string) reply {
	return func(_, by string) reply {
		if by != good {
			return reply{status: 401, challenge: basicChallenge}
		}
		return reply{status: 200}
	}
}

// wantsToken is a registry behind a token service, which refuses other accounts
// than good.
func wantsToken(good string) func(string, string) reply {
	return func(request, by string) reply {
		switch {
		case strings.Contains(request, " /token") && by == good:
			return reply{status: 200, body: `{"token":"token-of-` + by + `"}`}
		case strings.Contains(request, " /token"):
			return reply{status: 401, body: `{"errors":[{"code":"UNAUTHORIZED"}]}`}
		case by == "token-of-"+good:
			return reply{status: 200}
		}
		return reply{status: 401, challenge: bearerChallenge}
	}
}

// TestSignIn: the requests that each way to sign in costs, and what the answers
// say of the account.
func TestSignIn(t *testing.T) {
	robot := inventory.Auth{Username: "robot", Password: "right"}
	wrong := inventory.Auth{Username: "robot", Password: "wrong"}
	anonymous := inventory.Auth{Anonymous: true}
	const a, b, c = "GET /v2/a/manifests/x", "GET /v2/b/manifests/x", "GET /v2/c/manifests/x"
	token := func(repository string) string {
		return "GET /token?scope=repository%3A" + repository + "%3Apull&service=s"
	}
	tests := []struct {
		name  string
		auth  inventory.Auth
		rule  func(request, by string) reply
		asked string // repositories, in order
		want  string // outcomes
		sent  []string
	}{
		{
			"an open registry is not sent the account", robot,
			func(string, string) reply { return reply{status: 200} },
			"a b", "200, 200",
			[]string{a, b},
		},
		{
			"Basic costs one challenge", robot, wantsBasic("robot:right"),
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{a, a + " robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"Basic without an account", anonymous, wantsBasic("robot:right"),
			"a b", "401, 401",
			[]string{a, b},
		},
		{
			"a token costs a challenge for each repository", robot, wantsToken("robot:right"),
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				b, token("b") + " robot:right", b + " token-of-robot:right",
				a + " token-of-robot:right",
			},
		},
		{
			"an anonymous token", anonymous, wantsToken(""),
			"a a", "200, 200",
			[]string{a, token("a"), a + " token-of-", a + " token-of-"},
		},
		{
			"an identity token is posted", inventory.Auth{IdentityToken: "refresh"}, wantsToken("refresh"),
			"a", "200 accepted",
			[]string{a, "POST /token scope=repository:a:pull service=s refresh", a + " token-of-refresh"},
		},
		{
			"a registry token is sent at once", inventory.Auth{Token: "fixed"},
			func(_, by string) reply { return reply{status: map[bool]int{true: 200, false: 401}[by == "fixed"]} },
			"a b", "200 accepted, 200 accepted",
			[]string{a + " fixed", b + " fixed"},
		},
		{
			"a wrong password is sent twice, and no more", wrong, wantsBasic("robot:right"),
			"a b c", "401 refused, 401 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", b, c},
		},
		{
			"a wrong password is sent to the token service twice", wrong, wantsToken("robot:right"),
			"a b", "token 401 refused, 401 refused",
			[]string{a, token("a") + " robot:wrong", "GET /v2/", "GET /token?service=s robot:wrong", b},
		},
		{
			"a token service that takes any password (Harbor)", wrong,
			func(request, _ string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 200, body: `{"token":"of-nobody"}`}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "401 refused, 401 refused",
			[]string{
				a, token("a") + " robot:wrong", a + " of-nobody",
				"GET /v2/", "GET /token?service=s robot:wrong", "GET /v2/ of-nobody", b,
			},
		},
		{
			"one refused repository does not refuse the account", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/a/") && by != "" {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b a", "401 accepted, 200 accepted, 401 accepted",
			[]string{a, a + " robot:right", "GET /v2/", "GET /v2/ robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"Basic that was accepted needs no proof", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/b/") && by != "" {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 accepted, 401 accepted",
			[]string{a, a + " robot:right", b + " robot:right"},
		},
		{
			"a token that was accepted can be one for everybody, so /v2/ is requested", robot,
			func(request, by string) reply {
				if strings.Contains(request, "scope=repository%3Ab%3A") {
					return reply{status: 403}
				}
				return wantsToken("robot:right")(request, by)
			},
			"a b b", "200 accepted, token 403 accepted, token 403 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				b, token("b") + " robot:right", "GET /v2/", "GET /token?service=s robot:right", "GET /v2/ token-of-robot:right",
				b, token("b") + " robot:right",
			},
		},
		{
			"a wrong password beside a public repository (Harbor)", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, " /token"):
					return reply{status: 200, body: `{"token":"of-nobody"}`}
				case strings.Contains(request, "/v2/a/") && by == "of-nobody":
					return reply{status: 200}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b c", "200 accepted, 401 refused, 401 refused",
			[]string{
				a, token("a") + " robot:wrong", a + " of-nobody",
				b, token("b") + " robot:wrong", b + " of-nobody",
				"GET /v2/", "GET /token?service=s robot:wrong", "GET /v2/ of-nobody",
				a, token("a"), a + " of-nobody", c,
			},
		},
		{
			"an account that one repository accepts and /v2/ does not", robot,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, " /token"):
					return reply{status: 200, body: `{"token":"token-of-` + by + `"}`}
				case strings.HasPrefix(request, "GET /v2/b/"), request == "GET /v2/", by != "token-of-robot:right":
					return reply{status: 401, challenge: bearerChallenge}
				}
				return reply{status: 200}
			},
			"a b c", "200 accepted, 401 accepted, 200 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				b, token("b") + " robot:right", b + " token-of-robot:right",
				"GET /v2/", "GET /token?service=s robot:right", "GET /v2/ token-of-robot:right",
				a, token("a"), a + " token-of-",
				c, token("c") + " robot:right", c + " token-of-robot:right",
			},
		},
		{
			"two absent repositories and a /v2/ that fails do not refuse an account", robot,
			func(request, by string) reply {
				switch {
				case request == "GET /v2/":
					return reply{status: 500}
				case strings.HasPrefix(request, "GET /v2/c/"):
					return wantsBasic("robot:right")(request, by)
				}
				return reply{status: 401, challenge: basicChallenge}
			},
			"a b c", "401 sent, 401 sent, 401 sent",
			[]string{a, a + " robot:right", "GET /v2/", b, "GET /v2/", b + " robot:right", c},
		},
		{
			"403 for an account of which nothing is known", wrong,
			func(request, by string) reply {
				if strings.HasSuffix(request, "/manifests/x") && by != "" {
					return reply{status: 403}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "403 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", b},
		},
		{
			"Basic at one repository and a token at another", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/b/") || strings.Contains(request, " /token") {
					return wantsToken("robot:right")(request, by)
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 accepted, 200 accepted",
			[]string{a, a + " robot:right", b + " robot:right", token("b") + " robot:right", b + " token-of-robot:right"},
		},
		{
			"a user without a password is not sent", inventory.Auth{Username: "robot"}, wantsBasic("robot:"),
			"a", "401",
			[]string{a},
		},
		{
			"where /v2/ asks for nothing, two repositories refuse an account, each asked once", wrong,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return reply{status: 200}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a a b c", "401 sent, 401 sent, 401 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", a, b, b + " robot:wrong", c},
		},
		{
			"there, the right account is sent to a refused repository again once another accepted it", robot,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return reply{status: 200}
				}
				if strings.Contains(request, "/v2/a/") {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a a b a", "401 sent, 401 sent, 200 accepted, 401 accepted",
			[]string{a, a + " robot:right", "GET /v2/", a, b, b + " robot:right", a + " robot:right"},
		},
		{
			"a /v2/ that answers 404 to the right account and 401 to others", robot,
			func(request, by string) reply {
				switch {
				case request == "GET /v2/" && by == "robot:right":
					return reply{status: 404}
				case !strings.Contains(request, "/v2/c/") && by != "":
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b c", "401 accepted, 401 accepted, 200 accepted",
			[]string{
				a, a + " robot:right", "GET /v2/", "GET /v2/ robot:right",
				b + " robot:right", c + " robot:right",
			},
		},
		{
			"a wrong password that is answered like none", wrong,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return wantsBasic("robot:right")(request, by)
				}
				return reply{status: 404}
			},
			"a b c", "404 sent, 404 refused, 404 refused",
			[]string{a, "GET /v2/", a + " robot:wrong", b, "GET /v2/ robot:wrong", c},
		},
		{
			"a sign-in page does not accept an account", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, "/login"):
					return reply{status: 200, body: "<html>"}
				case request == "GET /v2/" && by != "":
					return reply{status: 302, location: "{origin}/login"}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b c", "401 sent, 401 refused, 401 refused",
			[]string{
				a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", "GET /login robot:wrong",
				b, b + " robot:wrong", c,
			},
		},
		{
			"an identity token that is refused as OAuth2 refuses it", inventory.Auth{IdentityToken: "expired"},
			func(request, by string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 400, body: `{"error":"invalid_grant"}`}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "token 400 refused, 401 refused",
			[]string{
				a, "POST /token scope=repository:a:pull service=s expired",
				"GET /v2/", "POST /token scope= service=s expired", b,
			},
		},
		{
			"a token service that is not there shows nothing of the account", robot,
			func(request, by string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 404}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "token-error, token-error",
			[]string{
				a, token("a") + " robot:right",
				b, "GET /v2/", "GET /token?service=s robot:right", token("b") + " robot:right",
			},
		},
		{
			"a redirect within the origin shows nothing of the account", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, "/login"):
					return reply{status: 200, body: "<html>"}
				case request != "GET /v2/" && by != "":
					return reply{status: 302, location: "{origin}/login"}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 sent, 401 refused",
			[]string{
				a, a + " robot:wrong", "GET /login robot:wrong",
				b, "GET /v2/", "GET /v2/ robot:wrong",
			},
		},
		{
			"a registry token that is refused", inventory.Auth{Token: "expired"},
			func(_, by string) reply { return reply{status: 401, challenge: bearerChallenge} },
			"a b", "401 refused, 401 refused",
			[]string{a + " expired", "GET /v2/", "GET /v2/ expired", b},
		},
		{
			"a manifest that is hidden from those who do not sign in", robot,
			func(request, by string) reply {
				if by == "" && request != "GET /v2/" {
					return reply{status: 404}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{a, "GET /v2/", a + " robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"a manifest that is not there", robot,
			func(request, _ string) reply {
				return reply{status: map[bool]int{true: 200, false: 404}[request == "GET /v2/"]}
			},
			"a b", "404, 404",
			[]string{a, "GET /v2/", b},
		},
		{
			"a manifest that is not there, without an account", anonymous,
			func(string, string) reply { return reply{status: 403} },
			"a b", "403, 403",
			[]string{a, b},
		},
		{
			"what a realm asks for itself is not asked for", robot,
			func(request, by string) reply {
				if strings.Contains(request, " /token") || by != "" {
					return wantsToken("robot:right")(request, by)
				}
				return reply{status: 401, challenge: `Bearer realm="{origin}/token?scope=repository:prod/app:push,delete&Scope=x&scope[]=y&account=root&offline_token=true&` +
					`%20scope=x&scope%00=x&scope%09=x&scope%5b0%5d=x&sc%6fpe=x&%C5%BFcope=x&offline.token=true&access_type=offline&=x;scope=x&host=h&service=own"`}
			},
			"a", "200 accepted",
			[]string{a, "GET /token?host=h&scope=repository%3Aa%3Apull&service=own robot:right", a + " token-of-robot:right"},
		},
		{
			"nor is what a redirect of the token service asks for", robot,
			func(request, by string) reply {
				if strings.HasPrefix(request, "GET /token?") {
					return reply{status: 307, location: "{origin}/token/?scope=repository:prod/app:delete&account=root&state=1"}
				}
				return wantsToken("robot:right")(request, by)
			},
			"a", "200 accepted",
			[]string{a, token("a") + " robot:right", "GET /token/?scope=repository%3Aa%3Apull&state=1 robot:right", a + " token-of-robot:right"},
		},
		{
			"Basic where auth.realms names another host", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"auth.test"}},
			wantsBasic("robot:right"),
			"a b", "auth-refused, auth-refused",
			[]string{a, b},
		},
		{
			"Basic where auth.realms names the registry", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"127.0.0.1"}},
			wantsBasic("robot:right"),
			"a", "200 accepted",
			[]string{a, a + " robot:right"},
		},
		{
			"a realm that auth.realms does not name", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"auth.test"}},
			wantsToken("robot:right"),
			"a", "auth-refused",
			[]string{a},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := script(t, test.rule)
			e := entry(t, s.URL)
			e.Auth, e.Timeout = test.auth, 5*time.Second
			client := client(t, e)
			var got []string
			for repository := range strings.FieldsSeq(test.asked) {
				got = append(got, outcome(manifest(t, client, repository)))
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("outcomes %s, want %s", text, test.want)
			}
			if sent := s.take(); !slices.Equal(sent, test.sent) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(test.sent, "\n"))
			}
		})
	}
}

// TestRenewal: a token that is refused is renewed once, at the realm that the
// registry named to an unsigned request, whatever it names now.
func TestRenewal(t *testing.T) {
	for _, later := range []string{basicChallenge, `Bearer realm="https://169.254.169.254/token"`, `Bearer realm="{origin}/other"`, ""} {
		valid := "token-1"
		issued := 0
		s := script(t, func(request, by string) reply {
			switch {
			case strings.HasPrefix(request, "GET /token"):
				issued++
				return reply{status: 200, body: fmt.Sprintf(`{"token":"token-%d"}`, issued)}
			case by == valid:
				return reply{status: 200}
			case by != "":
				return reply{status: 401, challenge: later}
			}
			return reply{status: 401, challenge: bearerChallenge}
		})
		e := entry(t, s.URL)
		e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second
		c := client(t, e)
		if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
			t.Fatal(got)
		}
		s.take()
		valid = "token-2"
		got := outcome(manifest(t, c, "a"))
		want := []string{
			"GET /v2/a/manifests/x token-1", "GET /token?scope=repository%3Aa%3Apull&service=s robot:right", "GET /v2/a/manifests/x token-2",
		}
		if sent := s.take(); got != "200 accepted" || !slices.Equal(sent, want) {
			t.Errorf("%q: %s after %q", later, got, sent)
		}
		valid = ""
		if got := outcome(manifest(t, c, "a")); got != "401 accepted" {
			t.Errorf("%q: a token that is never good: %s", later, got)
		}
		for _, one := range s.take() {
			if strings.Contains(one, "/other") {
				t.Errorf("%q: sent %q", later, one)
			}
		}
	}
}

// TestOneRenewal: of many rows whose token has expired, one renews it.
func TestOneRenewal(t *testing.T) {
	var mu sync.Mutex
	valid, issued := 0, 0
	s := script(t, func(request, by string) reply {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasPrefix(request, "GET /token"):
			issued++
			return reply{status: 200, body: fmt.Sprintf(`{"token":"token-%d"}`, issued)}
		case valid > 0 && by == fmt.Sprintf("token-%d", valid):
			return reply{status: 200}
		}
		return reply{status: 401, challenge: bearerChallenge}
	})
	e := entry(t, s.URL)
	e.Timeout, e.Concurrency = 5*time.Second, 16
	c := client(t, e)
	valid = 1
	manifest(t, c, "a")
	mu.Lock()
	valid = 2
	mu.Unlock()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := outcome(manifest(t, c, "a")); got != "200" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if issued != 2 {
		t.Errorf("%d tokens were asked for, want 2", issued)
	}
}

// TestOneChallenge: images of a private repository that start together cost one
// challenge, at a registry whose first image was public too.
func TestOneChallenge(t *testing.T) {
	s := script(t, func(request, by string) reply {
		if strings.HasPrefix(request, "GET /v2/public/") {
			return reply{status: 200}
		}
		time.Sleep(5 * time.Millisecond)
		return wantsToken("robot:right")(request, by)
	})
	e := entry(t, s.URL)
	e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second, 16
	c := client(t, e)
	manifest(t, c, "public")
	s.take()
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	if sent := s.take(); len(sent) != 1+1+16 { // a challenge, a token, and an answer for each
		t.Errorf("%d requests:\n%s", len(sent), strings.Join(sent, "\n"))
	}
}

// TestWrongPassword: however many images of however many entries use a wrong
// password at an origin, it is sent twice.
func TestWrongPassword(t *testing.T) {
	for name, rule := range map[string]func(string, string) reply{
		"Basic": wantsBasic("robot:right"), "Bearer": wantsToken("robot:right"),
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, rule)
			pool := registry.NewPool(registry.Options{})
			t.Cleanup(pool.Close)
			var all sync.WaitGroup
			for range 3 {
				e := entry(t, s.URL)
				e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "wrong"}, 10*time.Second, 8
				c := pool.Client(e)
				for i := range 10 {
					all.Go(func() {
						resp := manifest(t, c, fmt.Sprintf("team/app%d", i))
						if resp.Account != verdict.AccountRefused {
							t.Errorf("%+v", resp.Answer)
						}
					})
				}
			}
			all.Wait()
			sent := 0
			for _, one := range s.take() {
				if strings.HasSuffix(one, "robot:wrong") {
					sent++
				}
			}
			if sent != 2 {
				t.Errorf("the password was sent %d times", sent)
			}
		})
	}
}

// TestWritesStay: a request that writes follows no redirect and leaves no origin.
func TestWritesStay(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 201} })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete} {
			for _, target := range []string{other.URL + "/v2/prod/app/manifests/latest", "/v2/prod/app/manifests/latest"} {
				s := script(t, func(string, string) reply { return reply{status: status, location: target} })
				c := client(t, entry(t, s.URL))
				resp, err := c.NewSession().Do(t.Context(), registry.Request{
					Step: "push", Method: method, URL: c.URL("scratch/manifests/x"), Body: []byte("{}"), Scope: "repository:scratch:push",
				})
				if err != nil || resp.Status != status {
					t.Errorf("%s %d: %v %+v", method, status, err, resp)
				}
				if sent := s.take(); len(sent) != 1 {
					t.Errorf("%s %d: sent %q", method, status, sent)
				}
			}
		}
	}
	c := client(t, entry(t, "http://registry.test"))
	target := c.URL("a/blobs/uploads/x")
	target.Host = strings.TrimPrefix(other.URL, "http://")
	resp, err := c.NewSession().Do(context.Background(), registry.Request{Step: "push", Method: http.MethodPut, URL: target})
	if err != nil || resp.Fault == nil || resp.Fault.Kind != matrix.Redirect {
		t.Errorf("%v %+v", err, resp)
	}
	if sent := other.take(); len(sent) > 0 {
		t.Errorf("the other origin was sent %q", sent)
	}
}

// TestWrongPasswordUnderTrouble: nor is it sent more often where the first answer to
// it shows nothing, and many images were waiting for that.
func TestWrongPasswordUnderTrouble(t *testing.T) {
	troubles := map[string]func() reply{
		"503":      func() reply { return reply{status: 503} },
		"403":      func() reply { return reply{status: 403} },
		"200":      func() reply { return reply{status: 200} },
		"a page":   func() reply { return reply{status: 302, location: "{origin}/page"} },
		"too late": func() reply { time.Sleep(700 * time.Millisecond); return reply{status: 200} },
	}
	for _, scheme := range []string{"Basic", "Bearer"} {
		for name, trouble := range troubles {
			if scheme == "Basic" && name == "200" {
				continue // that accepts the account
			}
			t.Run(scheme+" "+name, func(t *testing.T) {
				var sent atomic.Int32
				rule := map[string]func(string, string) reply{"Basic": wantsBasic("robot:right"), "Bearer": wantsToken("robot:right")}[scheme]
				s := script(t, func(request, by string) reply {
					switch {
					case strings.Contains(request, "/page"):
						return reply{status: 200}
					case by == "robot:wrong" && sent.Add(1) == 1:
						return trouble()
					}
					time.Sleep(5 * time.Millisecond)
					return rule(request, by)
				})
				e := entry(t, s.URL)
				e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "wrong"}, 500*time.Millisecond, 32
				c := client(t, e)
				var all sync.WaitGroup
				for i := range 32 {
					all.Go(func() { manifest(t, c, fmt.Sprintf("app%d", i)) })
				}
				all.Wait()
				if n := sent.Load(); n != 2 {
					t.Errorf("the password was sent %d times", n)
				}
			})
		}
	}
}

// TestGoodAccountUnderTrouble: an account is not taken for a wrong one because
// GET /v2/ failed once while repositories that are not there were asked for.
func TestGoodAccountUnderTrouble(t *testing.T) {
	absent := func(request string) bool {
		return strings.Contains(request, "/absent") || strings.Contains(request, "%3Aabsent")
	}
	for name, rule := range map[string]func(request, by string, first bool) reply{
		"/v2/ answers 503": func(request, by string, first bool) reply {
			switch {
			case request == "GET /v2/" && first:
				return reply{status: 503}
			case absent(request):
				return reply{status: 401, challenge: basicChallenge}
			}
			return wantsBasic("robot:right")(request, by)
		},
		"/v2/ answers late": func(request, by string, first bool) reply {
			switch {
			case request == "GET /v2/" && first:
				time.Sleep(700 * time.Millisecond)
			case absent(request):
				return reply{status: 401, challenge: basicChallenge}
			}
			return wantsBasic("robot:right")(request, by)
		},
		"the token service answers 500": func(request, by string, first bool) reply {
			switch {
			case request == "GET /token?service=s" && first:
				return reply{status: 500}
			case absent(request) && strings.Contains(request, " /token"):
				return reply{status: 401}
			}
			return wantsToken("robot:right")(request, by)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			times := map[string]int{}
			s := script(t, func(request, by string) reply {
				mu.Lock()
				times[request]++
				first := times[request] == 1
				mu.Unlock()
				return rule(request, by, first)
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 500*time.Millisecond
			c := client(t, e)
			for _, repository := range []string{"absent1", "absent2", "there"} {
				resp := manifest(t, c, repository)
				if resp.Account == verdict.AccountRefused || repository == "there" && resp.Status != 200 {
					t.Errorf("%s: %s", repository, outcome(resp))
				}
			}
		})
	}
}

// TestRowsOfASilentSignIn: where the requests that sign in are never answered, the
// images of a registry do not wait for each other one by one.
func TestRowsOfASilentSignIn(t *testing.T) {
	for name, rule := range map[string]struct {
		silent string
		status int
		asks   string
	}{
		"token service":            {" /token", 401, bearerChallenge},
		"signed":                   {" robot:right", 401, basicChallenge},
		"/v2/ after 401":           {"GET /v2/ ", 401, basicChallenge},
		"/v2/ of hidden manifests": {"GET /v2/ ", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, func(request, by string) reply {
				if strings.Contains(request+" "+by, rule.silent) {
					time.Sleep(400 * time.Millisecond)
				}
				return reply{status: rule.status, challenge: rule.asks}
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout, e.Concurrency = inventory.Auth{Username: "robot", Password: "right"}, 200*time.Millisecond, 32
			c := client(t, e)
			began := time.Now()
			var all sync.WaitGroup
			for i := range 32 {
				all.Go(func() { manifest(t, c, fmt.Sprintf("app%d", i)) })
			}
			all.Wait()
			if took := time.Since(began); took > 16*e.Timeout {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestReadsElsewhereAreUnsigned: what a request to another origin asks for, it asks
// for without the account.
func TestReadsElsewhereAreUnsigned(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 200} })
	for name, auth := range map[string]inventory.Auth{
		"Basic": {Username: "robot", Password: "right"},
		"token": {Token: "right"},
	} {
		s := script(t, func(request, by string) reply {
			if by == "right" {
				return reply{status: 200}
			}
			return wantsBasic("robot:right")(request, by)
		})
		e := entry(t, s.URL)
		e.Auth, e.Timeout = auth, 5*time.Second
		c := client(t, e)
		if got := outcome(manifest(t, c, "a")); got != "200 accepted" {
			t.Fatalf("%s: %s", name, got)
		}
		target := c.URL("a/manifests/x")
		target.Host = strings.TrimPrefix(other.URL, "http://")
		resp, err := c.NewSession().Do(t.Context(), registry.Request{
			Step: "page", Method: http.MethodGet, URL: target, Scope: "repository:a:pull",
		})
		if err != nil || resp.Status != 200 {
			t.Errorf("%s: %v %+v", name, err, resp)
		}
		if sent := other.take(); !slices.Equal(sent, []string{"GET /v2/a/manifests/x"}) {
			t.Errorf("%s: sent %q", name, sent)
		}
	}
}

// TestTurnIsLeft: a request that ends while it waits to be signed holds up no other.
func TestTurnIsLeft(t *testing.T) {
	answer := make(chan struct{})
	s := script(t, func(request, _ string) reply {
		if strings.Contains(request, "/slow/") {
			<-answer
		}
		return reply{status: 200}
	})
	pool := registry.NewPool(registry.Options{})
	t.Cleanup(pool.Close)
	e := entry(t, s.URL)
	e.Auth, e.Timeout = inventory.Auth{Token: "fixed"}, 10*time.Second
	one, other := pool.Client(e), pool.Client(e)
	ask := func(ctx context.Context, c *registry.Client, repository string) error {
		_, err := c.NewSession().Do(ctx, registry.Request{
			Step: "resolve", Method: http.MethodGet, URL: c.URL(repository + "/manifests/x"), Scope: "repository:" + repository + ":pull",
		})
		return err
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := ask(t.Context(), one, "slow"); err != nil {
			t.Error(err)
		}
	})
	for len(s.take()) == 0 { // one sends the account, and other waits for what comes of that
		time.Sleep(time.Millisecond)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := ask(short, other, "a"); err == nil {
		t.Error("the account was sent by two requests at once")
	}
	close(answer)
	all.Wait()
	long, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := ask(long, other, "a"); err != nil {
		t.Error(err)
	}
}

// TestRedirectsAcceptNoAccount: a redirect that answers a wrong password shows nothing
// of the account, whether it is followed or not, and wherever it leads.
func TestRedirectsAcceptNoAccount(t *testing.T) {
	other := script(t, func(string, string) reply { return reply{status: 200} })
	for name, redirect := range map[string]struct{ location, pinned string }{
		"that is not followed": {"{origin}/login", "/manifests/"},
		"to another origin":    {other.URL + "/login", ""},
		"to nowhere":           {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := script(t, func(request, by string) reply {
				if strings.Contains(request, "/v2/a/") && by != "" {
					return reply{status: 302, location: redirect.location}
				}
				return wantsBasic("robot:right")(request, by)
			})
			e := entry(t, s.URL)
			e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "wrong"}, 5*time.Second
			c := client(t, e)
			for _, repository := range []string{"a", "b", "c"} {
				_, err := c.NewSession().Do(t.Context(), registry.Request{
					Step:   "resolve",
					Method: http.MethodGet,
					URL:    c.URL(repository + "/manifests/x"),
					Scope:  "repository:" + repository + ":pull",
					Pinned: redirect.pinned,
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want := []string{
				"GET /v2/a/manifests/x", "GET /v2/a/manifests/x robot:wrong",
				"GET /v2/b/manifests/x", "GET /v2/", "GET /v2/ robot:wrong", "GET /v2/c/manifests/x",
			}
			if sent := s.take(); !slices.Equal(sent, want) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
