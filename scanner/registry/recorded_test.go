package registry_test

import (
	"context"
	"net/http"
	"slices"
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

// TestRecordedRequest: an exchange names what it accepted and the scope that it
// needs; a token request has the scope of the request it is for.
func TestRecordedRequest(t *testing.T) {
	server := newTokenRegistry(t, "token-")
	c := client(t, entry(t, server.URL))
	session := c.NewSession()
	_, err := session.Do(t.Context(), registry.Request{
		Step: "referrers", Method: http.MethodGet, URL: c.URL("team/app/referrers/sha256:a"),
		Header: http.Header{"Accept": {"a/b", "c/d"}}, Scope: "repository:team/app:pull",
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range session.Exchanges() {
		got = append(got, x.Step+"|"+x.Accept+"|"+x.Scope)
	}
	want := []string{"referrers|a/b, c/d|repository:team/app:pull", "token||repository:team/app:pull", "referrers|a/b, c/d|repository:team/app:pull"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
