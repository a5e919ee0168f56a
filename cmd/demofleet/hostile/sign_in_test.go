package hostile

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"refmatrix/cmd/demofleet/testca"
)

// empty answers referrers with an empty list.
func empty(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", indexType)
	_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
}

// unheard answers all that is asked, as a host does that hopes to be sent
// something.
func unheard(t *testing.T, n int) *server {
	t.Helper()
	return serveHTTP(t, n+300, nil, func(*server) http.HandlerFunc { return issue })
}

// wants refuses a request with a challenge.
func wants(w http.ResponseWriter, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	w.WriteHeader(http.StatusUnauthorized)
}

// issue answers a token request.
func issue(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token":"good"}`) }

// widened is what a realm asks for itself, beside host=mirror: other repositories,
// other actions, another account, and a token that lasts.
const widened = "scope=repository:prod/app:push,delete&account=root&offline_token=true"

// widening is a healthy registry whose realm, or a redirect of it, asks for
// more than the step needs. secure is whether it is behind TLS.
func widening(secure bool, realm string, token http.HandlerFunc) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		config := tlsConfig(t, a, n, nil, false)
		if !secure {
			config = nil
		}
		return serveHTTP(t, n, config, func(s *server) http.HandlerFunc {
			signed := signedIn(s, empty)
			return func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasPrefix(r.URL.Path, "/token"):
					token(w, r)
				case r.Header.Get("Authorization") == "Bearer good":
					signed(w, r)
				default:
					wants(w, `Bearer realm="`+s.origin+realm+`",service="x",scope="repository:prod/app:push,delete"`)
				}
			}
		}), nil
	}
}

// redirectingToken is a token service that sends each request on to one that asks
// for more.
func redirectingToken(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		w.Header().Set("Location", "/token/next?state=1&"+widened)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	issue(w, r)
}

// tokensFor checks that the token service was asked with these targets and no
// others, and that the account went nowhere else.
func tokensFor(targets ...string) func(*testing.T, *met) {
	return func(t *testing.T, m *met) {
		t.Helper()
		for _, target := range targets {
			if !slices.ContainsFunc(m.own.asked(), func(r request) bool { return r.target == target }) {
				t.Errorf("%s: %s was not asked", m.name, target)
			}
		}
		for _, one := range m.own.asked() {
			isToken := strings.HasPrefix(one.target, "/token")
			if isToken && !slices.Contains(targets, one.target) {
				t.Errorf("%s: %s %s was asked", m.name, one.method, one.target)
			}
			if !isToken && strings.HasPrefix(one.authorization, "Basic ") {
				t.Errorf("%s: %s %s was sent the account", m.name, one.method, one.target)
			}
		}
		for _, word := range []string{"prod", "root", "offline"} {
			if strings.Contains(m.own.heard(), word) {
				t.Errorf("%s: the registry heard %s", m.name, word)
			}
		}
		nothingElsewhere(t, m)
	}
}

// nothingElsewhere checks that the other servers were not asked at all.
func nothingElsewhere(t *testing.T, m *met) {
	t.Helper()
	for _, other := range m.others {
		if heard := other.heard(); heard != "" {
			t.Errorf("%s: another host heard %.300q", m.name, heard)
		}
	}
}

// unsigned checks that nothing was sent that signs a request.
func unsigned(t *testing.T, m *met) {
	t.Helper()
	for _, form := range forms(m.secret) {
		if strings.Contains(m.own.heard(), form) {
			t.Errorf("%s: the registry was sent the account", m.name)
		}
	}
	if len(m.own.asked()) == 0 {
		t.Errorf("%s: the registry was not asked", m.name)
	}
	for _, one := range m.own.asked() {
		if one.authorization != "" {
			t.Errorf("%s: %s %s was signed", m.name, one.method, one.target)
		}
	}
	nothingElsewhere(t, m)
}

// posted checks the forms that a token service was posted.
func posted(t *testing.T, m *met) {
	t.Helper()
	form := url.Values{
		"client_id":     {"refmatrix"},
		"grant_type":    {"refresh_token"},
		"refresh_token": {m.secret},
		"scope":         {"repository:team/app:pull"},
		"service":       {"x"},
	}.Encode()
	heard := m.own.heard()
	if posts := strings.Count(heard, "POST /token?host=mirror HTTP/1.1\r\n"); posts == 0 || posts != strings.Count(heard, "\r\n\r\n"+form) {
		t.Errorf("%s: %d posts\n%s", m.name, posts, heard)
	}
	tokensFor("/token?host=mirror")(t, m)
}

