package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestOwnAddresses: a password that is a word of an address hides nothing of what the
// inventory or refmatrix chose, only what a server sent.
func TestOwnAddresses(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/v2/moved" {
			w.Header().Set("Location", "/v2/library/manifests/latest")
			w.WriteHeader(http.StatusFound)
		}
	})
	const path, scope = "library/nginx/manifests/latest", "repository:library/nginx:pull"
	for _, test := range []struct {
		name, password, path, query string
		sent                        registry.Sent
		want                        string
	}{
		{"the repository", "library", path, "", registry.Sent{}, "/v2/library/nginx/manifests/latest"},
		{"a word of the protocol", "manifests", path, "", registry.Sent{}, "/v2/library/nginx/manifests/latest"},
		{"a tag", "latest", path, "", registry.Sent{}, "/v2/library/nginx/manifests/latest"},
		{"the host", "127.0.0.1", path, "", registry.Sent{}, "/v2/library/nginx/manifests/latest"},
		{"the base path", "/v2/", path, "", registry.Sent{}, "/v2/library/nginx/manifests/latest"},
		{"a part that was sent", "latest", path, "", registry.Sent{Part: "latest"}, "/v2/library/nginx/manifests/***"},
		{"another part than the secret", "library", path, "", registry.Sent{Part: "latest"}, "/v2/library/nginx/manifests/latest"},
		{"a digest", "a1b2c3", "latest/referrers/sha256:a1b2c3", "", registry.Sent{Part: "sha256:a1b2c3"}, "/v2/latest/referrers/sha256:***"},
		{"a digest in other letters", "abcd", "latest/referrers/sha256:0061626364", "", registry.Sent{Part: "sha256:0061626364"}, "/v2/latest/referrers/sha256:00***"},
		{"a query value", "spdx", "a/referrers/b", "artifactType=application%2Fspdx", registry.Sent{}, "/v2/a/referrers/b?artifactType=application%2F***"},
		{"a query name", "artifactType", "a/referrers/b", "artifactType=b", registry.Sent{}, "/v2/a/referrers/b?artifactType=b"},
		{"all that was sent", "library", path, "", registry.Sent{URL: s.URL + "/v2/" + path}, "/v2/***/nginx/manifests/latest"},
		{"a redirect", "library", "moved", "", registry.Sent{}, "/v2/***/manifests/latest"},
	} {
		e := entry(t, s.URL)
		e.Auth = inventory.Auth{Username: "user", Password: inventory.Secret(test.password)}
		c := client(t, e)
		session := c.NewSession()
		target := c.URL(test.path)
		target.RawQuery = test.query
		_, err := session.Do(context.Background(), registry.Request{
			Step:   "referrers",
			Method: http.MethodGet,
			URL:    target,
			Sent:   test.sent,
			Scope:  scope,
		})
		if err != nil {
			t.Fatal(err)
		}
		var last matrix.Exchange
		for _, last = range session.Exchanges() {
		}
		if want := s.URL + test.want; last.URL != want || last.Scope != scope {
			t.Errorf("%s: %s for %s, want %s", test.name, last.URL, last.Scope, want)
		}
	}
}

// TestRealmIsSent: a token service's address comes from a challenge.
func TestRealmIsSent(t *testing.T) {
	const password = "canary-8hX2kQ9v"
	var realm string
	s := serve(t, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	realm = s.URL + "/" + url.PathEscape(password) + "/token"
	e := entry(t, s.URL)
	e.Auth = inventory.Auth{Username: "user", Password: password}
	_, session := ask(t, client(t, e))
	for _, x := range session.Exchanges() {
		if x.Step == matrix.TokenStep && !strings.HasPrefix(x.URL, s.URL+"/***/token") {
			t.Errorf("the token request went to %s", x.URL)
		}
	}
}

// TestOwnScope: the scope of a token request is of the inventory, and is shown whole.
func TestOwnScope(t *testing.T) {
	s := script(t, wantsToken("user:library"))
	e := entry(t, s.URL)
	e.Auth = inventory.Auth{Username: "user", Password: "library"}
	session := client(t, e).NewSession()
	_, err := session.Do(t.Context(), registry.Request{
		Step:   "resolve",
		Method: http.MethodGet,
		URL:    session.Client().URL("library/nginx/manifests/latest"),
		Scope:  "repository:library/nginx:pull",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := s.URL + "/token?scope=repository%3Alibrary%2Fnginx%3Apull&service=s"
	if got := session.Exchanges()[1].URL; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSecretsWithDelimiters: an address that holds a secret which is taken apart with it
// shows none of its parts, wherever the address is shown.
func TestSecretsWithDelimiters(t *testing.T) {
	for _, password := range []string{
		"canary&8hX2kQ9v", "canary=8hX2&kQ9v", "canary#8hX2kQ9v", "canary@8hX2kQ9v", "canary?8hX2kQ9v", "canary%418hX2kQ9v",
		"canary;8hX2kQ9v", "canary+8hX2kQ9v", "canary/8hX2kQ9v", "canary:8hX2kQ9v", "canary%zz8hX2kQ9v", "canary[8hX2kQ9v",
	} {
		for _, echo := range []string{"/x?scope=", "/x/", "ftp://", "https://user:", "http://127.0.0.1/", "/x?n=1&"} {
			s := serve(t, func(w http.ResponseWriter, q *http.Request) {
				switch _, _, signed := q.BasicAuth(); {
				case strings.HasPrefix(q.URL.Path, "/v2/realm"):
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+echo+password+`"`)
					if strings.HasPrefix(echo, "/") {
						w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+q.Host+echo+password+`"`)
					}
					w.WriteHeader(http.StatusUnauthorized)
				case !signed:
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					w.WriteHeader(http.StatusUnauthorized)
				case strings.HasPrefix(q.URL.Path, "/v2/"):
					w.Header().Set("Location", echo+password)
					w.WriteHeader(http.StatusFound)
				}
			})
			for _, repository := range []string{"realm", "moved"} {
				e := entry(t, s.URL)
				e.Auth = inventory.Auth{Username: "user", Password: inventory.Secret(password)}
				session := client(t, e).NewSession()
				resp, err := session.Do(t.Context(), registry.Request{
					Step:   "referrers",
					Method: http.MethodGet,
					URL:    session.Client().URL(repository + "/referrers/a"),
					Scope:  "repository:" + repository + ":pull",
					Pinned: "/referrers/",
				})
				if err != nil {
					t.Fatal(err)
				}
				text := fmt.Sprintf("%+v %+v %s", session.Exchanges(), resp.Fault, resp.Location)
				for _, part := range []string{"canary", "8hX2", "kQ9v"} {
					if strings.Contains(text, part) {
						t.Errorf("%s behind %s in a %s: %s", password, echo, repository, text)
						break
					}
				}
			}
		}
	}
}
