package registry

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/credential"
)

// onIdle is a worker that calls a function when its row waits.
type onIdle func()

func (f onIdle) Idle() { f() }
func (onIdle) Busy()   {}

// TestRowsThatWaitHoldNoMemory: a row that waits for anything but its own answer has
// given back what the answer before took. Else many rows that wait for one could hold
// all the memory that this one needs to go on.
func TestRowsThatWaitHoldNoMemory(t *testing.T) {
	page := bytes.Repeat([]byte{'x'}, MaxError)
	account := credential.Account{
		Username: "robot",
		Password: "password",
	}
	for _, test := range []struct {
		name   string
		answer func(c *Client, w http.ResponseWriter, r *http.Request)
		hold   func(c *Client) // what the row has to wait for
	}{
		{
			name: "for the time of Retry-After",
			answer: func(_ *Client, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusServiceUnavailable)
			},
		},
		{
			name: "for the cooldown, after a redirect",
			answer: func(c *Client, w http.ResponseWriter, _ *http.Request) {
				c.pace.throttle(time.Hour)
				w.Header().Set("Location", "/v2/a/elsewhere")
				w.WriteHeader(http.StatusTemporaryRedirect)
			},
		},
		{
			name:   "for another row that requests /v2/",
			answer: func(_ *Client, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
			hold:   func(c *Client) { _ = c.version.slot.Acquire(context.Background(), 1) },
		},
		{
			name: "for another row that signs in",
			answer: func(_ *Client, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			},
			hold: func(c *Client) {
				_ = c.pool.account(c.origin, account).loginSlot.Acquire(context.Background(), 1)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c *Client
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				test.answer(c, w, r)
				_, _ = w.Write(page)
			}))
			defer server.Close()
			target, _ := url.Parse(server.URL)
			pool := NewPool(Options{})
			defer pool.Close()
			entry := inventory.Registry{URL: target, Timeout: time.Minute, Concurrency: 4, Retries: 1, RetryCap: time.Hour}
			entry.Auth.Username, entry.Auth.Password = account.Username, inventory.Secret(account.Password)
			c = pool.Client(entry)
			if test.hold != nil {
				test.hold(c)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var mu sync.Mutex // waits nest, and each reports
			waits := false
			session := c.NewSession()
			_, _ = session.Do(WithWorker(ctx, onIdle(func() {
				mu.Lock()
				defer mu.Unlock()
				waits = true
				if held := inMemory(pool); held > 0 {
					t.Errorf("%d bytes are held", held)
				}
				cancel()
			})), Request{Step: "resolve", Method: http.MethodGet, URL: c.URL("a/manifests/b"), Scope: "repository:a:pull", Hidden: true})
			if session.Close(); !waits {
				t.Error("the row does not wait")
			}
		})
	}
}

// TestPausesHoldNoMemory: nor does a row hold memory in a pause between two requests, as the
// write probe makes it.
func TestPausesHoldNoMemory(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, MaxError))
	}))
	defer server.Close()
	target, _ := url.Parse(server.URL)
	pool := NewPool(Options{})
	defer pool.Close()
	c := pool.Client(inventory.Registry{URL: target, Timeout: time.Minute, Concurrency: 1})
	session := c.NewSession()
	defer session.Close()
	if _, err := session.Do(t.Context(), Request{Step: "push-list", Method: http.MethodGet, URL: c.URL("a/referrers/b")}); err != nil {
		t.Fatal(err)
	}
	if inMemory(pool) == 0 {
		t.Fatal("the body takes no memory")
	}
	if err := session.Sleep(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if held := inMemory(pool); held > 0 {
		t.Errorf("%d bytes are held", held)
	}
}
