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
// the attempt, so they are read under a lock. end is called if the attempt opens more
// streams of HTTP/2 than it may.
func trace(ctx context.Context, end func()) (context.Context, func() (phases *matrix.Phases, seen connections)) {
	var (
		seen                     connections
		mu                       sync.Mutex
		out                      matrix.Phases
		dns, connect, shake, got time.Time
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
		GotConn: func(info httptrace.GotConnInfo) {
			mu.Lock()
			defer mu.Unlock()
			seen.any = true
			if isHTTP2(info) {
				seen.streams++
			}
			if seen.streams > maxStreams {
				end()
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { start(&got) },
		GotFirstResponseByte: func() { since(&got, &out.FirstByte) },
	})
	return traced, func() (*matrix.Phases, connections) {
		mu.Lock()
		defer mu.Unlock()
		phases := out
		return &phases, seen
	}
}

// connections are those that one attempt was sent on.
type connections struct {
	any     bool
	streams int // of HTTP/2
}

// Milliseconds returns d in milliseconds, rounded to a tenth of one.
func Milliseconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
}
