package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// sessionOf gives a session of a row that may be asked for again retries times.
func sessionOf(t *testing.T, retries int, timeout, retryCap time.Duration) *Session {
	t.Helper()
	pool := NewPool(Options{})
	t.Cleanup(pool.Close)
	return pool.Client(inventory.Registry{
		URL: &url.URL{Scheme: "https", Host: "registry.test"}, Timeout: timeout, Retries: retries, RetryCap: retryCap,
	}).NewSession()
}

// TestBudget: what a row may take in all, and what Retry-After may add.
func TestBudget(t *testing.T) {
	for retries, want := range map[int]struct{ budget, retryAfter time.Duration }{
		0: {10 * time.Second, 0}, 1: {20 * time.Second, 5 * time.Second}, 3: {40 * time.Second, 5 * time.Second},
	} {
		if s := sessionOf(t, retries, 10*time.Second, 5*time.Second); s.budget != want.budget || s.retryAfterBudget != want.retryAfter {
			t.Errorf("%d retries: %s and %s of Retry-After, want %s and %s", retries, s.budget, s.retryAfterBudget, want.budget, want.retryAfter)
		}
	}
}

// TestNextDelay: retryCap is for a whole row, and a backoff comes out of its time.
func TestNextDelay(t *testing.T) {
	s := sessionOf(t, 1, 10*time.Second, 5*time.Second)
	for _, test := range []struct {
		asked, want, left time.Duration
		ok                bool
	}{
		{3 * time.Second, 3 * time.Second, 2 * time.Second, true},
		{3 * time.Second, 2 * time.Second, 0, true},
		{3 * time.Second, 0, 0, false},
	} {
		if wait, ok := s.nextDelay(test.asked, 0); wait != test.want || ok != test.ok || s.retryAfterBudget != test.left || s.budget != 20*time.Second {
			t.Errorf("asked for %s: %s %v, %s left and %s of the row", test.asked, wait, ok, s.retryAfterBudget, s.budget)
		}
	}
	if wait, ok := s.nextDelay(0, 0); !ok || s.budget != 20*time.Second-wait {
		t.Errorf("a backoff of %s leaves %s of the row", wait, s.budget)
	}
	s = sessionOf(t, 1, 10*time.Second, 0)
	if wait, ok := s.nextDelay(time.Hour, 0); !ok || wait > time.Second || s.budget != 20*time.Second-wait {
		t.Errorf("with a retryCap of 0, a pause of %s leaves %s of the row", wait, s.budget)
	}
}

// TestWaitForCooldown: a registry that wants to be left alone holds a row's first request
// up to retryCap, and the later ones within what the row may still wait.
func TestWaitForCooldown(t *testing.T) {
	for _, test := range []struct {
		name                string
		retries             int
		began               bool
		left, waited, after time.Duration
	}{
		{"a first request", 1, false, 2 * time.Second, 2 * time.Second, 3 * time.Second},
		{"a first request, over the cap", 1, false, time.Minute, 5 * time.Second, 0},
		{"a first request without retries", 0, false, time.Minute, 5 * time.Second, 0},
		{"a later request", 1, true, 2 * time.Second, 2 * time.Second, 3 * time.Second},
		{"a later request, over the cap", 1, true, time.Minute, 5 * time.Second, 0},
		{"a later request without retries", 0, true, time.Minute, 0, 0},
		{"nothing to wait for", 1, true, -time.Second, 0, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := sessionOf(t, test.retries, 10*time.Second, 5*time.Second)
			began := time.Now()
			if test.began {
				s.began = began
			}
			if err := s.waitForCooldown(context.Background(), test.left); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(began); waited != test.waited || s.retryAfterBudget != test.after {
				t.Errorf("%s: waited %s, may wait %s more, want %s and %s", test.name, waited, s.retryAfterBudget, test.waited, test.after)
			}
		})
	}
}

