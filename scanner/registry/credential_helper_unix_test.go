//go:build unix

package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"refmatrix/scanner/inventory"
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

// TestAskHelper: a helper is believed only within its bounds, and none of what
// it writes is told.
func TestAskHelper(t *testing.T) {
	const account = `{"ServerURL":"x","Username":"robot","Secret":"canary-secret"}`
	robot := auth.Credential{Username: "robot", Password: "canary-secret"}
	tests := []struct {
		name, helper, script string
		want                 auth.Credential
		words                string // of the error
	}{
		{"an account", "ok", `read server; test "$1 $server" = "get registry.test" && echo '` + account + `'`, robot, ""},
		{"an identity token", "ok", `echo '{"Username":"<token>","Secret":"canary-secret"}'`, auth.Credential{RefreshToken: "canary-secret"}, ""},
		{"none", "ok", `echo 'credentials not found in native keychain'; exit 1`, auth.EmptyCredential, ""},
		{"a child that stays", "ok", `sleep 60 & echo '` + account + `'`, robot, ""},
		{"an error", "ok", `echo canary-secret; echo canary-secret >&2; exit 3`, auth.EmptyCredential, "docker-credential-ok failed for registry.test"},
		{"no JSON", "ok", `echo canary-secret`, auth.EmptyCredential, "not the protocol's JSON"},
		{"too much", "ok", `yes '` + account + `'`, auth.EmptyCredential, "more than 65536 bytes"},
		{"too long", "ok", `sleep 60; echo '` + account + `'`, auth.EmptyCredential, "did not answer within"},
		{"too long, with a child", "ok", `sleep 60 & sleep 60; echo`, auth.EmptyCredential, "did not answer within"},
		{"nothing installed", "nowhere", "", auth.EmptyCredential, "not on the PATH"},
		{"a path", "../ok", "", auth.EmptyCredential, "is no credential helper's name"},
		{"an option", "-ok", "", auth.EmptyCredential, "is no credential helper's name"},
		{"a dot", ".ok", "", auth.EmptyCredential, "is no credential helper's name"},
		{"a command", "ok; id", "", auth.EmptyCredential, "is no credential helper's name"},
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
			got, err := askHelper(ctx, test.helper, "registry.test")
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if got != test.want || fmt.Sprint(err) == "<nil>" != (test.words == "") {
				t.Fatalf("%+v, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "canary")) {
				t.Errorf("%v, want %s", err, test.words)
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
	_, err = askHelper(t.Context(), "loud", "registry.test")
	os.Stderr = ours
	if content, _ := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("%v %q", err, content)
	}
}

// TestHelpersEndWithTheScan: a helper that runs when the scan ends does not
// outlive Close, nor does a child of it.
func TestHelpersEndWithTheScan(t *testing.T) {
	// The pipe is open for writing as long as one of them lives.
	pipe := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "slow", `exec 3>`+pipe+`; sleep 60 & sleep 60`)
	c := clientOf(t, "https://registry.test", inventory.Auth{Helper: "slow"})
	source := &credentialSource{client: c}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked, opened := make(chan error, 1), make(chan *os.File, 1)
	go func() {
		_, err := source.get(ctx, "")
		asked <- err
	}()
	go func() {
		file, err := os.Open(pipe)
		if err != nil {
			t.Error(err)
		}
		opened <- file
	}()
	var alive *os.File
	select {
	case alive = <-opened:
	case err := <-asked:
		t.Fatalf("the helper did not start: %v", err)
	}
	defer alive.Close()
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("the row that waited: %v", err)
	}
	began := time.Now()
	c.pool.Close()
	if _, err := io.ReadAll(alive); err != nil || time.Since(began) > 20*time.Second {
		t.Errorf("the helper lived on for %s: %v", time.Since(began), err)
	}
}

// watched tells when a row says that it only waits, and when it goes on.
type watched struct{ idle, busy chan struct{} }

func (w watched) Idle() { close(w.idle) }
func (w watched) Busy() { close(w.busy) }

// TestSignInIsWaiting: a row that waits for another's sign-in, or for a
// credential helper, says so, for it holds a worker as long as it does not.
func TestSignInIsWaiting(t *testing.T) {
	var lead leaders
	signedIn, err := lead.enter(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "answer")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "slow", "cat "+pipe)
	source := &credentialSource{client: clientOf(t, "https://registry.test", inventory.Auth{Helper: "slow"})}
	for _, test := range []struct {
		name    string
		wait    func(context.Context) error
		release func() error
	}{
		{"another row's sign-in", func(ctx context.Context) error {
			_, err := lead.enter(ctx, "")
			return err
		}, func() error {
			signedIn()
			return nil
		}},
		{"a credential helper", func(ctx context.Context) error {
			_, err := source.get(ctx, "")
			return err
		}, func() error {
			return os.WriteFile(pipe, []byte(`{"Username":"u","Secret":"secret"}`), 0o600)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			row := watched{make(chan struct{}), make(chan struct{})}
			over := make(chan error, 1)
			go func() { over <- test.wait(WithWorker(ctx, row)) }()
			select {
			case <-row.idle:
			case <-ctx.Done():
				t.Error("a row that waits is not told to")
			}
			if err := test.release(); err != nil {
				t.Fatal(err)
			}
			if err := <-over; err != nil {
				t.Fatal(err)
			}
			select {
			case <-row.busy:
			default:
				t.Error("a row that goes on is not told to")
			}
		})
	}
}
