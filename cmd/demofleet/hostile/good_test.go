package hostile

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"refmatrix/cmd/demofleet/testca"
)

// goodPassword is the password of every account in the crowd.
const goodPassword = "canary-crowd-8hX2kQ9v"

// good is a registry that does all as it should.
type good struct {
	name    string
	list    content // of referrers
	isEmpty bool
	chunked bool
	http2   bool
	signIn  string // "", "Basic" or "Bearer"
}

// goodLists are the referrers lists of good registries, small and large.
var goodLists = []struct {
	size string
	list content
}{
	{"no referrers", copies(0, "")},
	{"3 referrers", copies(3, descriptor)},
	{"50 KiB", descriptors(50 << 10)},
	{"300 KiB", descriptors(300 << 10)},
	{"1 MiB", descriptors(1 << 20)},
}

// goodRegistry is the nth good registry: among six there are all lists, and every
// way to send them and to sign in.
func goodRegistry(n int) good {
	list := goodLists[n%len(goodLists)]
	g := good{
		list:    list.list,
		isEmpty: n%len(goodLists) == 0,
		chunked: n%2 == 1,
		http2:   n%3 == 1,
		signIn:  []string{"", "Basic", "Bearer"}[n/2%3],
	}
	g.name = fmt.Sprintf("good %d: %s, chunked %t, HTTP/2 %t, signs in by %q", n, list.size, g.chunked, g.http2, g.signIn)
	return g
}

func (g *good) want() string {
	if g.isEmpty {
		return "referrers-empty"
	}
	return "referrers-listed"
}

// settings are those of its entry: whether it needs an account, and its limits.
func (g *good) settings() string {
	settings := ""
	if g.signIn == "" {
		settings = ", auth: {anonymous: true}"
	}
	// Those of HTTP/2 have the defaults, with retries: net/http's server closes a
	// connection that is not set up within 2 s, however busy the machine is.
	if !g.http2 {
		settings += ", timeout: 5s, retries: 0"
	}
	return settings
}

func (g *good) start(t *testing.T, n int, a *testca.Authority) *server {
	t.Helper()
	return serveHTTP(t, n, tlsFor(t, a, n, g.http2), func(s *server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch _, password, basic := r.BasicAuth(); {
			case r.URL.Path == "/token" && password == goodPassword:
				issue(w, r)
			case r.URL.Path == "/token":
				w.WriteHeader(http.StatusUnauthorized)
			case g.signIn == "Basic" && (!basic || password != goodPassword):
				wants(w, `Basic realm="x"`)
			case g.signIn == "Bearer" && r.Header.Get("Authorization") != "Bearer good":
				wants(w, `Bearer realm="`+s.origin+`/token",service="x"`)
			default:
				g.answer(w, r)
			}
		}
	})
}

// answer answers a request that is signed as it has to be.
func (g *good) answer(w http.ResponseWriter, r *http.Request) {
	_, reference, _ := strings.Cut(r.URL.Path, "/manifests/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/referrers/"+manifestDigest):
		sending{body: g.list, chunked: g.chunked}.ServeHTTP(w, r)
	case strings.Contains(r.URL.Path, "/referrers/sha256:"):
		empty(w, r)
	case reference == "latest" || reference == manifestDigest:
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", manifestDigest)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, manifest)
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
