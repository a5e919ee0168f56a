package probe_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// resolveAt probes an image at address, with one retry, and returns its row.
func resolveAt(t *testing.T, address string, timeout time.Duration) matrix.Row {
	t.Helper()
	t.Setenv("HTTP_PROXY", "")
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	client := pool.Client(inventory.Registry{
		Name: "r", URL: target, Timeout: timeout, Retries: 1, RetryCap: 50 * time.Millisecond,
		Concurrency: 1, Auth: inventory.Auth{Anonymous: true},
	})
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	outcome, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: probe.Basic})
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.NewRow(verdict.Target{Registry: "r"}, &outcome.Observation)
	row.Exchanges = outcome.Exchanges
	return row
}

// TestNoGETAfterFaults: a host that cannot be connected to, or that does not answer in
// time, is not sent a GET after the HEAD.
func TestNoGETAfterFaults(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	hangsUp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hangsUp.Close()
	go func() {
		for {
			conn, err := hangsUp.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, 5)) // of the TLS handshake
			conn.Close()
		}
	}()
	for _, test := range []struct {
		name, address string
		timeout       time.Duration
		want          matrix.Reason
	}{
		{"nobody listens", "http://" + closed.Addr().String(), 5 * time.Second, matrix.Connect},
		{"no answer", silent.URL, 200 * time.Millisecond, matrix.Timeout},
		{"no such name", "http://registry.invalid", 5 * time.Second, matrix.DNS},
		{"plain HTTP", "https" + plain.URL[len("http"):], 5 * time.Second, matrix.TLS},
		{"the handshake is cut", "https://" + hangsUp.Addr().String(), 5 * time.Second, matrix.Protocol},
	} {
		row := resolveAt(t, test.address, test.timeout)
		if row.Reason != test.want && test.want != matrix.Protocol {
			t.Errorf("%s: %s, want %s", test.name, row.Reason, test.want)
		}
		for _, x := range row.Exchanges {
			if x.Method != http.MethodHead {
				t.Errorf("%s: a %s follows", test.name, x.Method)
			}
		}
	}
}

// TestHEADStandsIfGETIsLate: a GET that gets no answer leaves what a broken HEAD showed.
func TestHEADStandsIfGETIsLate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	row := resolveAt(t, server.URL, 200*time.Millisecond)
	if row.Reason != matrix.ServerError || row.Status != http.StatusInternalServerError {
		t.Errorf("%s: %s", row.Reason, row.Detail)
	}
}
