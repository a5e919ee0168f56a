package registry_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// zone says what a name server answers: addresses by name, one list for each
// look-up, the last repeated. An empty list is NXDOMAIN, nil SERVFAIL, and a
// name that is not in it is never answered.
type zone map[string][][]string

// nameServer is a name server on loopback.
type nameServer struct {
	zone    zone
	queries atomic.Int32

	mu     sync.Mutex
	asked  map[string]int // queries for IPv4 addresses, by name
	opened []net.Conn
	closed bool
}

// resolver starts a name server and gives a resolver that asks nobody else.
func resolver(t *testing.T, z zone) (*net.Resolver, *nameServer) {
	t.Helper()
	listener, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{zone: z, asked: map[string]int{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		query := make([]byte, 1500)
		for {
			n, from, err := listener.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := s.answer(query[:n]); answer != nil {
				_, _ = listener.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		s.close()
		listener.Close()
		serving.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "udp", listener.LocalAddr().String())
		if err != nil {
			return nil, err
		}
		return conn, s.keep(conn)
	}}, s
}

// keep notes a connection, so that look-ups that nobody answers end with the
// test.
func (s *nameServer) keep(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return errors.New("the test is over")
	}
	s.opened = append(s.opened, conn)
	return nil
}

func (s *nameServer) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.opened {
		conn.Close()
	}
}

// answer makes a response to a query of one question (RFC 1035, section 4);
// nil where it is not answered.
func (s *nameServer) answer(query []byte) []byte {
	s.queries.Add(1)
	at, labels := 12, []string{}
	for ; query[at] != 0; at += int(query[at]) + 1 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
	}
	name, kind := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(query[at+1:])
	answers, known := s.zone[name]
	if !known {
		return nil
	}
	s.mu.Lock()
	if kind == 1 {
		s.asked[name]++
	}
	now := answers[min(max(s.asked[name]-1, 0), len(answers)-1)]
	s.mu.Unlock()
	response := append([]byte{query[0], query[1], 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:at+5]...)
	switch {
	case now == nil:
		response[3] = 2
	case len(now) == 0:
		response[3] = 3
	}
	for _, text := range now {
		address := netip.MustParseAddr(text)
		if address.Is4() != (kind == 1) {
			continue
		}
		response = append(response, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(address.BitLen()/8))
		response = append(response, address.AsSlice()...)
		response[7]++
	}
	return response
}