// expiring is a registry whose token is refused at the referrers endpoint, which
// then names another challenge. The next token is good, unless it never is.
func expiring(later string, never bool) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := unheard(t, n)
		var issued atomic.Int32
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			signed := signedIn(s, empty)
			place := strings.NewReplacer("{origin}", s.origin, "{other}", other.origin)
			return func(w http.ResponseWriter, r *http.Request) {
				var token int32
				_, _ = fmt.Sscanf(r.Header.Get("Authorization"), "Bearer good-%d", &token)
				switch expired := never || token%2 == 1; {
				case strings.HasPrefix(r.URL.Path, "/token"):
					_, _ = fmt.Fprintf(w, `{"token":"good-%d"}`, issued.Add(1))
				case token == 0:
					wants(w, place.Replace(`Bearer realm="{origin}/token",service="x"`))
				case strings.Contains(r.URL.Path, "/referrers/") && expired:
					wants(w, place.Replace(later))
				default:
					signed(w, r)
				}
			}
		}), []*server{other}
	}
}

// renewed is where an expiring registry's token is asked for.
const renewed = "/token?scope=repository%3Ateam%2Fapp%3Apull&service=x"

// hiding is a registry that answers 404 to those who did not sign in, and names a
// challenge at /v2/ only.
func hiding(challenge string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := unheard(t, n)
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			signed := signedIn(s, empty)
			place := strings.NewReplacer("{origin}", s.origin, "{other}", other.origin, "{secured}", strings.Replace(other.origin, "http:", "https:", 1))
			return func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/token":
					issue(w, r)
				case r.Header.Get("Authorization") != "":
					signed(w, r)
				case r.URL.Path == "/v2/":
					wants(w, place.Replace(challenge))
				default:
					http.NotFound(w, r)
				}
			}
		}), []*server{other}
	}
}

// leading is a registry behind TLS that sends referrers to another one, which asks
// for a client certificate too.
func leading(selfSigned, otherSelfSigned bool) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		other := serveHTTP(t, n+300, tlsConfig(t, a, n+300, nil, otherSelfSigned), func(*server) http.HandlerFunc { return empty })
		return serveHTTP(t, n, tlsConfig(t, a, n, nil, selfSigned), func(s *server) http.HandlerFunc {
			return signedIn(s, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", other.origin+r.URL.Path)
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
		}), []*server{other}
	}
}

// shownToOwn checks that the registry saw the client certificate. That no other
// host did is checked as for every secret.
func shownToOwn(t *testing.T, m *met) {
	t.Helper()
	if !strings.Contains(m.own.heard(), "client certificate: "+m.secret) {
		t.Errorf("%s: the registry saw no client certificate", m.name)
	}
}

