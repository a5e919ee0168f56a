package registry

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"refmatrix/scanner/inventory"
)

// FuzzChallenge: a challenge that is read keeps its meaning when it is written
// for the auth client, and a realm is never admitted but by the rules.
func FuzzChallenge(f *testing.F) {
	for _, text := range []string{
		`Bearer realm="https://a.example/token",service="x",scope="repository:a:pull"`, `bearer realm=https://a.example/t`, `Basic realm="x", Bearer realm="y"`,
		`Bearer`, `Bearer realm=""`, `Bearer realm="a\"b"`, `BEARER   REALM="x"  , SERVICE=y`, `Bearer realm="https://169.254.169.254/"`, `Bearer scope="a",scope="b",realm="c"`, "Bearer realm=\"\x00\"",
	} {
		f.Add(text)
	}
	pool := NewPool(Options{})
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, header string) {
		read, ok := ParseBearer(header)
		if !ok {
			return
		}
		for name, value := range read {
			if strings.ContainsFunc(value, unicode.IsControl) || !utf8.ValidString(value) {
				return // no header holds these
			}
			if name != "realm" && name != "service" && name != "scope" {
				t.Errorf("%q has the parameter %q", header, name)
			}
		}
		again, ok := ParseBearer(wordBearer(read))
		if !ok || again["realm"] != read["realm"] || again["service"] != read["service"] || again["scope"] != read["scope"] {
			t.Errorf("%q is read as %q, then as %q", header, read, again)
		}
	})
}

// FuzzRealm: no realm on this machine, its link or a metadata service is ever
// admitted, however its address is written.
func FuzzRealm(f *testing.F) {
	for _, text := range []string{
		"https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "http://192.0.2.1/", "https://192.0.2.1/token",
		"https://u:p@192.0.2.1/", "https://localhost/", "file:///x", "https://0.0.0.0/", "https://[fe80::1%25eth0]/", "https://LOCALHOST./",
	} {
		f.Add(text)
	}
	inv, err := inventory.Parse(strings.NewReader("version: 1\nregistries: [{url: 'https://192.0.2.9', images: [x]}]"), "x", ".", func(string) (string, bool) { return "", false })
	if err != nil {
		f.Fatal(err)
	}
	pool := NewPool(Options{})
	f.Cleanup(pool.Close)
	c := pool.Client(inv.Registries[0])
	f.Fuzz(func(t *testing.T, realm string) {
		if u, err := url.Parse(realm); err == nil {
			if _, err := netip.ParseAddr(u.Hostname()); err != nil && !strings.HasPrefix(strings.ToLower(u.Hostname()), "localhost") {
				return // a name would be looked up; addresses are what is tried
			}
		}
		if err := c.admitRealm(t.Context(), realm); err != nil {
			return
		}
		lower := strings.ToLower(realm)
		for _, never := range []string{"https://127.", "https://[::1]", "https://0.", "https://169.254.", "https://[fe80", "https://[::ffff:127.", "http://", "file:", "https://localhost/"} {
			if strings.HasPrefix(lower, never) {
				t.Errorf("%q is admitted", realm)
			}
		}
	})
}