// listener counts the connections that are made to it and says nothing.
func listener(t *testing.T) (port string, met *atomic.Int32) {
	t.Helper()
	met = &atomic.Int32{}
	address := raw(t, "", func(net.Conn) { met.Add(1) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return port, met
}

// TestNamesThatMove: the addresses that are dialled are the ones that were
// judged, whatever a name server says before and after.
func TestNamesThatMove(t *testing.T) {
	port, met := listener(t)
	loopback := []string{"127.0.0.1"}
	tests := []struct {
		name, host string
		answers    [][]string
		redirect   bool            // lead there by a redirect, not by the realm
		want       []matrix.Reason // one for each row asked
		reached    bool
	}{
		{"a realm on loopback", "auth.test", [][]string{loopback}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on loopback, in other cases", "Auth.TEST", [][]string{loopback}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on loopback, with a dot", "auth.test.", [][]string{loopback}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on loopback by IPv6", "auth.test", [][]string{{"::1"}}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on loopback inside IPv6", "auth.test", [][]string{{"64:ff9b:1::7f00:1"}}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on the metadata service", "auth.test", [][]string{{"169.254.169.254"}}, false, []matrix.Reason{matrix.AuthRefused}, false},
		{"a realm on loopback and the metadata service", "auth.test", [][]string{{"169.254.169.254", "127.0.0.1"}}, false, []matrix.Reason{matrix.AuthRefused}, false},
		// Go's resolver asks twice before it takes a SERVFAIL.
		{"a realm that fails first", "auth.test", [][]string{nil, nil, loopback}, false, []matrix.Reason{matrix.TokenError, matrix.AuthRefused}, false},
		{"a realm that is not there", "auth.test", [][]string{{}}, false, []matrix.Reason{matrix.TokenError}, false},
		{"a redirect to the metadata service", "auth.test", [][]string{{"169.254.169.254"}}, true, []matrix.Reason{matrix.Redirect}, false},
		{"a redirect within loopback", "auth.test", [][]string{loopback}, true, []matrix.Reason{matrix.Protocol}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			met.Store(0)
			r, _ := resolver(t, zone{"auth.test": test.answers})
			s := serve(t, func(w http.ResponseWriter, q *http.Request) {
				if test.redirect {
					w.Header().Set("Location", "http://"+test.host+":"+port+q.URL.Path)
					w.WriteHeader(http.StatusTemporaryRedirect)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer realm="https://`+test.host+":"+port+`/token"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
			pool := registry.NewPool(registry.Options{Resolver: r})
			t.Cleanup(pool.Close)
			e := entry(t, s.URL)
			e.Timeout = 10 * time.Second
			c := pool.Client(e)
			for i, want := range test.want {
				resp, _ := ask(t, c)
				if resp.Fault == nil || resp.Fault.Kind != want {
					t.Errorf("row %d: %+v, want %s", i, resp.Fault, want)
				}
			}
			if reached := met.Load() > 0; reached != test.reached {
				t.Errorf("the address was reached: %v", reached)
			}
		})
	}
}

// TestSilentNames: a name that no server answers for costs a row no more than
// its time, whether a redirect or a realm leads there.
func TestSilentNames(t *testing.T) {
	for _, header := range []string{"Location", "WWW-Authenticate"} {
		t.Run(header, func(t *testing.T) {
			r, _ := resolver(t, zone{})
			s := serve(t, func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("Location", "http://silent.test"+q.URL.Path)
				w.Header().Set("WWW-Authenticate", `Bearer realm="https://silent.test/token"`)
				w.WriteHeader(map[string]int{"Location": http.StatusFound, "WWW-Authenticate": http.StatusUnauthorized}[header])
			})
			pool := registry.NewPool(registry.Options{Resolver: r})
			t.Cleanup(pool.Close)
			began := time.Now()
			e := entry(t, s.URL)
			resp, _ := ask(t, pool.Client(e))
			if resp.Fault == nil || resp.Fault.Kind != matrix.Timeout && resp.Fault.Kind != matrix.TokenError {
				t.Errorf("%+v", resp.Fault)
			}
			// A look-up that nobody bounds takes 10 s; the margin is the machine's.
			if took := time.Since(began); took > e.Timeout+3*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestNamesOfAProxy: where a proxy is in play, names are the proxy's to look
// up, and what is no name is refused as ever.
func TestNamesOfAProxy(t *testing.T) {
	tests := []struct {
		realm     string
		want      matrix.Reason
		connected string // what the proxy was asked for
	}{
		{"https://auth.inside/token", matrix.TokenError, "auth.inside:443"},
		{"https://169.254.169.254/token", matrix.AuthRefused, ""},
		{"https://metadata.google.internal./token", matrix.AuthRefused, ""},
		{"https://１６９.254.169.254/token", matrix.AuthRefused, ""},
		{"https://0xa9fea9fe/token", matrix.AuthRefused, ""},
	}
	for _, test := range tests {
		t.Run(test.realm, func(t *testing.T) {
			var connected atomic.Value
			connected.Store("")
			proxy := serve(t, func(w http.ResponseWriter, q *http.Request) {
				if q.Method == http.MethodConnect {
					connected.Store(q.Host)
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+test.realm+`"`)
				w.WriteHeader(http.StatusUnauthorized)
			})
			address, err := url.Parse(proxy.URL)
			if err != nil {
				t.Fatal(err)
			}
			r, names := resolver(t, zone{})
			pool := registry.NewPool(registry.Options{Resolver: r, Proxy: http.ProxyURL(address)})
			t.Cleanup(pool.Close)
			resp, _ := ask(t, pool.Client(entry(t, "http://registry.inside")))
			if resp.Fault == nil || resp.Fault.Kind != test.want {
				t.Errorf("%+v, want %s", resp.Fault, test.want)
			}
			if connected.Load() != test.connected || names.queries.Load() > 0 {
				t.Errorf("the proxy was asked for %q, the name server %d times", connected.Load(), names.queries.Load())
			}
		})
	}
}