// signIns are the behaviours that are about who gets credentials, and for what.
var signIns = []behaviour{
	{
		name:  "realm that widens its token",
		want:  "referrers-empty",
		start: widening(false, "/token?host=mirror&"+widened, issue),
		check: tokensFor("/token?host=mirror&scope=repository%3Ateam%2Fapp%3Apull&service=x"),
	},
	{
		name: "realm that widens its token, in other spellings",
		want: "referrers-empty",
		start: widening(false, "/token?host=mirror&SCOPE=prod&s%63ope[]=prod&%20scope=prod&scope[0]=prod&Account=root&OFFLINE_TOKEN=offline"+
			"&scope%00=prod&%C5%BFcope=prod&offline.token=offline&access_type=offline", issue),
		check: tokensFor("/token?host=mirror&scope=repository%3Ateam%2Fapp%3Apull&service=x"),
	},
	{
		name:  "realm that widens its token, over TLS",
		want:  "referrers-empty",
		cert:  true,
		start: widening(true, "/token?host=mirror&"+widened, issue),
		check: tokensFor("/token?host=mirror&scope=repository%3Ateam%2Fapp%3Apull&service=x"),
	},
	{
		name:   "realm that widens its token, by its name",
		want:   "referrers-empty",
		realms: "['{host}']",
		start:  widening(true, "/token?host=mirror&"+widened, issue),
		check:  tokensFor("/token?host=mirror&scope=repository%3Ateam%2Fapp%3Apull&service=x"),
	},
	{
		name:   "realm that widens its token, which nobody named",
		want:   "auth-refused",
		realms: "[auth.example.com]",
		start:  widening(false, "/token?host=mirror&"+widened, issue),
		check:  unsigned,
	},
	{
		name:  "realm that widens the token for an identity token",
		want:  "referrers-empty",
		auth:  "identityToken",
		start: widening(false, "/token?host=mirror&"+widened, issue),
		check: posted,
	},
	{
		name:  "token: redirects and widens it",
		want:  "referrers-empty",
		start: widening(false, "/token", redirectingToken),
		check: tokensFor(renewed, "/token/next?scope=repository%3Ateam%2Fapp%3Apull&state=1"),
	},
	{
		name:   "token: redirects and widens it, over TLS, by its name",
		want:   "referrers-empty",
		realms: "['{host}']",
		start:  widening(true, "/token", redirectingToken),
		check:  tokensFor(renewed, "/token/next?scope=repository%3Ateam%2Fapp%3Apull&state=1"),
	},

	{
		name:   "Basic, and auth.realms names another host",
		want:   "auth-refused",
		realms: "[auth.example.com]",
		start:  listing(func(_ *server, w http.ResponseWriter, r *http.Request) { empty(w, r) }),
		check:  unsigned,
	},
	{
		name:   "Basic, and auth.realms names the registry",
		want:   "referrers-empty",
		realms: "['{host}']",
		start:  listing(func(_ *server, w http.ResponseWriter, r *http.Request) { empty(w, r) }),
	},

	{
		name:  "expired token, then a realm on another host",
		want:  "referrers-empty",
		start: expiring(`Bearer realm="{other}/token",service="x"`, false),
		check: tokensFor(renewed),
	},
	{
		name:  "expired token, then a realm on metadata",
		want:  "referrers-empty",
		start: expiring(`Bearer realm="https://169.254.169.254/token",service="x"`, false),
		check: tokensFor(renewed),
	},
	{
		name:  "expired token, then another realm of its own",
		want:  "referrers-empty",
		start: expiring(`Bearer realm="{origin}/token/other?`+widened+`",service="y"`, false),
		check: tokensFor(renewed),
	},
	{
		name:  "expired token, then Basic",
		want:  "referrers-empty",
		start: expiring(`Basic realm="x"`, false),
		check: tokensFor(renewed),
	},
	{
		name:   "expired token, then Basic, by its name",
		want:   "referrers-empty",
		realms: "['{host}']",
		start:  expiring(`Basic realm="x"`, false),
		check:  tokensFor(renewed),
	},
	{
		name:  "expired identity token's token, then a realm on another host",
		want:  "referrers-empty",
		auth:  "identityToken",
		start: expiring(`Bearer realm="{other}/token",service="x"`, false),
		check: tokensFor("/token"),
	},
	{
		name:  "tokens that are never good, then a realm on another host",
		want:  "forbidden",
		start: expiring(`Bearer realm="{other}/token",service="x"`, true),
		check: tokensFor(renewed, "/token?service=x"), // the second for GET /v2/, without a scope
	},

	{name: "hides its manifest: realm over http elsewhere", want: "auth-refused", start: hiding(`Bearer realm="{other}/token"`), check: unsigned},
	{name: "hides its manifest: realm on loopback", want: "auth-refused", start: hiding(`Bearer realm="{secured}/token"`), check: unsigned},
	{name: "hides its manifest: realm on metadata", want: "auth-refused", start: hiding(`Bearer realm="https://169.254.169.254/token"`), check: unsigned},
	{name: "hides its manifest: realm that nobody named", want: "auth-refused", realms: "[auth.example.com]", start: hiding(`Bearer realm="{origin}/token"`), check: unsigned},
	{name: "hides its manifest: Basic, and auth.realms names another host", want: "auth-refused", realms: "[auth.example.com]", start: hiding(`Basic realm="x"`), check: unsigned},
	{name: "hides its manifest: realm of its own", want: "referrers-empty", start: hiding(`Bearer realm="{origin}/token"`), check: tokensFor("/token?scope=repository%3Ateam%2Fapp%3Apull")},

	{name: "client certificate, redirects to another host", want: "referrers-empty", cert: true, start: leading(false, false), check: shownToOwn},
	{name: "insecureSkipVerify, redirects to another host", want: "referrers-empty", cert: true, insecure: true, start: leading(true, false), check: shownToOwn},
	{name: "insecureSkipVerify, redirects to one that signs itself", want: "tls", cert: true, insecure: true, start: leading(true, true), check: shownToOwn},
}
