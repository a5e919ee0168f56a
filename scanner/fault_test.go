package scanner_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/scanner"
)

// resetting serves a port where each connection is accepted and then reset.
func resetting(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1)) // unread bytes make the close a reset
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// closed returns the address of a port where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// TestFaultsRepeat: two scans of the same faulty registries say the same, so that
// equal faults group and a difference is one.
func TestFaultsRepeat(t *testing.T) {
	inv := load(t, fmt.Sprintf("version: 1\ndefaults: {images: [a], rate: 0, retries: 1, auth: {anonymous: true}}\nregistries:\n"+
		"  - {name: closed, url: 'http://%s'}\n  - {name: reset, url: 'http://%s'}\n", closed(t), resetting(t)))
	said := func() (out []string) {
		for _, row := range scan(t, context.Background(), inv, scanner.Options{Probe: basic}).Rows {
			out = append(out, row.Registry+": "+row.Detail)
			for _, x := range row.Exchanges {
				out = append(out, x.Error)
			}
		}
		return out
	}
	first := said()
	if len(first) != 7 || first[6] != "connection reset by peer" { // HEAD twice, and a GET
		t.Errorf("%q", first)
	}
	if difference := cmp.Diff(first, said()); difference != "" {
		t.Error(difference)
	}
}
