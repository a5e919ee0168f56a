package hostile

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/cmd/demofleet/testca"
)

// starter starts the servers of a behaviour.
type starter = func(t *testing.T, n int, a *testca.Authority) (own *server, others []*server)

// sending is an answer that costs much to read.
type sending struct {
	body    content
	status  int           // 0 = 200
	header  http.Header   // beside the type of an index
	chunked bool          // without Content-Length
	http2   bool          // behind TLS
	pauseAt int           // bytes after which the body pauses; 0 = it does not
	drip    time.Duration // between two bytes after that; 0 = nothing more comes
}

// ServeHTTP sends the answer, and gives up with its client.
func (s sending) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := s.body()
	header := w.Header()
	header.Set("Content-Type", indexType)
	for name, values := range s.header {
		header[name] = values
	}
	if !s.chunked {
		header.Set("Content-Length", strconv.Itoa(len(text)))
	}
	w.WriteHeader(max(s.status, http.StatusOK))
	if s.pauseAt == 0 {
		_, _ = w.Write(text)
		if flusher, ok := w.(http.Flusher); ok && s.chunked {
			flusher.Flush()
		}
		return
	}
	_, _ = w.Write(text[:s.pauseAt])
	_ = http.NewResponseController(w).Flush()
	if s.drip == 0 {
		<-r.Context().Done()
		return
	}
	drip(r.Context(), w, text[s.pauseAt:], s.drip)
}

// drip sends text byte by byte.
func drip(ctx context.Context, w http.ResponseWriter, text []byte, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for i := range text {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := w.Write(text[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

// listed sends the answer at the referrers endpoint of a registry with Basic.
func (s sending) listed() starter {
	return serving(s.http2, func(own *server) http.HandlerFunc { return signedIn(own, s.ServeHTTP) })
}

// everywhere sends the answer to every request.
func (s sending) everywhere() starter {
	return serving(s.http2, func(*server) http.HandlerFunc { return s.ServeHTTP })
}

// asToken sends the answer from the token service.
func (s sending) asToken() starter { return challenging("{origin}/token", s.ServeHTTP) }

// serving serves a handler, over HTTP/2 and TLS if http2 is set.
func serving(http2 bool, handler func(*server) http.HandlerFunc) starter {
	return func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, tlsFor(t, a, n, http2), handler), nil
	}
}

// tlsFor is the TLS of a server of HTTP/2, or nil.
func tlsFor(t *testing.T, a *testca.Authority, n int, http2 bool) *tls.Config {
	t.Helper()
	if !http2 {
		return nil
	}
	config := tlsConfig(t, a, n, nil, false)
	config.NextProtos = []string{"h2", "http/1.1"}
	return config
}

// plain is the header of an answer that is not an index.
func plain(name, value string) http.Header {
	return http.Header{"Content-Type": {"application/json"}, name: {value}}
}

// issuing is a registry whose token service answers every request with a fresh
// opaque token of size letters.
func issuing(size int) starter {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		var issued atomic.Uint64
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			signed := signedIn(s, empty)
			return func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/token":
					_, _ = fmt.Fprintf(w, `{"token":%q}`, opaque(uint64(n)<<32|issued.Add(1), size))
				case !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "):
					wants(w, `Bearer realm="`+s.origin+`/token",service="x"`)
				default:
					signed(w, r)
				}
			}
		}), nil
	}
}

// heavyHeaders is a healthy registry all of whose answers have more headers.
func heavyHeaders(add func(http.Header)) starter {
	return serving(false, func(s *server) http.HandlerFunc {
		signed := signedIn(s, empty)
		return func(w http.ResponseWriter, r *http.Request) {
			add(w.Header())
			signed(w, r)
		}
	})
}

// unprintableHeaders is a registry whose every answer has, in each header that
// reports show, bytes that are shown as four characters each.
func unprintableHeaders() starter {
	value := strings.Repeat("\xff", 300)
	pages := sending{body: longTypes}
	return serving(false, func(s *server) http.HandlerFunc {
		signed := signedIn(s, func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.URL.Query().Get("n"))
			w.Header().Set("Link", fmt.Sprintf(`<?n=%d>; rel="next"; title="%s"`, n+1, value))
			pages.ServeHTTP(w, r)
		})
		return func(w http.ResponseWriter, r *http.Request) {
			for _, name := range []string{
				"Docker-Distribution-Api-Version", "Oci-Filters-Applied", "Oci-Subject", "Retry-After", "Server",
				"X-Jfrog-Version", "X-Artifactory-Id", "Gitlab-Container-Registry-Version", "Warning",
				"Access-Control-Allow-Headers", "X-Registry-Supports-Signatures",
			} {
				w.Header().Set(name, value)
			}
			signed(w, r)
		}
	})
}

