package registry

import (
	"net/http"
	"net/netip"
	"net/url"
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
