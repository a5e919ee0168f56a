//go:build unix

package credential_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"refmatrix/scanner/registry/credential"
)

// program puts a credential helper of that name on the PATH.
func program(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestAskHelper: a helper is believed only within its bounds, and nothing of what
// it writes is in an error.
func TestAskHelper(t *testing.T) {
	const answer = `{"ServerURL":"x","Username":"robot","Secret":"canary-secret"}`
	robot := credential.Account{Username: "robot", Password: "canary-secret"}
	none := credential.Account{}
	tests := []struct {
		name, helper, script string
		want                 credential.Account
		text                 string // of the error
	}{
		{"an account", "ok", `read server; test "$1 $server" = "get registry.test" && echo '` + answer + `'`, robot, ""},
		{"an identity token", "ok", `echo '{"Username":"<token>","Secret":"canary-secret"}'`, credential.Account{IdentityToken: "canary-secret"}, ""},
		{"none", "ok", `echo 'credentials not found in native keychain'; exit 1`, none, ""},
		{"a child that stays", "ok", `sleep 60 & echo '` + answer + `'`, robot, ""},
		{"an error", "ok", `echo canary-secret; echo canary-secret >&2; exit 3`, none, "docker-credential-ok failed for registry.test"},
		{"no JSON", "ok", `echo canary-secret`, none, "not the protocol's JSON"},
		{"too much", "ok", `yes '` + answer + `'`, none, "more than 65536 bytes"},
		{"too long", "ok", `sleep 60; echo '` + answer + `'`, none, "did not answer within"},
		{"too long, with a child", "ok", `sleep 60 & sleep 60; echo`, none, "did not answer within"},
		{"nothing installed", "nowhere", "", none, "not on the PATH"},
		{"a path", "../ok", "", none, `"../ok" is not a credential helper's name`},
		{"an option", "-ok", "", none, "is not a credential helper's name"},
		{"a dot", ".ok", "", none, "is not a credential helper's name"},
		{"a command", "ok; id", "", none, "is not a credential helper's name"},
		{"two lines", "ok\n", "", none, "is not a credential helper's name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			program(t, "ok", test.script)
			within := time.Minute
			if strings.HasPrefix(test.name, "too long") {
				within = 200 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			began := time.Now()
			got, _, err := credential.Helper(test.helper, "registry.test").Account(ctx)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if got != test.want || (err == nil) != (test.text == "") {
				t.Fatalf("%+v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "canary")) {
				t.Errorf("%v, want %s", err, test.text)
			}
		})
	}
}

// TestHelperStderr: what a helper writes to stderr does not reach the terminal.
func TestHelperStderr(t *testing.T) {
	program(t, "loud", `echo canary-secret >&2; echo '{"Username":"u","Secret":"s"}'`)
	path := filepath.Join(t.TempDir(), "stderr")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ours := os.Stderr
	os.Stderr = file
	_, _, err = credential.Helper("loud", "registry.test").Account(t.Context())
	os.Stderr = ours
	if content, _ := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("%v %q", err, content)
	}
}

// TestHelperEnds: a helper and its children end with the context.
func TestHelperEnds(t *testing.T) {
	// The pipe is open for writing as long as one of them lives.
	pipe := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "slow", `exec 3>`+pipe+`; sleep 60 & sleep 60`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := make(chan error, 1)
	go func() {
		_, _, err := credential.Helper("slow", "registry.test").Account(ctx)
		asked <- err
	}()
	alive, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cancel()
	began := time.Now()
	if err := <-asked; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := io.ReadAll(alive); err != nil || time.Since(began) > 20*time.Second {
		t.Errorf("the helper ran on for %s: %v", time.Since(began), err)
	}
}

// TestServerNames: helpers are asked for a registry under the name that the login
// of the same tool stored it under.
func TestServerNames(t *testing.T) {
	program(t, "echo", `read server; echo "{\"Username\":\"$server\",\"Secret\":\"s\"}"`)
	const index = "https://index.docker.io/v1/"
	for _, test := range []struct{ variable, content, host, want string }{
		{"inventory", "", "registry-1.docker.io", index},
		{"inventory", "", "docker.io", index},
		{"inventory", "", "Registry.test:5000", "registry.test:5000"},
		{"docker config", `{"credsStore":"echo"}`, "registry-1.docker.io", index},
		{"docker config", `{"credHelpers":{"docker.io":"echo"}}`, "registry-1.docker.io", index},
		{"docker config", `{"credsStore":"echo"}`, "registry.test:5000", "registry.test:5000"},
		{"auth file", `{"credHelpers":{"docker.io":"echo"}}`, "registry-1.docker.io", "docker.io"},
		{"auth file", `{"credHelpers":{"registry.test":"echo"}}`, "registry.test", "registry.test"},
	} {
		t.Run(test.variable+" "+test.host, func(t *testing.T) {
			source := credential.Helper("echo", test.host)
			switch test.variable {
			case "docker config":
				source = locate(t, files(t, "", test.content), test.host, "team/app")
			case "auth file":
				source = locate(t, files(t, test.content, ""), test.host, "team/app")
			}
			if account, _, err := source.Account(t.Context()); err != nil || account.Username != test.want || source.Name() != "helper echo" {
				t.Errorf("%s is asked for %s: %v", source.Name(), account.Username, err)
			}
		})
	}
}

// TestHelperThatKnowsNone: if the helper of the auth file knows no account, the
// docker config is looked at, and only then is it an error that it is broken.
func TestHelperThatKnowsNone(t *testing.T) {
	program(t, "full", `echo '{"Username":"helped","Secret":"s"}'`)
	program(t, "empty", `echo 'credentials not found in native keychain'; exit 1`)
	account := auths("registry.test", "host", "registry.test/team", "team")
	for _, test := range []struct{ name, authFile, docker, want, text string }{
		{"the helper knows it", `{"credHelpers":{"registry.test":"full"}}`, account, "helped", ""},
		{"the helper knows it, a broken docker config", `{"credHelpers":{"registry.test":"full"}}`, "{", "helped", ""},
		{"an account in the docker config", `{"credHelpers":{"registry.test":"empty"}}`, account, "team", ""},
		{"a helper of the docker config", `{"credHelpers":{"registry.test":"empty"}}`, `{"credsStore":"full"}`, "helped", ""},
		{"a broken docker config", `{"credHelpers":{"registry.test":"empty"}}`, "{", "", "the docker config cannot be read"},
		{"nobody knows it", `{"credHelpers":{"registry.test":"empty"}}`, `{"credsStore":"empty"}`, "", ""},
		{"an own entry does not replace the helper", `{"credsStore":"empty",` + auths("registry.test", "host")[1:], "", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, _, err := locate(t, files(t, test.authFile, test.docker), "registry.test", "team/app").Account(t.Context())
			if got.Username != test.want || (err == nil) != (test.text == "") || err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %q, %v", got.Username, err)
			}
		})
	}
	// Below a helper the docker config may have an account for each namespace.
	all := files(t, `{"credHelpers":{"registry.test":"empty"}}`, account)
	if locate(t, all, "registry.test", "team/app").Key() == locate(t, all, "registry.test", "other").Key() {
		t.Error("two namespaces of the docker config have one key")
	}
}
