package registry

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"refmatrix/matrix"
)

// trace times the phases of one attempt; call the returned function when it
// is over. Phases can end on another goroutine than they began on, also after
// the attempt, so they are read under a lock.
func trace(ctx context.Context) (context.Context, func() (phases *matrix.Phases, connected bool)) {
	var (
		mu                       sync.Mutex
		out                      matrix.Phases
		dns, connect, shake, got time.Time
		connected                bool
	)
	since := func(began *time.Time, into *float64) {
		mu.Lock()
		defer mu.Unlock()
		if !began.IsZero() {
			*into = Milliseconds(time.Since(*began))
		}
	}
	start := func(at *time.Time) {
		mu.Lock()
		defer mu.Unlock()
		*at = time.Now()
	}
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { start(&dns) },
		DNSDone:           func(httptrace.DNSDoneInfo) { since(&dns, &out.DNS) },
		ConnectStart:      func(string, string) { start(&connect) },
		ConnectDone:       func(string, string, error) { since(&connect, &out.Connect) },
		TLSHandshakeStart: func() { start(&shake) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { since(&shake, &out.TLS) },
		GotConn: func(httptrace.GotConnInfo) {
			mu.Lock()
			defer mu.Unlock()
			connected = true
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { start(&got) },
		GotFirstResponseByte: func() { since(&got, &out.FirstByte) },
	})
	return traced, func() (*matrix.Phases, bool) {
		mu.Lock()
		defer mu.Unlock()
		phases := out
		return &phases, connected
	}
}

// Milliseconds returns d in milliseconds, rounded to a tenth of one.
func Milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
