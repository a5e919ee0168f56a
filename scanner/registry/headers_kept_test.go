package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
)

// TestManyHeaders: headers without a value take far more memory than bytes on the wire,
// so that their number is bounded too.
func TestManyHeaders(t *testing.T) {
	for _, test := range []struct {
		name string
		add  func(http.Header)
		want string
	}{
		{"as many as may be", func(h http.Header) { addNames(h, maxHeaders-4) }, ""},
		{"too many", func(h http.Header) { addNames(h, maxHeaders+1) }, "over the bound of 500 headers"},
		{"too many of one name", func(h http.Header) { h["X"] = make([]string, maxHeaders+1) }, "over the bound of 500 headers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.add(w.Header()) }))
			defer server.Close()
			c := clientOf(t, server.URL, inventory.Auth{Anonymous: true})
			c.timeout = time.Minute
			s := c.NewSession()
			defer s.Close()
			resp, err := s.Do(t.Context(), Request{Step: "resolve", Method: http.MethodGet, URL: c.URL("a/manifests/b")})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			if resp.Fault != nil {
				text = resp.Fault.Text
			}
			if !strings.Contains(text, test.want) || test.want == "" && text != "" {
				t.Errorf("the fault is %q, want %q", text, test.want)
			}
		})
	}
}

// addNames adds n headers without a value.
func addNames(h http.Header, n int) {
	for i := range n {
		h[fmt.Sprintf("X%d", i)] = []string{""}
	}
}

// TestChallengesKept: what is kept of a challenge is what tokens are requested with, and
// its size counts as that of its token does.
func TestChallengesKept(t *testing.T) {
	var padding strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&padding, `,p%d="x"`, i)
	}
	target := &url.URL{Scheme: "https", Host: "registry.test"}
	c := clientOf(t, target.String(), inventory.Auth{})
	meet := func(scope, realm string) {
		field := `Bearer realm="https://auth.test/` + realm + `",service="s"` + padding.String()
		met := c.usable(&answer{url: target, header: http.Header{"Www-Authenticate": {field}}})
		made, err := c.newAuthorization("Bearer", "token", met, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.authorizations.keep(authorizationKey{scope: scope}, made)
	}
	before := living()
	for i := range 200 {
		meet(fmt.Sprint(i), "token")
	}
	if held := living() - before; held > 1<<20 {
		t.Errorf("200 challenges of %d bytes hold %d bytes", padding.Len(), held)
	}
	if n := len(c.authorizations.tokens); n != 200 {
		t.Errorf("%d tokens with short realms are kept", n)
	}
	for i := range 200 {
		meet(fmt.Sprint("long ", i), strings.Repeat("x", 60_000))
	}
	if n := len(c.authorizations.tokens); n > 5 {
		t.Errorf("%d tokens with realms of 60 KB are kept", n)
	}
}

// living returns the bytes on the heap that something refers to.
func living() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
