package fleet

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// TestRefusedPort: connections to the port are refused, and no server gets it.
func TestRefusedPort(t *testing.T) {
	taken, err := refusePort(0)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(taken.port))
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting: %v", err)
	}
	if listener, err := net.Listen("tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		_ = listener.Close()
		t.Errorf("listening: %v", err)
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("listening once the port is given up: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}