// longChallenge is a registry whose every answer has a challenge with a realm of
// 250 KB.
func longChallenge() starter {
	challenge := `Basic realm="` + strings.Repeat("x", 250_000) + `"`
	return serving(false, func(s *server) http.HandlerFunc {
		signed := signedIn(s, empty)
		return func(w http.ResponseWriter, r *http.Request) {
			if w.Header().Set("WWW-Authenticate", challenge); r.Header.Get("Authorization") == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			signed(w, r)
		}
	})
}

// nextForEver answers every page with a link to a next one, whose address is
// longer by pad bytes.
func nextForEver(page sending, pad int) starter {
	padding := strings.Repeat("x", pad)
	return listing(func(_ *server, w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Link", fmt.Sprintf(`<?n=%d&pad=%s>; rel="next"`, n+1, padding))
		page.ServeHTTP(w, r)
	})
}

// redirectingFar redirects for ever, to addresses of 200 KB within its origin.
func redirectingFar() starter {
	padding := strings.Repeat("x", 200_000)
	return listing(func(s *server, w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Location", fmt.Sprintf("%s%s?n=%d&pad=%s", s.origin, r.URL.Path, n+1, padding))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

// versioned is a registry that shows itself as Gitea, whose version endpoint
// sends body.
func versioned(body content) starter {
	return serving(false, func(s *server) http.HandlerFunc {
		signed, version := signedIn(s, empty), sending{body: body, header: plain("X-Version", "1")}
		return func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v2/token":
				issue(w, r)
			case r.URL.Path == "/api/v1/version":
				version.ServeHTTP(w, r)
			case r.Header.Get("Authorization") != "Bearer good":
				wants(w, `Bearer realm="`+s.origin+`/v2/token",service="container_registry"`)
			default:
				signed(w, r)
			}
		}
	})
}

// noManifest is a registry without the image, which says so at length.
func noManifest() starter {
	absent := sending{body: manyCodes, status: http.StatusNotFound, header: plain("X-Absent", "1")}
	return serving(false, func(*server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				wants(w, `Basic realm="x"`)
				return
			}
			absent.ServeHTTP(w, r)
		}
	})
}

// tagged is a registry without the API, whose referrers tag is list.
func tagged(list content) starter {
	return serving(false, func(s *server) http.HandlerFunc {
		signed := signedIn(s, http.NotFound)
		return func(w http.ResponseWriter, r *http.Request) {
			tag := "/manifests/" + strings.Replace(manifestDigest, ":", "-", 1)
			if r.Header.Get("Authorization") != "" && strings.HasSuffix(r.URL.Path, tag) {
				sending{body: list}.ServeHTTP(w, r)
				return
			}
			signed(w, r)
		}
	})
}

// refusing answers referrers with a status and 8 MiB of an error body.
func refusing(status int) starter {
	return sending{body: manyCodes, status: status, header: plain("Www-Authenticate", `Basic realm="x"`)}.listed()
}

