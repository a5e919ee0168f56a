package registry

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How a name is looked up and dialled.
const (
	lookupTime  = 10 * time.Second       // for one name
	lookupKept  = 5 * time.Minute        // how long its addresses are believed
	nextAddress = 300 * time.Millisecond // after which the next address is tried as well (RFC 8305)
)

// names looks each host up once for all that ask while its addresses are
// believed, however many images and connections do.
type names struct {
	resolver *net.Resolver // nil = the system's
	flights  singleflight.Group

	mu    sync.Mutex
	known map[string]lookedUp
}

type lookedUp struct {
	addresses []netip.Addr
	until     time.Time
}

// lookup gives the addresses of host, in the order of the system's resolver.
func (n *names) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{address}, nil
	}
	n.mu.Lock()
	known, ok := n.known[host]
	n.mu.Unlock()
	if ok && time.Now().Before(known.until) {
		return known.addresses, nil
	}
	flight := n.flights.DoChan(host, func() (any, error) {
		// The row that asked first may end; the others still want the answer.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
		defer cancel()
		addresses, err := cmp.Or(n.resolver, net.DefaultResolver).LookupNetIP(bounded, "ip", host)
		if err != nil {
			return nil, err
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.known == nil {
			n.known = map[string]lookedUp{}
		}
		n.known[host] = lookedUp{addresses, time.Now().Add(lookupKept)}
		return addresses, nil
	})
	select {
	case result := <-flight:
		addresses, _ := result.Val.([]netip.Addr)
		return addresses, result.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// admission judges the addresses of a host just before they are dialled; an
// error is the dial's.
type admission func(host string, addresses []netip.Addr) error

// dial gives a dial to the first address of a host that answers. admit sees
// the very addresses that are tried, so that a name cannot change its answer
// between the two. A dial that takes long counts as waiting.
func (n *names) dial(admit admission) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		defer stalled(ctx, dialStall)()
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		addresses, err := n.lookup(ctx, host)
		if err != nil {
			return nil, err
		}
		if err := admit(host, addresses); err != nil {
			return nil, err
		}
		dialer := &net.Dialer{KeepAlive: -1}
		if len(addresses) == 1 {
			return dialer.DialContext(ctx, network, net.JoinHostPort(addresses[0].String(), port))
		}
		return race(ctx, len(addresses), func(ctx context.Context, i int) (net.Conn, error) {
			return dialer.DialContext(ctx, network, net.JoinHostPort(addresses[i].String(), port))
		})
	}
}

// race tries dial 0, and the next one whenever the last failed or took
// nextAddress; the first connection wins and the others are closed.
func race(ctx context.Context, n int, dial func(context.Context, int) (net.Conn, error)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		conn net.Conn
		err  error
	}
	outcomes := make(chan outcome, n)
	started, pending := 0, 0
	start := func() {
		i := started
		started, pending = started+1, pending+1
		go func() {
			conn, err := dial(ctx, i)
			outcomes <- outcome{conn, err}
		}()
	}
	start()
	timer := time.NewTimer(nextAddress)
	defer timer.Stop()
	var first error
	for pending > 0 {
		select {
		case <-timer.C:
			if started < n {
				start()
				timer.Reset(nextAddress)
			}
		case got := <-outcomes:
			pending--
			if got.err == nil {
				go closeAll(outcomes, pending, func(o outcome) net.Conn { return o.conn })
				return got.conn, nil
			}
			if first == nil {
				first = got.err
			}
			if started < n {
				start()
				timer.Reset(nextAddress)
			}
		}
	}
	return nil, first
}

// closeAll closes the connections of dials that lost the race.
func closeAll[T any](from <-chan T, n int, conn func(T) net.Conn) {
	for range n {
		if c := conn(<-from); c != nil {
			_ = c.Close()
		}
	}
}
