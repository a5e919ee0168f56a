package registry

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"refmatrix/scanner/inventory"
)

// clientOf gives a client of a registry at address.
func clientOf(t *testing.T, address string, auth inventory.Auth) *Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	pool := NewPool(Options{})
	t.Cleanup(pool.Close)
	return pool.Client(inventory.Registry{URL: u, Auth: auth})
}

// TestRedirectsToLoopback: only a registry all of whose addresses are loopback
// may redirect there.
func TestRedirectsToLoopback(t *testing.T) {
	for _, test := range []struct {
		addresses []string
		admitted  bool
	}{
		{[]string{"127.0.0.1", "::1"}, true},
		{[]string{"192.0.2.9", "127.0.0.1"}, false},
		{[]string{"127.0.0.1", "192.0.2.9"}, false},
		{[]string{"192.0.2.9"}, false},
		{nil, false}, // never dialled: behind a proxy
	} {
		c := clientOf(t, "http://registry.test", inventory.Auth{})
		var addresses []netip.Addr
		for _, text := range test.addresses {
			addresses = append(addresses, netip.MustParseAddr(text))
		}
		if addresses != nil {
			if err := c.admissionOf(route{})("registry.test", addresses); err != nil {
				t.Fatalf("%v: the registry itself: %v", test.addresses, err)
			}
		}
		first, _ := http.NewRequest(http.MethodGet, "http://registry.test/v2/a", nil)
		next, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:9000/v2/a", nil)
		if err := c.admitHop(next, []*http.Request{first}); (err == nil) != test.admitted {
			t.Errorf("%v: a redirect to an address of this machine: %v", test.addresses, err)
		}
		err := c.admissionOf(route{foreign: true})("elsewhere.test", []netip.Addr{netip.MustParseAddr("127.0.0.1")})
		if (err == nil) != test.admitted {
			t.Errorf("%v: a redirect to a name of this machine: %v", test.addresses, err)
		}
		if c.admissionOf(route{foreign: true, token: true})("elsewhere.test", []netip.Addr{netip.MustParseAddr("127.0.0.1")}) == nil {
			t.Errorf("%v: a realm of this machine is dialled", test.addresses)
		}
	}
}

// TestRealmsInAnyCase: auth.realms names hosts, and hosts have no case.
func TestRealmsInAnyCase(t *testing.T) {
	c := clientOf(t, "https://registry.example.com", inventory.Auth{Realms: []string{"Auth.example.com", "other.example.com:8443"}})
	for realm, admitted := range map[string]bool{
		"https://auth.example.com/t": true, "https://AUTH.EXAMPLE.COM:8443/t": true, "https://OTHER.example.com:8443/t": true,
		"https://other.example.com/t": false, "https://example.com/t": false, "https://registry.example.com/t": false,
	} {
		if err := c.admitRealm(realm); (err == nil) != admitted {
			t.Errorf("%s: %v", realm, err)
		}
	}
}

