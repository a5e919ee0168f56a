package registry

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// TestPaceFollowsLatency: a registry whose answers take longer and longer gets
// less, and its rate back once they do not.
func TestPaceFollowsLatency(t *testing.T) {
	p := newPace(100, 10)
	limit := p.limit
	answer := func(n int, took time.Duration) {
		for range n {
			p.succeeded(true)
			p.observe(took)
		}
	}
	answer(30, 20*time.Millisecond)
	if limit.Limit() != 100 {
		t.Fatalf("steady answers lower the rate to %v", limit.Limit())
	}
	answer(16, time.Second)
	slowed := limit.Limit()
	if slowed >= 100 {
		t.Fatal("answers that take 50 times as long do not lower the rate")
	}
	answer(300, 20*time.Millisecond)
	if limit.Limit() != 100 {
		t.Errorf("the rate does not grow back: %v", limit.Limit())
	}
	// A registry that is always slow is not overloaded.
	far := newPace(100, 10)
	for range 50 {
		far.succeeded(true)
		far.observe(2 * time.Second)
	}
	if far.limit.Limit() != 100 {
		t.Errorf("a far registry is slowed to %v", far.limit.Limit())
	}
}

// TestPaceOfLimits: each 429 halves the rate, down to a sixteenth, also where
// the inventory has none.
func TestPaceOfLimits(t *testing.T) {
	for _, test := range []struct {
		full rate.Limit
		want []rate.Limit // after each 429
	}{
		{16, []rate.Limit{8, 4, 2, 1, 1}},
		{rate.Inf, []rate.Limit{10, 5, 2.5, 1.25, 0.625, 0.625}},
	} {
		p := newPace(float64(test.full), 1)
		for i, want := range test.want {
			p.throttle(0)
			if got := p.limit.Limit(); got != want {
				t.Errorf("%v after %d times 429: %v, want %v", test.full, i+1, got, want)
			}
		}
	}
}

// TestPaceWaits: a 429 that asks for less does not cut short what one before it
// asked for.
func TestPaceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(16, 1)
		for _, test := range []struct{ wait, left time.Duration }{
			{3 * time.Second, 3 * time.Second}, {0, 3 * time.Second}, {time.Second, 3 * time.Second}, {5 * time.Second, 5 * time.Second},
		} {
			p.throttle(test.wait)
			if left := p.cooldown(); left != test.left {
				t.Errorf("after a 429 that asks for %s, %s are left, want %s", test.wait, left, test.left)
			}
		}
	})
}

// TestPaceGrows: twenty good answers in a row double a lowered rate, up to the
// inventory's.
func TestPaceGrows(t *testing.T) {
	p := newPace(16, 1)
	p.throttle(0)
	p.throttle(0)
	for _, step := range []struct {
		good int
		want rate.Limit
	}{{19, 4}, {1, 8}, {19, 8}, {1, 16}} {
		for range step.good {
			p.succeeded(true)
		}
		if got := p.limit.Limit(); got != step.want {
			t.Fatalf("%d good answers later the rate is %v, want %v", step.good, got, step.want)
		}
	}
	for range 19 {
		p.succeeded(true)
	}
	p.throttle(0)
	p.succeeded(false)
	p.succeeded(true)
	if got := p.limit.Limit(); got != 8 {
		t.Errorf("answers of before a 429 count after it: the rate is %v", got)
	}
}

// TestPaceJudges: how much longer answers have to take to slow a registry down.
func TestPaceJudges(t *testing.T) {
	for _, test := range []struct {
		name       string
		first      int // answers that take quick
		quick, now time.Duration
		want       rate.Limit // of 100, halved once and not with each answer
	}{
		{"many times as long, but not long", 20, time.Millisecond, 100 * time.Millisecond, 100},
		{"long, but not many times", 20, time.Second, 3 * time.Second, 100},
		{"both", 20, 100 * time.Millisecond, 2 * time.Second, 50},
		{"both, of the first answers", 1, 100 * time.Millisecond, 10 * time.Second, 100},
	} {
		p := newPace(100, 10)
		answer := func(n int, took time.Duration) {
			for range n {
				p.succeeded(true)
				p.observe(took)
			}
		}
		answer(test.first, test.quick)
		answer(6, test.now)
		if got := p.limit.Limit(); got != test.want {
			t.Errorf("%s: the rate is %v, want %v", test.name, got, test.want)
		}
	}
}

// TestRetried: which statuses are asked again.
func TestRetried(t *testing.T) {
	for status := 200; status < 600; status++ {
		if want := slices.Contains([]int{429, 502, 503, 504}, status); IsTransient(status) != want {
			t.Errorf("%d is retried: %v", status, !want)
		}
	}
}

// TestRetryAfterForms: seconds, a date, a unix time and a duration of Go are read, to a day,
// and what is left until a time is rounded up to a second.
func TestRetryAfterForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const year = 365 * 24 * time.Hour
		time.Sleep(26*year + 300*time.Millisecond) // the clock begins in 2000, and 1e9 is in 2001
		unix := func(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }
		for value, want := range map[string]time.Duration{
			"": 0, "soon": 0, "3": 3 * time.Second, " 3 ": 3 * time.Second, "-3": 0, "999999999999": 24 * time.Hour, "1000000000": 24 * time.Hour, "1000000001": 0, "9223372036854775807": 24 * time.Hour, "1.5s": 1500 * time.Millisecond, "-2s": 0,
			time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat): 90 * time.Second,
			time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):       0,
			unix(90 * time.Second): 90 * time.Second, unix(time.Second): time.Second, unix(-time.Hour): 0, unix(year): 24 * time.Hour,
		} {
			if got := retryAfter(&answer{header: http.Header{"Retry-After": {value}}}); got != want {
				t.Errorf("%q is %s, want %s", value, got, want)
			}
		}
	})
}