// TestLimited: what Retry-After asks for holds up to retryCap, and once a row's
// retries did not help, the rows behind it ask once each until one is answered.
func TestLimited(t *testing.T) {
	var asked atomic.Int32
	var open atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if !open.Load() {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := NewPool(Options{})
	t.Cleanup(pool.Close)
	c := pool.Client(inventory.Registry{URL: target, Timeout: 5 * time.Second, Rate: 1000, Retries: 1, RetryCap: 20 * time.Millisecond, Auth: inventory.Auth{Anonymous: true}})
	for _, row := range []struct {
		open bool
		want int32 // requests
	}{{false, 2}, {false, 1}, {true, 1}, {false, 2}} {
		asked.Store(0)
		open.Store(row.open)
		if _, err := c.NewSession().Do(t.Context(), Request{Method: http.MethodGet, URL: c.URL("a")}); err != nil {
			t.Fatal(err)
		}
		if asked.Load() != row.want {
			t.Errorf("%d requests of a row, want %d", asked.Load(), row.want)
		}
		if left := c.pace.cooldown(); left > c.entry.RetryCap {
			t.Errorf("the registry is left alone for %s, over %s", left, c.entry.RetryCap)
		}
	}
}

// TestSingleAttempt: a limit or breakdown at the end of a redirect chain, which may be a
// web site's, is not retried and does not slow down the registry.
func TestSingleAttempt(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		pool := NewPool(Options{})
		t.Cleanup(pool.Close)
		c := pool.Client(inventory.Registry{URL: target, Timeout: 5 * time.Second, Rate: 1000, Retries: 2, RetryCap: time.Second, Auth: inventory.Auth{Anonymous: true}})
		resp, err := c.NewSession().Do(t.Context(), Request{Method: http.MethodGet, URL: c.URL("a"), SingleAttempt: true})
		if err != nil || resp.Status != status || asked.Load() != 1 {
			t.Errorf("%d: %v, %+v after %d requests", status, err, resp.Answer, asked.Load())
		}
		if c.pace.cooldown() > 0 || c.pace.limit.Limit() != 1000 || c.pace.isTripped() {
			t.Errorf("%d slows the registry down to %v, for %s", status, c.pace.limit.Limit(), c.pace.cooldown())
		}
	}
}

// TestBudgetOfLogin: GET /v2/ is for all rows, so what it takes is not taken from the
// row that sends it.
func TestBudgetOfLogin(t *testing.T) {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/v2/" {
			<-over
		}
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	defer close(over)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := NewPool(Options{})
	t.Cleanup(pool.Close)
	const timeout = 500 * time.Millisecond
	s := pool.Client(inventory.Registry{
		URL: target, Timeout: timeout, Retries: 2, Auth: inventory.Auth{Username: "robot", Password: "wrong"},
	}).NewSession()
	_, err = s.Do(t.Context(), Request{Step: "resolve", Method: http.MethodGet, URL: s.client.URL("a/manifests/x"), Scope: "repository:a:pull"})
	if err != nil {
		t.Fatal(err)
	}
	if x := s.Exchanges()[len(s.Exchanges())-1]; x.Step != matrix.LoginStep || x.Error == "" || !s.loggedIn {
		t.Fatalf("/v2/ did not hang: %+v", x)
	}
	if s.budget < 2*timeout {
		t.Errorf("%s left of %s", s.budget, 3*timeout)
	}
}

// TestReadingIsTheRowsTime: what a row does with an answer before its next request is
// taken from its budget.
func TestReadingIsTheRowsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sessionOf(t, 0, time.Second, 0)
		off := Request{Method: http.MethodPut, URL: &url.URL{Scheme: "https", Host: "other.example"}} // which nothing is sent to
		for range 2 {
			if _, err := s.Do(t.Context(), off); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
		}
		if s.countReading(); s.budget != 400*time.Millisecond {
			t.Errorf("%s are left", s.budget)
		}
	})
}