func hop(t *testing.T, address string) *http.Request {
	t.Helper()
	q, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// hops are the first n requests of a chain; address has the number of one.
func hops(t *testing.T, address string, n int) (via []*http.Request) {
	t.Helper()
	for i := range n {
		via = append(via, hop(t, fmt.Sprintf(address, i)))
	}
	return via
}

// TestTokenRedirects: every hop of a token request is held to the rule of the
// realm itself, and a chain of them ends.
func TestTokenRedirects(t *testing.T) {
	c := clientOf(t, "https://registry.test", inventory.Auth{})
	named := clientOf(t, "https://registry.test", inventory.Auth{Realms: []string{"auth.test"}})
	for _, test := range []struct {
		client *Client
		to     string
		hops   int // before this one
		want   bool
	}{
		{c, "https://auth.test/t", 1, true},
		{c, "https://auth.test/t", 5, true},
		{c, "https://auth.test/t", 6, false},
		{c, "http://auth.test/t", 1, false},
		{c, "ftp://auth.test/t", 1, false},
		{c, "https://user:pass@auth.test/t", 1, false},
		{c, "https://localhost/t", 1, false},
		{c, "https://169.254.169.254/t", 1, false},
		{named, "https://auth.test/t", 1, true},
		{named, "https://elsewhere.test/t", 1, false},
	} {
		err := test.client.checkRedirect(hop(t, test.to), hops(t, "https://auth.test/t?hop=%d", test.hops))
		if (err == nil) != test.want {
			t.Errorf("%s after %d: %v", test.to, test.hops, err)
		}
	}
}

// TestRedirectChains: what may follow what, at the registry's own steps.
func TestRedirectChains(t *testing.T) {
	c := clientOf(t, "https://registry.test", inventory.Auth{})
	for _, test := range []struct {
		to   string
		hops int // before this one
		want bool
	}{
		{"https://storage.test/v2/a", 1, true},
		{"https://storage.test/v2/a", 5, true},
		{"https://storage.test/v2/a", 6, false},
		{"https://registry.test/v2/a?hop=0", 2, false},
		{"http://registry.test/v2/a", 1, false},
		{"ftp://storage.test/v2/a", 1, false},
		{"https://user@storage.test/v2/a", 1, false},
		{"https://metadata.google.internal/v2/a", 1, false},
	} {
		err := c.admitHop(hop(t, test.to), hops(t, "https://registry.test/v2/a?hop=%d", test.hops))
		if (err == nil) != test.want {
			t.Errorf("%s after %d: %v", test.to, test.hops, err)
		}
	}
}

// TestTLSOfEntries: entries share a configuration where their settings are the
// same, and nowhere else.
func TestTLSOfEntries(t *testing.T) {
	pool := NewPool(Options{})
	t.Cleanup(pool.Close)
	all := []inventory.TLS{
		{}, {InsecureSkipVerify: true}, {CA: []byte("one")}, {CA: []byte("two")}, {CA: []byte("one"), InsecureSkipVerify: true},
		{Certificate: &tls.Certificate{Certificate: [][]byte{{1}}}}, {Certificate: &tls.Certificate{Certificate: [][]byte{{2}}}},
	}
	for i, one := range all {
		for j, other := range all {
			if (pool.tlsFor(one) == pool.tlsFor(other)) != (i == j) {
				t.Errorf("settings %d and %d: one configuration, %v", i, j, i != j)
			}
		}
	}
}

// TestForbiddenAddresses: what an address is, however IPv6 wraps it, and what is
// right beside each range and free.
func TestForbiddenAddresses(t *testing.T) {
	for class, addresses := range map[string]string{
		"metadata":    "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::169.254.169.254",
		"loopback":    "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b:1::127.0.0.1 2002:7f00:1:: 2002:7f00:1::9",
		"link-local":  "169.254.0.1 169.254.169.253 fe80::1 fe80::1%eth0 febf::1 224.0.0.251 ff02::1 2002:a9fe:1::",
		"unspecified": "0.0.0.0 0.255.0.1 :: ::ffff:0.0.0.0",
		"":            "192.0.2.1 128.0.0.1 126.255.255.255 1.0.0.1 169.253.0.1 10.0.0.1 100.100.100.201 2001:db8::1 fd00::1 fec0::1 2002:c000:201::7f00:1 64:ff9b::192.0.2.1",
	} {
		for text := range strings.FieldsSeq(addresses) {
			if got := classOf(netip.MustParseAddr(text)); got != class {
				t.Errorf("%s is %q, want %q", text, got, class)
			}
		}
	}
}

// TestForbiddenNames: what is against a host by its spelling.
func TestForbiddenNames(t *testing.T) {
	for host, want := range map[string]string{
		"registry.test": "", "registry.test.": "", "192.0.2.1": "", "0x7.example": "", "a1.b2": "", "xn--bcher-kva.example": "",
		"localhost": "loopback", "LocalHost.": "loopback", "a.localhost": "loopback", "127.0.0.1": "loopback", "127.0.0.1.": "loopback",
		"metadata.google.internal": "metadata", "METADATA.goog.": "metadata", "instance-data": "metadata",
		"127.1": "ends in a number", "2130706433": "ends in a number", "0x7f.1": "ends in a number", "a.0x": "ends in a number", "a.0X7F": "ends in a number",
		"bücher.example": "beyond ASCII", "１２７.0.0.1": "beyond ASCII", "a..b": "names no host", "": "names no host", "a b": "names no host", ".localhost": "names no host",
	} {
		if class, why := objection(host); (why == "") != (want == "") || class != want && !strings.Contains(why, want) {
			t.Errorf("%q: %q, %q, want %q", host, class, why, want)
		}
	}
}

// TestOrigins: scheme, host and port make an origin, in any case and with the
// port left out or not.
func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		one, other string
		same       bool
	}{
		{"https://a.test/x", "https://a.test/y?z", true},
		{"https://a.test", "HTTPS://A.test:443", true},
		{"http://a.test", "http://a.test:80", true},
		{"https://a.test", "http://a.test", false},
		{"https://a.test:80", "http://a.test:80", false},
		{"https://a.test", "https://a.test:8443", false},
		{"https://a.test", "https://b.a.test", false},
	} {
		if got := originOf(hop(t, test.one).URL) == originOf(hop(t, test.other).URL); got != test.same {
			t.Errorf("%s and %s are one origin: %v", test.one, test.other, got)
		}
	}
}
