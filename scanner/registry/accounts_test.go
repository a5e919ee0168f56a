package registry_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

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
		{"REGISTRY_AUTH_FILE alone is asked", `{`, `{"auths":{"` + host + `":{"auth":"` + encode("podmanned") + `"}}}`, inventory.Auth{}, "podmanned"},
		{"REGISTRY_AUTH_FILE with another registry", `{"auths":{"` + host + `":{"auth":"` + encode("dockered") + `"}}}`, `{"auths":{"quay.io":{"auth":"` + encode("podmanned") + `"}}}`, inventory.Auth{}, "dockered"},
		{"REGISTRY_AUTH_FILE with a helper", `{}`, `{"credHelpers":{"` + host + `":"good"}}`, inventory.Auth{}, "helped"},
		{"REGISTRY_AUTH_FILE that is broken", `{}`, `{`, inventory.Auth{}, "fault credentials: $REGISTRY_AUTH_FILE cannot be read"},
		{"REGISTRY_AUTH_FILE that is not there", `{}`, "nowhere", inventory.Auth{}, "fault credentials: $REGISTRY_AUTH_FILE cannot be read: open "},
		{"an entry that is no base64", `{}`, `{"auths":{"` + host + `":{"auth":"canary"}}}`, inventory.Auth{}, "fault credentials: the entry " + host + " of $REGISTRY_AUTH_FILE"},
		{"no home", "homeless", "", inventory.Auth{}, "401"},
		{"no home, REGISTRY_AUTH_FILE", "homeless", `{"auths":{"` + host + `":{"auth":"` + encode("podmanned") + `"}}}`, inventory.Auth{}, "podmanned"},
		{"a helper with a bad name", `{"credsStore":"../good"}`, "", inventory.Auth{}, "fault credentials: \"../good\" is not a credential helper's name"},
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
			if test.docker == "homeless" {
				t.Setenv("DOCKER_CONFIG", "")
				t.Setenv("HOME", "")
			} else if err := os.WriteFile(filepath.Join(config, "config.json"), []byte(test.docker), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("REGISTRY_AUTH_FILE", "")
			if test.registryAuth != "" {
				path := filepath.Join(config, "auth.json")
				t.Setenv("REGISTRY_AUTH_FILE", path)
				if test.registryAuth == "nowhere" {
					path = filepath.Join(config, "another")
				}
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

// TestNamespaces: an auth file can have an account for each namespace of a
// registry (containers-auth.json(5)), and none serves another.
func TestNamespaces(t *testing.T) {
	for _, scheme := range []string{"Basic", "Bearer"} {
		t.Run(scheme, func(t *testing.T) {
			var s *httptest.Server
			s = serve(t, func(w http.ResponseWriter, q *http.Request) {
				user, _, _ := q.BasicAuth()
				token := strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
				switch {
				case q.URL.Path == "/token":
					_, _ = io.WriteString(w, `{"token":"token-of-`+user+`"}`)
				case scheme == "Basic" && user != "":
					w.Header().Set("Docker-Distribution-Api-Version", user)
				case scheme == "Bearer" && token != "":
					w.Header().Set("Docker-Distribution-Api-Version", strings.TrimPrefix(token, "token-of-"))
				default:
					w.Header().Set("WWW-Authenticate", scheme+` realm="`+s.URL+`/token"`)
					w.WriteHeader(http.StatusUnauthorized)
				}
			})
			host := strings.TrimPrefix(s.URL, "http://")
			text := "{\"auths\":{"
			for key, user := range map[string]string{"": "all", "/team": "team", "/team/app": "app", "/other": "other"} {
				text += fmt.Sprintf(`"%s%s":{"auth":"%s"},`, host, key, base64.StdEncoding.EncodeToString([]byte(user+":password")))
			}
			path := filepath.Join(t.TempDir(), "auth.json")
			if err := os.WriteFile(path, []byte(strings.TrimSuffix(text, ",")+"}}"), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("REGISTRY_AUTH_FILE", path)
			e := entry(t, s.URL)
			e.Auth, e.Timeout = inventory.Auth{}, 5*time.Second
			c := client(t, e)
			for _, test := range []struct{ repository, user string }{
				{"team/app", "app"}, {"team/web", "team"}, {"team/app/sub", "app"}, {"team/apple", "team"}, {"teams/app", "all"}, {"other/x", "other"}, {"team", "team"}, {"team/app", "app"},
			} {
				resp, err := c.NewSession().Do(t.Context(), registry.Request{
					Step: "resolve", Method: http.MethodHead, URL: c.URL(test.repository + "/manifests/x"), Scope: "repository:" + test.repository + ":pull",
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := resp.Header.Get("Docker-Distribution-Api-Version"); got != test.user {
					t.Errorf("%s was asked for as %q, want %q", test.repository, got, test.user)
				}
			}
		})
	}
}
