package scanner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/probe"
)

// scripted is a registry that answers as one product does.
type scripted struct {
	challenge func(w http.ResponseWriter, q *http.Request, signed bool) // of a request that is refused
	server    string
	versions  atomic.Int32 // requests of /api/v1/version
	refusesV1 bool         // /api/v1/version wants an account
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	authorization := q.Header.Get("Authorization")
	user, password, _ := q.BasicAuth()
	known := authorization == "Bearer token-8hX2kQ9v" || user == "u" && password == "canary-8hX2kQ9v"
	if s.server != "" {
		w.Header().Set("Server", s.server)
	}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	switch {
	case strings.Contains(q.URL.Path, "/cut/"):
		panic(http.ErrAbortHandler)
	case q.URL.Path == "/api/v1/version":
		s.versions.Add(1)
		switch {
		case strings.HasPrefix(authorization, "Bearer "), s.refusesV1 && authorization == "":
			w.Header().Set("WWW-Authenticate", `Basic realm="Gitea"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			fmt.Fprint(w, `{"version":"1.26.0"}`)
		}
	case strings.HasSuffix(q.URL.Path, "/token"):
		fmt.Fprint(w, `{"token":"token-8hX2kQ9v"}`)
	case !known:
		s.challenge(w, q, authorization != "")
		w.WriteHeader(http.StatusUnauthorized)
	case strings.HasSuffix(q.URL.Path, "/manifests/absent"):
		w.WriteHeader(http.StatusNotFound)
	case strings.Contains(q.URL.Path, "/refused/"):
		s.challenge(w, q, true)
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(q.URL.Path, "/manifests/sha256-"), strings.Contains(q.URL.Path, "/referrers/"):
		http.NotFound(w, q)
	default:
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Content-Type", matrix.ManifestMediaType)
	}
}

// harborRefuses is Harbor 2.15.2: the challenge is Bearer, but Basic to a request that was
// signed, in whatever way.
func harborRefuses(w http.ResponseWriter, q *http.Request, signed bool) {
	if signed {
		w.Header().Set("WWW-Authenticate", `Basic realm="harbor"`)
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+q.Host+`/service/token",service="harbor-registry"`)
}

// giteaRefuses is Gitea 1.26.0, with two challenges.
func giteaRefuses(w http.ResponseWriter, q *http.Request, _ bool) {
	w.Header().Add("WWW-Authenticate", `Bearer realm="http://`+q.Host+`/v2/token",service="container_registry",scope="*"`)
	w.Header().Add("WWW-Authenticate", `Basic realm="Gitea Container Registry"`)
}

// scanImages scans images of s. Its version endpoint may be requested once.
func scanImages(t *testing.T, s *scripted, images string, concurrency int, depth probe.Depth) *matrix.Matrix {
	t.Helper()
	s.versions.Store(0)
	address := serve(t, s.ServeHTTP)
	m := scan(t, context.Background(), load(t, fmt.Sprintf(
		"version: 1\nregistries:\n  - {name: r, url: '%s', images: [%s], concurrency: %d, rate: 0, retries: 0, auth: {username: u, password: canary-8hX2kQ9v}}\n",
		address, images, concurrency)), scanner.Options{Probe: probe.Options{Depth: depth}})
	for i := range m.Rows {
		m.Rows[i].URL = "" // the port differs
	}
	return m
}

// productsOf names the product of each row.
func productsOf(m *matrix.Matrix) string {
	var names []string
	for _, row := range m.Rows {
		if row.Product == nil {
			names = append(names, "none")
			continue
		}
		names = append(names, row.Product.NameAndVersion())
	}
	return strings.Join(names, ", ")
}

// TestOneProduct: every row of a registry names the same product, however it was signed
// in, in whatever order the images are probed, and whatever came of the row.
func TestOneProduct(t *testing.T) {
	const one = "team/app:1, team/app:2, team/app:3"
	for _, test := range []struct {
		name      string
		registry  *scripted
		images    string
		depth     probe.Depth
		want      string
		versioned int32
	}{
		{"Harbor", &scripted{challenge: harborRefuses}, one, probe.Standard, "Harbor, Harbor, Harbor", 0},
		{"Harbor, the first image refused", &scripted{challenge: harborRefuses}, "team/refused/app, " + one, probe.Standard, "Harbor, Harbor, Harbor, Harbor", 0},
		{"Harbor, the first connection cut", &scripted{challenge: harborRefuses}, "team/cut/app, " + one, probe.Standard, "Harbor, Harbor, Harbor, Harbor", 0},
		{"Gitea", &scripted{challenge: giteaRefuses}, one, probe.Standard, "Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0", 1},
		{"Gitea, the first image absent", &scripted{challenge: giteaRefuses}, "team/app:absent, " + one, probe.Full,
			"Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0", 1},
		{"Gitea, the first connection cut", &scripted{challenge: giteaRefuses}, "team/cut/app, " + one, probe.Standard,
			"Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0", 1},
		{"Gitea, the last connection cut", &scripted{challenge: giteaRefuses}, one + ", team/cut/app", probe.Standard,
			"Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0", 1},
		{"Gitea, whose version wants an account", &scripted{challenge: giteaRefuses, refusesV1: true}, one, probe.Standard,
			"Gitea 1.26.0, Gitea 1.26.0, Gitea 1.26.0", 2},
		{"Gitea, whose version is not requested", &scripted{challenge: giteaRefuses}, one, probe.Basic,
			"Gitea or Forgejo, Gitea or Forgejo, Gitea or Forgejo", 0},
		{"a header", &scripted{challenge: harborRefuses, server: "Nexus/3.80.0-06"}, "team/cut/app, " + one, probe.Standard,
			"Nexus 3.80.0-06, Nexus 3.80.0-06, Nexus 3.80.0-06, Nexus 3.80.0-06", 0},
		{"the header of a version that many send", &scripted{challenge: func(w http.ResponseWriter, _ *http.Request, _ bool) {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		}}, one, probe.Standard, "none, none, none", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, concurrency := range []int{1, 4} {
				m := scanImages(t, test.registry, test.images, concurrency, test.depth)
				if got := productsOf(m); got != test.want {
					t.Errorf("%d at once: %s, want %s", concurrency, got, test.want)
				}
				if n := test.registry.versions.Load(); n != test.versioned {
					t.Errorf("%d at once: the version was requested %d times, want %d", concurrency, n, test.versioned)
				}
			}
		})
	}
}

// TestOneImageMore: an image that is added to the inventory changes nothing of the other
// rows.
func TestOneImageMore(t *testing.T) {
	for name, refuses := range map[string]func(http.ResponseWriter, *http.Request, bool){"Harbor": harborRefuses, "Gitea": giteaRefuses} {
		s := &scripted{challenge: refuses}
		before := scanImages(t, s, "team/app:1, team/app:2", 4, probe.Standard)
		after := scanImages(t, s, "team/app:0, team/app:1, team/app:2", 4, probe.Standard)
		for _, change := range matrix.Compare(before, after).Changes {
			if change.Image != "team/app:0" {
				t.Errorf("%s: %+v", name, change)
			}
		}
	}
}

// TestUnfinishedProduct: a scan that ends before a registry is done names one product too.
func TestUnfinishedProduct(t *testing.T) {
	s := &scripted{challenge: giteaRefuses}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {name: r, url: '%s', images: [team/cut/app, 'team/app:1', 'team/app:2'], concurrency: 1, rate: 0, retries: 0, auth: {username: u, password: canary-8hX2kQ9v}}\n",
		serve(t, s.ServeHTTP)))
	rows := 0
	m := scan(t, ctx, inv, scanner.Options{Progress: func(e scanner.Event) {
		if e.Row == nil {
			return
		}
		if rows++; rows == 2 {
			cancel()
		}
	}})
	if got := productsOf(m); m.Complete || got != "Gitea 1.26.0, Gitea 1.26.0" {
		t.Errorf("complete %t, %s", m.Complete, got)
	}
}

