package registry_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// TestAddressIsWhole: an exchange tells the address that was asked, which a
// long name alone takes over what other texts are bounded to.
func TestAddressIsWhole(t *testing.T) {
	server := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t, entry(t, server.URL))
	for _, test := range []struct {
		length int
		whole  bool
	}{{255, true}, {4000, true}, {5000, false}} {
		session := c.NewSession()
		target := c.URL(strings.Repeat("a", test.length) + "/manifests/latest")
		if _, err := session.Do(context.Background(), registry.Request{Step: "resolve", Method: http.MethodHead, URL: target}); err != nil {
			t.Fatal(err)
		}
		var x matrix.Exchange
		for _, x = range session.Exchanges() {
		}
		if whole := x.URL == target.String(); whole != test.whole || len(x.URL) > 4<<10+len("...") {
			t.Errorf("a name of %d characters: %q", test.length, x.URL)
		}
	}
}
