package registry

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"refmatrix/matrix"
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

// dialAll makes the client judge addresses as if they were dialled, and returns the
// first refusal.
func dialAll(c *Client, key transportKey, host string, addresses ...string) *refusal {
	for _, one := range addresses {
		if err := c.admitDial(key, host, net.JoinHostPort(one, "443")); err != nil {
			return err
		}
	}
	return nil
}

// TestRedirectsToLoopback: only a registry that was dialled on loopback and nowhere
// else may redirect there.
func TestRedirectsToLoopback(t *testing.T) {
	for _, test := range []struct {
		dialled  []string
		admitted bool
	}{
		{[]string{"127.0.0.1", "::1"}, true},
		{[]string{"192.0.2.9", "127.0.0.1"}, false},
		{[]string{"127.0.0.1", "192.0.2.9"}, false},
		{[]string{"192.0.2.9"}, false},
		{nil, false}, // behind a proxy
	} {
		c := clientOf(t, "http://registry.test", inventory.Auth{})
		if err := dialAll(c, transportKey{}, "registry.test", test.dialled...); err != nil {
			t.Fatalf("%v: the registry itself: %v", test.dialled, err)
		}
		via := []*url.URL{parse(t, "http://registry.test/v2/a")}
		if err := c.admitHop(parse(t, "http://127.0.0.1:9000/v2/a"), via); (err == nil) != test.admitted {
			t.Errorf("%v: a redirect to an address of this machine: %v", test.dialled, err)
		}
		if err := dialAll(c, transportKey{foreign: true}, "elsewhere.test", "127.0.0.1"); (err == nil) != test.admitted {
			t.Errorf("%v: a redirect to a name of this machine: %v", test.dialled, err)
		}
		if dialAll(c, transportKey{foreign: true, token: true}, "elsewhere.test", "127.0.0.1") == nil {
			t.Errorf("%v: a realm of this machine is dialled", test.dialled)
		}
	}
}

// TestMetadataRegistry: a registry is asked at a metadata address only if the
// inventory spells that address.
func TestMetadataRegistry(t *testing.T) {
	for _, test := range []struct {
		url, host, dialled string
		admitted           bool
	}{
		{"http://registry.test", "registry.test", "169.254.169.254", false},
		{"http://registry.test", "registry.test", "fd00:ec2::254", false},
		{"http://registry.test", "registry.test", "169.254.1.1", true},
		{"http://registry.test", "registry.test", "127.0.0.1", true},
		{"http://169.254.169.254", "169.254.169.254", "169.254.169.254", true},
		{"http://[fd00:ec2::254]", "fd00:ec2::254", "fd00:ec2::254", true},
	} {
		c := clientOf(t, test.url, inventory.Auth{})
		err := dialAll(c, transportKey{}, test.host, test.dialled)
		if (err == nil) != test.admitted || err != nil && (err.kind != matrix.Connect || !strings.Contains(err.text, test.host)) {
			t.Errorf("%s at %s: %v", test.url, test.dialled, err)
		}
	}
	for host, admitted := range map[string]bool{"metadata.google.internal": false, "METADATA.goog.": false, "169.254.169.254": true, "localhost": true} {
		if err := clientOf(t, "http://"+host, inventory.Auth{}).nameFault; (err == nil) != admitted {
			t.Errorf("behind a proxy, %s: %v", host, err)
		}
	}
}

// TestRealmsInAnyCase: auth.realms names hosts, and hosts have no case.
func TestRealmsInAnyCase(t *testing.T) {
	c := clientOf(t, "https://registry.example.com", inventory.Auth{Realms: []string{"Auth.example.com", "other.example.com:8443", "443.example.com:443"}})
	for realm, admitted := range map[string]bool{
		"https://auth.example.com/t": true, "https://AUTH.EXAMPLE.COM:8443/t": true, "https://OTHER.example.com:8443/t": true,
		"https://443.example.com/t": true, "https://443.example.com:8443/t": false,
		"https://other.example.com/t": false, "https://example.com/t": false, "https://registry.example.com/t": false,
	} {
		if err := c.admitRealm(realm); (err == nil) != admitted {
			t.Errorf("%s: %v", realm, err)
		}
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// hops are the first n addresses of a chain; text has the number of one.
func hops(t *testing.T, text string, n int) (via []*url.URL) {
	t.Helper()
	for i := range n {
		via = append(via, parse(t, fmt.Sprintf(text, i)))
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
		_, err := test.client.admitTokenHop("")(parse(t, test.to), hops(t, "https://auth.test/t?hop=%d", test.hops))
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
		err := c.admitHop(parse(t, test.to), hops(t, "https://registry.test/v2/a?hop=%d", test.hops))
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
