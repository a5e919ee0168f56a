package registry_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
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