// TestTokenOfAnotherRow: what a registry sends of a token stands in no row, although the token
// is forgotten with the row that used it and the product is that of all rows.
func TestTokenOfAnotherRow(t *testing.T) {
	for _, where := range []string{"Server", "realm", "version"} {
		for _, early := range []bool{false, true} { // before the token is issued
			var tokens atomic.Int32
			token := func(n int32) string { return fmt.Sprintf("tok3n.8hX2kQ9v.%d", n) }
			address := serve(t, func(w http.ResponseWriter, q *http.Request) {
				authorization := q.Header.Get("Authorization")
				echo := strings.TrimPrefix(authorization, "Bearer ")
				if early {
					echo = token(1)
				}
				if where == "Server" && echo != "" {
					w.Header().Set("Server", "Nexus/3."+echo+" (OSS)")
				}
				realm := "http://" + q.Host + "/v2/token"
				if where == "realm" && early {
					realm = "http://" + q.Host + "/" + echo + "/v2/token"
				}
				switch {
				case q.URL.Path == "/api/v1/version":
					version := "1." + token(tokens.Load())
					if early {
						version = "1." + token(1)
					}
					fmt.Fprintf(w, `{"version":%q}`, version)
				case strings.HasSuffix(q.URL.Path, "/token"):
					_ = json.NewEncoder(w).Encode(map[string]string{"token": token(tokens.Add(1))})
				case authorization == "":
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="container_registry"`)
					w.WriteHeader(http.StatusUnauthorized)
				case strings.Contains(q.URL.Path, "/manifests/"):
					w.Header().Set("Docker-Content-Digest", digest)
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			})
			m := scan(t, context.Background(), load(t, fmt.Sprintf(
				"version: 1\nregistries:\n  - {name: r, url: '%s', images: [a/a, a/b, a/c], rate: 0, retries: 0, auth: {anonymous: true}}\n", address)), scanner.Options{})
			for i := range m.Rows {
				m.Rows[i].Exchanges = nil // the realm is also the address that a token is requested at
			}
			if text := encode(t, m); strings.Contains(text, "8hX2kQ9v") {
				t.Errorf("%s, early %t: a token is in the matrix: %s", where, early, text)
			}
			if where == "Server" && !strings.HasPrefix(productsOf(m), "Nexus ***, Nexus ***") {
				t.Errorf("%s, early %t: %s", where, early, productsOf(m))
			}
		}
	}
}
