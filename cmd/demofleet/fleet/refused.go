package fleet

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// refusedPort is a port of 127.0.0.1 that refuses connections for as long as it is open: a
// socket has it and does not listen. A port that is only given up could be the next server's.
type refusedPort struct {
	socket int
	port   int
}

// refusePort takes a port, whichever is free if port is 0.
func refusePort(port int) (*refusedPort, error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	syscall.CloseOnExec(socket)
	taken := &refusedPort{socket: socket}
	address := &syscall.SockaddrInet4{
		Port: port,
		Addr: [4]byte(net.IPv4(127, 0, 0, 1).To4()),
	}
	if err := syscall.Bind(socket, address); err != nil {
		_ = taken.Close() // the first error is the one to report
		return nil, fmt.Errorf("take port %d: %w", port, os.NewSyscallError("bind", err))
	}
	named, err := syscall.Getsockname(socket)
	if err != nil {
		_ = taken.Close() // as above
		return nil, os.NewSyscallError("getsockname", err)
	}
	taken.port = named.(*syscall.SockaddrInet4).Port
	return taken, nil
}

// Close gives the port up.
func (p *refusedPort) Close() error { return os.NewSyscallError("close", syscall.Close(p.socket)) }
