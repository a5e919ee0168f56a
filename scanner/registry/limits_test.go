package registry_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRetryAfter: a registry that says 429 for ever ends a row within the time
// it is allowed to take, whatever it asks to wait.
func TestRetryAfter(t *testing.T) {
	for _, value := range []string{"3600", "-5", "soon", "880.092µs", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), "99999999999999999999"} {
		t.Run(value, func(t *testing.T) {
			var asked atomic.Int32
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Retry-After", value)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			e := entry(t, s.URL)
			e.Timeout, e.Retries, e.RetryCap = 2*time.Second, 2, 40*time.Millisecond // the backoff alone can take 1.1 s
			began := time.Now()
			resp, session := ask(t, client(t, e))
			if resp.Status != http.StatusTooManyRequests || resp.Fault != nil {
				t.Errorf("%+v", resp.Answer)
			}
			if took := time.Since(began); took > 3*e.Timeout+2*e.RetryCap {
				t.Errorf("took %s", took)
			}
			if n := int(asked.Load()); n < 2 || n > 3 || n != len(session.Exchanges()) {
				t.Errorf("%d requests, %d told", n, len(session.Exchanges()))
			}
		})
	}
}

// TestBackoffWithoutRetryAfter: retryCap bounds what a registry asks for; the
// short backoff between attempts is ours.
func TestBackoffWithoutRetryAfter(t *testing.T) {
	for _, test := range []struct {
		status int
		asked  string
	}{
		{http.StatusServiceUnavailable, ""},
		{http.StatusServiceUnavailable, "3600"},
		{http.StatusTooManyRequests, "3600"},
	} {
		var asked atomic.Int32
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) < 3 {
				w.Header().Set("Retry-After", test.asked)
				w.WriteHeader(test.status)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		})
		e := entry(t, s.URL)
		e.Timeout, e.Retries, e.RetryCap = 10*time.Second, 2, 0
		began := time.Now()
		if resp, _ := ask(t, client(t, e)); resp.Status != http.StatusNotFound {
			t.Errorf("%d %s: %+v after %d requests", test.status, test.asked, resp.Answer, asked.Load())
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

// TestLeftAlone: what Retry-After asks for holds for the rows after the one
// that was told, whether that one gave up or had no retries at all.
func TestLeftAlone(t *testing.T) {
	for _, test := range []struct {
		name, asked string
		retries     int
		cap, least  time.Duration
	}{
		{"without retries", "150ms", 0, time.Second, 150 * time.Millisecond},
		{"after the retries", "150ms", 1, time.Second, 150 * time.Millisecond},
		{"up to retryCap", "3600", 0, 150 * time.Millisecond, 150 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var times []time.Time
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				mu.Lock()
				times = append(times, time.Now())
				mu.Unlock()
				w.Header().Set("Retry-After", test.asked)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			e := entry(t, s.URL)
			e.Timeout, e.Retries, e.RetryCap = 10*time.Second, test.retries, test.cap
			c := client(t, e)
			for row := range 3 {
				resp, session := ask(t, c)
				if resp.Status != http.StatusTooManyRequests {
					t.Fatalf("row %d: %+v", row, resp.Answer)
				}
				// The wait before a row's first request is not the row's.
				if took, most := session.Elapsed(), 10*time.Second+time.Duration(test.retries)*test.cap; took > most {
					t.Errorf("row %d took %s", row, took)
				}
			}
			for i := 1; i < len(times); i++ {
				if apart := times[i].Sub(times[i-1]); apart < test.least-5*time.Millisecond {
					t.Errorf("request %d came %s after the one before", i, apart)
				}
			}
		})
	}
}

// TestRate: beyond the burst, requests are sent no faster than the rate.
func TestRate(t *testing.T) {
	var mu sync.Mutex
	var times []time.Time
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		times = append(times, time.Now())
		mu.Unlock()
		w.WriteHeader(http.StatusNotFound)
	})
	e := entry(t, s.URL)
	e.Rate, e.Burst, e.Concurrency = 100, 5, 16
	began := time.Now()
	c := client(t, e)
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	// Requests can be late on their way and so come closer to each other, but the
	// last one was not sent before the rate allowed it.
	if took, least := times[len(times)-1].Sub(began), 250*time.Millisecond; took < least {
		t.Errorf("%d requests in %s, want %s at least", len(times), took, least)
	}
	if len(times) != 30 {
		t.Errorf("%d requests", len(times))
	}
}

// TestInFlight: no more requests are in flight than the inventory allows.
func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		w.WriteHeader(http.StatusNotFound)
	})
	e := entry(t, s.URL)
	e.Concurrency = 3
	c := client(t, e)
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { ask(t, c) })
	}
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d in flight", most.Load())
	}
}
