package hostile

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"refmatrix/cmd/demofleet/testca"
)

const manifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`

var manifestDigest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))

const indexType = "application/vnd.oci.image.index.v1+json"

// behaviour is one way to be hostile. start gives the registry, and other
// servers that must hear nothing of its credentials.
type behaviour struct {
	name     string
	want     string        // reasons that are right, separated by spaces
	realms   string        // auth.realms, a YAML list; {host} is the registry's own
	auth     string        // the inventory's key for the secret; empty is username and passwordFile
	cert     bool          // the entry has a client certificate, which bears the secret as its name
	insecure bool          // the entry has insecureSkipVerify
	write    string        // the repository of writeProbe
	limit    time.Duration // its timeout; 0 = by what is wanted
	start    func(t *testing.T, n int, a *testca.Authority) (own *server, others []*server)
	check    func(t *testing.T, m *met) // of what its servers heard, beside secrets; may be nil
}

// evil is what a registry could put wherever text comes from it.
const evil = "\x1b[2J\x1b]0;owned\x07|=cmd|'/c calc'!A0|<script>alert(1)</script>|`x`|[a](javascript:alert(1))|\u202egnp.exe"

// rawly is a server below HTTP.
func rawly(answer string, after func(net.Conn)) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveRaw(t, n, nil, answer, after), nil
	}
}

// signedIn serves manifests as a registry with Basic auth does, so that the
// credentials really are in play, and hands referrers to the handler.
func signedIn(s *server, referrers http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.Contains(r.URL.Path, "/manifests/sha256-") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Docker-Content-Digest", manifestDigest)
			return
		}
		referrers(w, r)
	}
}

// listing is hostile at the referrers endpoint.
func listing(referrers func(s *server, w http.ResponseWriter, r *http.Request)) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			return signedIn(s, func(w http.ResponseWriter, r *http.Request) { referrers(s, w, r) })
		}), nil
	}
}

// body answers referrers with a fixed body under the right type.
func body(text string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", indexType)
		_, _ = io.WriteString(w, text)
	})
}

// redirecting sends referrers elsewhere.
func redirecting(to string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return listing(func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.NewReplacer("{origin}", s.origin, "{path}", r.URL.Path).Replace(to))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

// challenging asks for a token at realm; {origin} is the registry's own. token
// answers there.
func challenging(realm string, token http.HandlerFunc) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					token(w, r)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+strings.ReplaceAll(realm, "{origin}", s.origin)+`",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		}), nil
	}
}

// tokening is hostile at a token endpoint of its own origin.
func tokening(status int, text string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return challenging("{origin}/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

// resolving is hostile at the manifest: HEAD has no digest, GET has that one.
func resolving(digest, text string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if digest != "" {
					w.Header().Set("Docker-Content-Digest", digest)
				}
				if r.Method == http.MethodGet {
					_, _ = io.WriteString(w, text)
				}
			}
		}), nil
	}
}

// secure is a server behind TLS that is broken.
func secure(change func(*x509.Certificate), selfSigned bool, version uint16) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		config := tlsConfig(t, a, n, change, selfSigned)
		config.MaxVersion = version
		return serveHTTP(t, n, config, func(s *server) http.HandlerFunc { return signedIn(s, http.NotFound) }), nil
	}
}

// statusOf answers everything with a status and a header.
func statusOf(status int, key, value string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(key, value)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"errors":[{"code":"`+strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`).Replace(evil)+`","message":"`+"x"+`"}]}`)
			}
		}), nil
	}
}

// toAnother sends referrers, or the token request, to a second server, which
// must not be shown the credentials.
func toAnother(path string, token bool) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := serveHTTP(t, n+150, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				// It asks for them, too.
				if r.Header.Get("Authorization") == "" && !strings.Contains(r.URL.Path, "/referrers/") {
					w.Header().Set("WWW-Authenticate", `Basic realm="mine"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				w.Header().Set("Content-Type", indexType)
				_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
			}
		})
		send := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.origin+strings.ReplaceAll(path, "{path}", r.URL.Path))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
		if token {
			own, _ := challenging("{origin}/token", send)(t, n, nil)
			return own, []*server{other}
		}
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc { return signedIn(s, send) }), []*server{other}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func sixteen(text string) string {
	var out strings.Builder
	out.WriteString("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(text)) {
		out.WriteByte(byte(unit))
		out.WriteByte(byte(unit >> 8))
	}
	return out.String()
}

