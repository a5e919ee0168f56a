package registry

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// dial returns the dial of a transport. Every address that it tries is judged just
// before, so that a name cannot change its answer between the two; the addresses
// of a proxy are not. A dial that takes long counts as waiting.
func (c *Client) dial(key transportKey) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, hostPort string) (net.Conn, error) {
		defer idleAfter(ctx, dialStall)()
		var refused atomic.Pointer[refusal]
		dialer := &net.Dialer{
			Timeout:   c.timeout, // shared by the addresses of a name, so that one that is dead leaves time for the next
			KeepAlive: -1,
			Resolver:  c.pool.options.Resolver,
		}
		if !key.proxied {
			host, _, err := net.SplitHostPort(hostPort)
			if err != nil {
				return nil, err
			}
			dialer.Control = func(_, dialled string, _ syscall.RawConn) error {
				err := c.admitDial(key, host, dialled)
				if err == nil {
					return nil
				}
				refused.Store(err)
				return err
			}
		}
		conn, err := dialer.DialContext(ctx, network, hostPort)
		if why := refused.Load(); err != nil && why != nil {
			return nil, why // and not what became of the other addresses
		}
		return conn, err
	}
}

// admitDial returns why an address must not be dialled for host, or nil. A token
// request must not lead to a forbidden address. A redirect must not either, unless it
// stays on the loopback that the registry is on itself. The registry's own name may
// lead anywhere but to a metadata service.
func (c *Client) admitDial(key transportKey, host, dialled string) *refusal {
	to, err := netip.ParseAddrPort(dialled)
	if err != nil {
		return &refusal{matrix.Connect, fmt.Sprintf("the address of %s cannot be read", host)}
	}
	class := address.ClassOf(to.Addr())
	switch {
	case !key.foreign:
		if class == address.Metadata && !isLiteral(host) {
			return &refusal{matrix.Connect, host + onMetadata}
		}
		if class == address.Loopback {
			c.dialledLoopback.Store(true)
		} else {
			c.dialledElsewhere.Store(true)
		}
	case class == "", class == address.Loopback && !key.token && c.onLoopback():
	case key.token:
		return &refusal{matrix.AuthRefused, fmt.Sprintf("the host of the realm, %s, is on a %s address", host, class)}
	default:
		return &refusal{matrix.Redirect, fmt.Sprintf("redirect to %s, which is on a %s address", host, class)}
	}
	return nil
}

// onMetadata says why nothing is requested from a registry, and what to do if it is
// one.
const onMetadata = " is the name of a metadata address, from which nothing is requested: " +
	"write the address itself if a registry is there"

// admitName refuses a registry whose name alone shows that it is a metadata service.
// Behind a proxy the name is all there is to judge.
func admitName(host string) error {
	if class, _ := address.Forbidden(host); class == address.Metadata && !isLiteral(host) {
		return &refusal{matrix.Connect, host + onMetadata}
	}
	return nil
}

// isLiteral reports whether host is an address and not a name.
func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// onLoopback reports whether the registry was dialled on loopback and nowhere else.
func (c *Client) onLoopback() bool { return c.dialledLoopback.Load() && !c.dialledElsewhere.Load() }
