package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"refmatrix/cmd/demofleet/testca"
)

// Steps of the write probe at which a registry sends it elsewhere.
const (
	startsUpload = "POST of an upload"
	uploads      = "PUT of a blob"
	pushes       = "PUT of a manifest"
)

// production is what a registry would like to have written or deleted.
const production = "/v2/prod/app/manifests/latest"

// writes are the behaviours of registries that send the write probe elsewhere: to
// an internal server, or to another repository of their own.
func writes() []behaviour {
	var all []behaviour
	for _, status := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		for _, step := range []string{startsUpload, uploads, pushes} {
			for _, elsewhere := range []bool{true, false} {
				place := "its own origin"
				if elsewhere {
					place = "another host"
				}
				all = append(all, behaviour{
					name:  fmt.Sprintf("write probe: %d of the %s to %s", status, step, place),
					want:  "referrers-empty",
					write: "scratch",
					start: sendingWrites(status, step, elsewhere),
					check: writesStay(step),
				})
			}
		}
	}
	return append(all, behaviour{
		name:  "write probe: an upload at another host",
		want:  "referrers-empty",
		write: "scratch",
		start: uploadingAt("{other}" + production + "?state=1"),
		check: writesStay(startsUpload),
	}, behaviour{
		name:  "write probe: an upload at another host, without a scheme",
		want:  "referrers-empty",
		write: "scratch",
		start: uploadingAt("//{host}" + production + "?state=1"),
		check: writesStay(startsUpload),
	})
}

// sendingWrites is a healthy registry that redirects the write probe at one step,
// and whatever it deletes.
func sendingWrites(status int, step string, elsewhere bool) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := unheard(t, n)
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			send := func(w http.ResponseWriter) {
				location := production
				if elsewhere {
					location = other.origin + production
				}
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			}
			return scratch(s, func(w http.ResponseWriter, r *http.Request) {
				at := map[string]string{http.MethodPost: startsUpload, http.MethodPut: uploads}[r.Method]
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
					at = pushes
				}
				switch {
				case r.Method == http.MethodDelete, at == step:
					send(w)
				case at == startsUpload:
					w.Header().Set("Location", "/v2/scratch/blobs/uploads/1")
					w.WriteHeader(http.StatusAccepted)
				default:
					w.WriteHeader(http.StatusCreated)
				}
			})
		}), []*server{other}
	}
}

// uploadingAt is a healthy registry that wants its uploads at another place.
func uploadingAt(location string) func(*testing.T, int, *testca.Authority) (*server, []*server) {
	return func(t *testing.T, n int, _ *testca.Authority) (*server, []*server) {
		other := unheard(t, n)
		location := strings.NewReplacer("{other}", other.origin, "{host}", strings.TrimPrefix(other.origin, "http://")).Replace(location)
		return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
			return scratch(s, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusAccepted)
			})
		}), []*server{other}
	}
}

// scratch is a healthy registry with an empty repository of this name, whose
// writes are answered by write.
func scratch(s *server, write http.HandlerFunc) http.HandlerFunc {
	read := signedIn(s, empty)
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") == "":
			wants(w, `Basic realm="x"`)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			write(w, r)
		case strings.HasPrefix(r.URL.Path, "/v2/scratch/"):
			w.WriteHeader(http.StatusNotFound)
		default:
			read(w, r)
		}
	}
}

// writesStay checks that the write probe came as far as to step, and wrote to its
// own repository only.
func writesStay(step string) func(*testing.T, *met) {
	return func(t *testing.T, m *met) {
		t.Helper()
		seen := map[string]bool{}
		for _, one := range m.own.asked() {
			if one.method == http.MethodGet || one.method == http.MethodHead {
				continue
			}
			if !strings.HasPrefix(one.target, "/v2/scratch/") {
				t.Errorf("%s: %s %s", m.name, one.method, one.target)
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(one.target, "/v2/scratch/"), "/")
			seen[one.method+" "+name] = true
		}
		want := map[string][]string{
			startsUpload: {"POST blobs"},
			uploads:      {"POST blobs", "PUT blobs", "DELETE blobs"},
			pushes:       {"PUT blobs", "PUT manifests", "DELETE manifests", "DELETE blobs"},
		}[step]
		for _, one := range want {
			if !seen[one] {
				t.Errorf("%s: no %s, so that nothing was tried: %v", m.name, one, seen)
			}
		}
		nothingElsewhere(t, m)
	}
}
