package registry_test

import (
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// TestBodiesThatWaitStopNoOther: many bodies of one connection of HTTP/2 that wait for
// memory leave room for the one that has it (RFC 9113, section 6.9).
func TestBodiesThatWaitStopNoOther(t *testing.T) {
	const rows = 48
	page := bytes.Repeat([]byte("x"), 1<<20)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush() // of unknown length
		_, _ = w.Write(page)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	e := entry(t, server.URL)
	e.Concurrency, e.Timeout = rows, time.Minute
	e.TLS.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c := client(t, e)
	one := func() {
		resp, session := ask(t, c)
		defer session.Close()
		if resp.Fault != nil || len(resp.Bytes) != len(page) {
			t.Errorf("%d bytes, %+v", len(resp.Bytes), resp.Fault)
		}
	}
	one() // the connection is there
	var all sync.WaitGroup
	for range rows {
		all.Go(one)
	}
	all.Wait()
}