const ok = "HTTP/1.1 200 OK\r\n"

const descriptor = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":1}`

// behaviours is the hostile fleet, with those of signing in and of writing.
var behaviours = []behaviour{
	{name: "never answers", want: "timeout", start: rawly("", hold)},
	{name: "drips a body", want: "timeout", start: rawly(ok+"Content-Length: 9999\r\n\r\n", repeat("x", 20*time.Millisecond))},
	{name: "drips headers", want: "timeout", start: rawly(ok+"X: ", repeat("x", 20*time.Millisecond))},
	{name: "endless headers", want: "protocol", start: rawly(ok, repeat("X-Header: value\r\n", 0))},
	{name: "endless header line", want: "protocol", start: rawly(ok+"X: ", repeat("x", 0))},
	{name: "endless interim answers", want: "protocol", start: rawly("", repeat("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 0))},
	{name: "endless body", want: "too-large", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", indexType)
		_, _ = io.CopyN(w, zeros{}, 1<<30)
	})},
	{name: "a gigabyte announced", want: "too-large", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1073741824")
		w.WriteHeader(http.StatusOK)
	})},
	{name: "truncated body", want: "protocol", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"schemaVersion":2`)
	})},
	{name: "truncated 404", want: "protocol", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusNotFound)
	})},
	{name: "wrongly chunked", want: "protocol timeout", start: rawly("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", closeNow)},
	{name: "two lengths", want: "protocol", start: rawly("HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", closeNow)},
	{name: "HTTP/0.9", want: "protocol", start: rawly("<html>hello</html>\n", closeNow)},
	{name: "garbage", want: "protocol", start: rawly("\x00\xff\x01\r\n\r\n", closeNow)},
	{name: "a status that is none", want: "protocol", start: rawly("HTTP/1.1 abc\r\n\r\n", closeNow)},
	{name: "status 99999", want: "protocol", start: rawly("HTTP/1.1 99999 OK\r\n\r\n", closeNow)},
	{name: "early close", want: "protocol", start: rawly("", closeNow)},
	{name: "reset", want: "connect", start: rawly("", reset)},
	{name: "reset in the answer", want: "connect protocol", start: rawly("HTTP/1.1 404 Not", reset)},
	{name: "switches protocols", want: "protocol manifest-rejected", start: rawly("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", hold)},
	{name: "HTTP/2 garbage", want: "protocol connect timeout", start: func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		config := tlsConfig(t, a, n, nil, false)
		config.NextProtos = []string{"h2"}
		return serveRaw(t, n, config, "not a frame at all, not a frame at all", closeNow), nil
	}},
	{name: "HTTP/2 reset", want: "protocol connect timeout", start: func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		config := tlsConfig(t, a, n, nil, false)
		config.NextProtos = []string{"h2"}
		// SETTINGS, then RST_STREAM of stream 1 with REFUSED_STREAM.
		return serveRaw(t, n, config, "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x07", hold), nil
	}},

	{name: "TLS: signs itself", want: "tls", start: secure(nil, true, 0)},
	{name: "TLS: expired", want: "tls", start: secure(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, false, 0)},
	{name: "TLS: not yet valid", want: "tls", start: secure(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, false, 0)},
	{name: "TLS: another host", want: "tls", start: secure(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"another.example.com"} }, false, 0)},
	{name: "TLS: 1.0", want: "tls", start: secure(nil, false, tls.VersionTLS10)},
	{name: "TLS: 1.1", want: "tls", start: secure(nil, false, tls.VersionTLS11)},
	{name: "TLS: garbage", want: "tls protocol", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		s := serveRaw(t, n, nil, "\x16\x03\x01\x00\x02hello", closeNow)
		s.origin = strings.Replace(s.origin, "http:", "https:", 1)
		return s, nil
	}},
	{name: "TLS: plain HTTP", want: "tls", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		s := serveHTTP(t, n, nil, func(s *server) http.HandlerFunc { return signedIn(s, http.NotFound) })
		s.origin = strings.Replace(s.origin, "http:", "https:", 1)
		return s, nil
	}},
	{name: "TLS: closes in the handshake", want: "tls protocol connect", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		s := serveRaw(t, n, nil, "", closeNow)
		s.origin = strings.Replace(s.origin, "http:", "https:", 1)
		return s, nil
	}},

	{name: "redirects to itself", want: "redirect", start: redirecting("{origin}{path}")},
	{name: "redirects for ever", want: "redirect", start: listing(func(s *server, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", s.origin+r.URL.Path+"?n="+fmt.Sprint(len(r.URL.RawQuery))+r.URL.RawQuery)
		w.WriteHeader(http.StatusFound)
	})},
	{name: "redirects to metadata", want: "redirect", start: redirecting("http://169.254.169.254{path}")},
	{name: "redirects to metadata by name", want: "redirect", start: redirecting("http://metadata.google.internal{path}")},
	{name: "redirects to metadata by IPv6", want: "redirect", start: redirecting("http://[::ffff:a9fe:a9fe]{path}")},
	{name: "redirects to link-local", want: "redirect", start: redirecting("http://169.254.1.1{path}")},
	{name: "redirects to link-local by IPv6", want: "redirect", start: redirecting("http://[fe80::1]{path}")},
	{name: "redirects to unspecified", want: "redirect", start: redirecting("http://0.0.0.0{path}")},
	{name: "redirects to another scheme", want: "redirect", start: redirecting("file:///etc/passwd{path}")},
	{name: "redirects with control characters", want: "redirect protocol redirected-away", start: redirecting("http://a\x7fb{path}")},
	{name: "redirects from https to http", want: "redirect", start: func(t *testing.T, n int, a *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, tlsConfig(t, a, n, nil, false), func(s *server) http.HandlerFunc {
			return signedIn(s, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", strings.Replace(s.origin, "https:", "http:", 1)+r.URL.Path)
				w.WriteHeader(http.StatusFound)
			})
		}), nil
	}},
	{name: "redirects to another host", want: "referrers-empty", start: toAnother("{path}", false)},
	{name: "redirects to a page of another host", want: "redirected-away", start: toAnother("/sign-in", false)},

	{name: "realm over http elsewhere", want: "auth-refused", start: challenging("http://127.77.9.9:80/token", nil)},
	{name: "realm on loopback", want: "auth-refused", start: challenging("https://127.0.0.1:1/token", nil)},
	{name: "realm on localhost", want: "auth-refused", start: challenging("https://localhost:1/token", nil)},
	{name: "realm on link-local", want: "auth-refused", start: challenging("https://169.254.3.4/token", nil)},
	{name: "realm on metadata", want: "auth-refused", start: challenging("https://169.254.169.254/token", nil)},
	{name: "realm on metadata by name", want: "auth-refused", start: challenging("https://metadata.google.internal/token", nil)},
	{name: "realm on metadata inside IPv6", want: "auth-refused", start: challenging("https://[64:ff9b::a9fe:a9fe]/token", nil)},
	{name: "realm with credentials", want: "auth-refused", start: challenging("https://user:pass@auth.invalid/token", nil)},
	{name: "realm with control characters", want: "auth-refused unauthorized protocol", start: challenging("https://auth.invalid/\x7f", nil)},
	{name: "realm of another scheme", want: "auth-refused", start: challenging("file:///etc/passwd", nil)},
	{name: "realm that nobody named", want: "auth-refused", realms: "[auth.example.com]", start: challenging("https://auth.invalid/token", nil)},
	{name: "realm that does not resolve", want: "token-error", start: challenging("https://auth.invalid/token", nil)},

	{name: "token: 500", want: "token-error", start: tokening(500, "")},
	{name: "token: a page", want: "token-error", start: tokening(200, "<html>sign in</html>")},
	{name: "token: empty", want: "token-error", start: tokening(200, "{}")},
	{name: "token: 10 MB", want: "token-error", start: tokening(200, `{"token":"`+strings.Repeat("x", 10<<20)+`"}`)},
	{name: "token: newlines", want: "token-error", start: tokening(200, `{"token":"a\r\nX-Evil: b"}`)},
	{name: "token: refused", want: "credentials-refused", start: tokening(401, `{"errors":[{"code":"UNAUTHORIZED"}]}`)},
	{name: "token: redirects to another origin", want: "auth-refused", start: toAnother("/token", true)},
	{name: "token: of no use", want: "credentials-refused", start: tokening(200, `{"token":"useless"}`)},
	{name: "endless 401", want: "credentials-refused", start: statusOf(401, "WWW-Authenticate", `Basic realm="again"`)},
	{name: "challenge without realm", want: "unauthorized", start: statusOf(401, "WWW-Authenticate", `Bearer service="x"`)},
	{name: "challenge of nonsense", want: "unauthorized", start: statusOf(401, "WWW-Authenticate", `",,=" Bearer ===`)},
	{name: "challenge of 60 KB", want: "unauthorized", start: statusOf(401, "WWW-Authenticate", `Digest `+strings.Repeat(`x="y",`, 10<<10))},

	{name: "sends a registry token elsewhere", want: "referrers-empty", auth: "token", start: toAnother("{path}", false)},
	{name: "wants the registry token at a realm", want: "credentials-refused", auth: "token", start: challenging("{origin}/token", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	})},
	{name: "sends an identity token elsewhere", want: "auth-refused", auth: "identityToken", start: toAnother("/token", true)},
	{name: "takes an identity token and gives nothing", want: "token-error", auth: "identityToken", start: tokening(200, "{}")},
	{name: "on IPv6, redirects to IPv4", want: "referrers-empty", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		_, others := toAnother("{path}", false)(t, n, nil)
		listener, err := net.Listen("tcp", "[::1]:0")
		if err != nil {
			t.Fatal(err)
		}
		return serveAt(t, listener, nil, func(s *server) http.HandlerFunc {
			return signedIn(s, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", others[0].origin+r.URL.Path)
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
		}), others
	}},

	{name: "digest: not the body's", want: "no-digest", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("0", 64))
				_, _ = io.WriteString(w, manifest)
			}
		}), nil
	}},
	{name: "digest: malformed", want: "no-digest", start: resolving("sha256:xyz", manifest)},
	{name: "digest: too long", want: "no-digest", start: resolving("sha256:"+strings.Repeat("a", 10_000), manifest)},
	{name: "digest: of another algorithm", want: "no-digest", start: resolving("md5:d41d8cd98f00b204e9800998ecf8427e", manifest)},
	{name: "digest: a path", want: "no-digest", start: resolving("sha256:../../../../token?x=", manifest)},
	{name: "manifest: a page", want: "not-a-registry", start: resolving("", "<html>proxy</html>")},
	{name: "manifest: endless", want: "too-large", start: resolving("", strings.Repeat("x", 9<<20))},

	{name: "list: deeply nested", want: "not-an-index", start: body(strings.Repeat("[", 1<<20))},
	{name: "list: nested in an index", want: "referrers-empty", start: body(`{"schemaVersion":2,"manifests":[` + strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000) + "]}")},
	{name: "list: keys twice", want: "ignores-digest", start: body(`{"schemaVersion":2,"manifests":[],"manifests":[` + descriptor + `]}`)},
	{name: "list: 50,000 descriptors", want: "referrers-listed", start: body(`{"schemaVersion":2,"manifests":[` + strings.TrimSuffix(strings.Repeat(descriptor+",", 50_000), ",") + `]}`)},
	{name: "list: 100,000 descriptors", want: "referrers-listed", start: body(`{"schemaVersion":2,"manifests":[` + strings.TrimSuffix(strings.Repeat(descriptor+",", 100_000), ",") + `]}`)},
	{name: "list: of texts", want: "not-an-index", start: body(`{"schemaVersion":2,"manifests":["a"]}`)},
	{name: "list: a text", want: "not-an-index", start: body(`{"schemaVersion":2,"manifests":"a"}`)},
	{name: "list: NaN", want: "not-an-index", start: body(`{"schemaVersion":NaN,"manifests":[]}`)},
	{name: "list: a byte order mark", want: "not-an-index referrers-empty", start: body("\xef\xbb\xbf" + `{"schemaVersion":2,"manifests":[]}`)},
	{name: "list: UTF-16", want: "not-an-index", start: body(sixteen(`{"schemaVersion":2,"manifests":[]}`))},
	{name: "list: evil texts", want: "ignores-digest", start: body(`{"schemaVersion":2,"manifests":[{"mediaType":"\u001b[2J<script>","artifactType":"=cmd|' /C calc'!A0\u202e","digest":"` + manifestDigest + `","size":1}]}`)},
	{name: "list: evil digests", want: "referrers-empty", start: body(`{"schemaVersion":2,"manifests":[{"mediaType":"\u001b[2J<script>","artifactType":"=cmd|' /C calc'!A0\u202e","digest":"sha256:../..","size":1}]}`)},
	{name: "next link in a circle", want: "ignores-digest", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", indexType)
		w.Header().Set("Link", `<?next=1>; rel="next"`)
		_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[`+descriptor+`]}`)
	})},
	{name: "next link of path tricks", want: "ignores-digest", start: listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", indexType)
		w.Header().Set("Link", `<../../../..//etc/%2e%2e/passwd?x=1#y>; rel="next"`)
		_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[`+descriptor+`]}`)
	})},
	{name: "next link to another origin", want: "ignores-digest", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := serveHTTP(t, n+150, nil, func(*server) http.HandlerFunc { return http.NotFound })
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			return signedIn(s, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", indexType)
				w.Header().Set("Link", `<`+other.origin+`/v2/next>; rel="next"`)
				_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[`+descriptor+`]}`)
			})
		}), []*server{other}
	}},

	{name: "429 for an hour", want: "rate-limited", start: statusOf(429, "Retry-After", "3600")},
	{name: "429 until a date", want: "rate-limited", start: statusOf(429, "Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT")},
	{name: "429 of minus one", want: "rate-limited", start: statusOf(429, "Retry-After", "-1")},
	{name: "503 for an hour", want: "server-error", start: statusOf(503, "Retry-After", "3600")},
	{name: "evil Server header", want: "forbidden", start: statusOf(403, "Server", strings.NewReplacer("\x1b", "", "\x07", "").Replace(evil))},
	{name: "evil Warning header", want: "manifest-rejected", start: statusOf(400, "Warning", `299 - "`+strings.NewReplacer("\x1b", "", "\x07", "").Replace(evil)+`"`)},
	{name: "sends back what it is sent", want: "credentials-refused", start: func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		return serveHTTP(t, n, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				_, password, _ := r.BasicAuth()
				said := r.Header.Get("Authorization") + " " + password + " " + base64.StdEncoding.EncodeToString([]byte(password))
				w.Header().Set("Server", said)
				w.Header().Set("Warning", said)
				w.Header().Set("WWW-Authenticate", `Basic realm="`+said+`"`)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, said, said)
			}
		}), nil
	}},
}