// costly are registries that are there to use up memory or time: each should cost
// the others nothing.
var costly = []behaviour{
	{name: "404 with 8 MiB of codes", want: "not-found", start: refusing(404)},
	{name: "400 with 8 MiB of codes", want: "rejected", start: refusing(400)},
	{name: "401 with 8 MiB of codes", want: "forbidden", start: refusing(401)},
	{name: "403 with 8 MiB of codes", want: "forbidden", start: refusing(403)},
	{name: "500 with 8 MiB of codes", want: "server-error", start: refusing(500)},
	{name: "endless 401 with 8 MiB of codes", want: "credentials-refused", start: sending{body: manyCodes, status: 401, header: plain("Www-Authenticate", `Basic realm="x"`)}.everywhere()},
	{name: "token: 200 with 8 MiB of codes", want: "token-error", start: sending{body: manyCodes}.asToken()},
	{name: "token: 400 with 8 MiB of codes", want: "token-error", start: sending{body: manyCodes, status: 400}.asToken()},
	{name: "token: 401 with 8 MiB of codes", want: "credentials-refused", start: sending{body: manyCodes, status: 401}.asToken()},
	{name: "token: 500 with 8 MiB of codes", want: "token-error", start: sending{body: manyCodes, status: 500}.asToken()},
	{name: "manifest: 404 with 8 MiB of codes", want: "image-not-found", start: noManifest()},
	{name: "token: 120 KB, fresh each time", want: "token-error", start: issuing(120_000)},
	{name: "token: 16 KB, fresh each time", want: "referrers-empty", start: issuing(16_000)},

	{name: "list: 1,000 types and digests of 300 unprintable characters", want: "referrers-empty", start: sending{body: unprintables}.listed()},
	{name: "list: 1,000 types of 255 bytes", want: "ignores-digest", start: sending{body: longTypes}.listed()},
	{name: "list: digests that are paths", want: "referrers-empty", start: sending{body: wrongDigests}.listed()},
	{name: "referrers tag: 1,000 types and digests of 300 unprintable characters", want: "not-found", start: tagged(unprintables)},
	{name: "referrers tag: 1,000 types of 255 bytes", want: "not-found", start: tagged(longTypes)},
	{name: "list: 7.9 MiB", want: "referrers-listed", start: sending{body: largeList}.listed()},
	{name: "list: 7.9 MiB, chunked", want: "referrers-listed", start: sending{body: largeList, chunked: true}.listed()},
	{name: "list: 7.9 MiB, HTTP/2", want: "referrers-listed", start: sending{body: largeList, http2: true}.listed()},
	{name: "list: 7.9 MiB, chunked, HTTP/2", want: "referrers-listed", start: sending{body: largeList, chunked: true, http2: true}.listed()},
	{name: "list: stalls at 7.8 MiB", want: "timeout", start: sending{body: largeList, pauseAt: underList - 100_000}.listed()},
	{name: "list: stalls at 7.8 MiB, chunked", want: "timeout", start: sending{body: largeList, pauseAt: underList - 100_000, chunked: true}.listed()},
	{name: "list: stalls at 7.8 MiB, HTTP/2", want: "timeout", start: sending{body: largeList, pauseAt: underList - 100_000, http2: true}.listed()},
	{name: "list: stalls at 7.8 MiB, chunked, HTTP/2", want: "timeout", start: sending{body: largeList, pauseAt: underList - 100_000, chunked: true, http2: true}.listed()},
	{name: "list: a byte a second after 40 KiB", want: "timeout", start: sending{body: largeList, pauseAt: 40 << 10, drip: time.Second}.listed()},
	{name: "list: a byte a second after 40 KiB, chunked", want: "timeout", start: sending{body: largeList, pauseAt: 40 << 10, drip: time.Second, chunked: true}.listed()},
	{name: "list: 8 MiB of empty descriptors, then a next page for ever", want: "referrers-empty", limit: 5 * time.Second, start: nextForEver(sending{body: nothings}, 0)},
	{name: "list: an artifact type of 8 MiB", want: "referrers-empty", start: sending{body: longType}.listed()},
	{name: "list: an annotation of 8 MiB", want: "ignores-digest referrers-listed", start: sending{body: longNote}.listed()},
	{name: "list: a key of 8 MiB", want: "referrers-empty", start: sending{body: longKey}.listed()},
	{name: "list: 8 MiB of open arrays", want: "not-an-index", start: sending{body: openArrays}.listed()},
	{name: "list: 8 MiB of open objects", want: "not-an-index", start: sending{body: openObjects}.listed()},
	{name: "list: 7.9 MiB under 404", want: "index-on-404", start: sending{body: largeList, status: 404}.listed()},

	{name: "Server header of 250 KB", want: "referrers-empty protocol", start: heavyHeaders(func(h http.Header) { h.Set("Server", strings.Repeat("x", 250_000)) })},
	{name: "challenge of 250 KB", want: "referrers-empty protocol", start: longChallenge()},
	{name: "2,000 headers", want: "referrers-empty protocol", start: heavyHeaders(func(h http.Header) {
		for i := range 2000 {
			h.Set(fmt.Sprintf("X-Header-%d", i), strings.Repeat("x", 100))
		}
	})},
	{name: "headers of 300 unprintable characters, and a next page for ever", want: "ignores-digest protocol", start: unprintableHeaders()},
	{name: "Link header of 200 KB", want: "referrers-listed protocol", start: nextForEver(sending{body: longTypes}, 200_000)},
	{name: "redirects to addresses of 200 KB", want: "redirect protocol", start: redirectingFar()},
	{name: "version of 8 MiB", want: "referrers-empty", start: versioned(longVersion)},
}
