package registry

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// transient reports whether the same request may be answered better in a
// moment: a status that IsTransient names, or a connection that failed.
func transient(got *answer, err error) bool {
	if err != nil {
		return faultIsTransient(err)
	}
	return IsTransient(got.status)
}

// IsTransient reports whether a status is about the moment and not about what
// was requested: a rate limit, or a gateway in trouble.
func IsTransient(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Retry-After in digits is a time in seconds since 1970 if it is over unixTimes, because
// APIs copy their X-RateLimit-Reset into it. No wait is longer than maxWait.
const (
	unixTimes = 1_000_000_000
	maxWait   = 24 * time.Hour
)

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds or a date.
// It reads unix times, and Go durations because GHCR sends "880.092µs". It returns 0 if
// there is nothing to wait for.
func retryAfter(got *answer) time.Duration {
	if got == nil {
		return 0
	}
	value := strings.TrimSpace(got.header.Get("Retry-After"))
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		if n > unixTimes {
			return until(time.Unix(min(n, 1<<40), 0)) // more overflows a time
		}
		return min(time.Duration(max(n, 0))*time.Second, maxWait)
	}
	if date, err := http.ParseTime(value); err == nil {
		return until(date)
	}
	if d, err := time.ParseDuration(value); err == nil {
		return min(max(d, 0), maxWait)
	}
	return 0
}

// until returns how long it is until a time, in whole seconds: asked earlier, the registry
// would refuse again.
func until(at time.Time) time.Duration {
	left := min(max(time.Until(at), 0), maxWait)
	return (left + time.Second - 1).Truncate(time.Second)
}

// backoff doubles from a quarter of a second up to eight, jittered by half on
// both sides so that rows which failed together do not come back together.
func backoff(attempt int) time.Duration {
	base := 250 * time.Millisecond << min(attempt, 5)
	return base/2 + rand.N(base)
}

// Sleep waits for d, or until ctx ends, which is the error. The row counts as
// idle meanwhile, and does not hold the memory of its last body.
func (s *Session) Sleep(ctx context.Context, d time.Duration) error {
	s.release()
	defer idleAfter(ctx, ownStall)()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
