//go:build unix

package registry

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

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
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked, opened := make(chan error, 1), make(chan *os.File, 1)
	go func() {
		_, err := c.accounts.get(ctx, "a/b")
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

// watched is a worker that reports when its row only waits, and when it goes on.
type watched struct{ idle, busy chan struct{} }

func (w watched) Idle() { close(w.idle) }
func (w watched) Busy() { close(w.busy) }

// TestSignInIsWaiting: a row that waits for another's sign-in, or for a credential
// helper, is idle, because it holds a worker until it is.
func TestSignInIsWaiting(t *testing.T) {
	known := newAuthorizations(nil)
	first, _, err := known.join(t.Context(), authorizationKey{scope: "one"})
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "answer")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "slow", "cat "+pipe)
	c := clientOf(t, "https://registry.test", inventory.Auth{Helper: "slow"})
	for _, test := range []struct {
		name    string
		wait    func(context.Context) error
		release func() error
	}{
		{"another row's sign-in", func(ctx context.Context) error {
			_, _, err := known.join(ctx, authorizationKey{scope: "two"})
			return err
		}, func() error {
			first.finish(nil)
			return nil
		}},
		{"a credential helper", func(ctx context.Context) error {
			_, err := c.accounts.get(ctx, "a/b")
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
				t.Error("a row that waits is not idle")
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
				t.Error("a row that goes on is not busy")
			}
		})
	}
}
