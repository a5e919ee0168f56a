package scanner_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/probe"
)

// hub is a registry with the API. Every image app-N:TAG has a digest of its own unless its
// tag begins with "same".
type hub struct {
	repositories, tags int

	list     func(w http.ResponseWriter, q *http.Request) bool     // answers tags/list instead of the hub
	referrer func(repository, tag string) (artifactTypes []string) // of an image; nil = none
	answers  func(w http.ResponseWriter, q *http.Request) bool     // any other request, instead of the hub
	exists   map[string]bool                                       // tags beside those of images

	mu      sync.Mutex
	kinds   map[string]int // requests by what they ask for
	digests map[string]string
}

// tagNames are the tags of the images of each repository.
func (h *hub) tagNames() (names []string) {
	for i := range h.tags {
		names = append(names, fmt.Sprintf("v%d", i))
	}
	return names
}

// kindOf names what a request asks for.
func kindOf(q *http.Request) string {
	_, last, _ := strings.Cut(q.URL.Path, "/manifests/")
	switch {
	case q.URL.Path == "/token":
		return "token"
	case strings.HasSuffix(q.URL.Path, "/tags/list"):
		return "tags"
	case strings.HasSuffix(last, ".sig"), strings.HasSuffix(last, ".att"), strings.HasSuffix(last, ".sbom"):
		return "cosign"
	case strings.HasPrefix(last, "sha256-"):
		return "tag"
	case last != "":
		return "manifest"
	case strings.Contains(q.URL.Path, "sha256:0000"):
		return "absent"
	case strings.HasSuffix(q.URL.Path, "malformed"):
		return "malformed"
	case q.Method == http.MethodHead:
		return "head"
	case q.URL.Query().Has("artifactType"):
		return "filter"
	}
	return "referrers"
}

func hubDigest(of string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(of))) }

func (h *hub) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	kind := kindOf(q)
	h.mu.Lock()
	h.kinds[kind]++
	h.mu.Unlock()
	repository, rest, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/v2/"), "/")
	last := rest[strings.LastIndexByte(rest, '/')+1:]
	switch {
	case h.answers != nil && h.answers(w, q):
	case kind == "tags" && h.list != nil && h.list(w, q):
	case kind == "tags":
		names := h.tagNames()
		for name := range h.exists {
			names = append(names, name)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": names})
	case kind == "tag", kind == "cosign":
		if !h.exists[last] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Docker-Content-Digest", hubDigest(last))
		fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
	case kind == "manifest":
		of := hubDigest(repository + ":" + last)
		if strings.HasPrefix(last, "same") {
			of = hubDigest(repository)
		}
		h.mu.Lock()
		h.digests[of] = repository + ":" + last
		h.mu.Unlock()
		w.Header().Set("Docker-Content-Digest", of)
	case kind == "malformed":
		w.WriteHeader(http.StatusBadRequest)
	default:
		h.referrers(w, last, q.URL.Query().Get("artifactType"))
	}
}

// referrers lists what is attached to a digest, filtered without saying so.
func (h *hub) referrers(w http.ResponseWriter, digest, wanted string) {
	h.mu.Lock()
	repository, tag, _ := strings.Cut(h.digests[digest], ":")
	h.mu.Unlock()
	list := []string{}
	if h.referrer != nil && repository != "" {
		for _, artifactType := range h.referrer(repository, tag) {
			if wanted == "" || wanted == artifactType {
				list = append(list, fmt.Sprintf(`{"digest":%q,"artifactType":%q}`, hubDigest(digest+artifactType), artifactType))
			}
		}
	}
	w.Header().Set("Content-Type", matrix.IndexMediaType)
	fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(list, ","))
}

// scan scans images of the hub, all of them if images is empty.
func (h *hub) scan(t *testing.T, depth probe.Depth, concurrency int, images ...string) *matrix.Matrix {
	t.Helper()
	h.kinds, h.digests = map[string]int{}, map[string]string{}
	for repository := range h.repositories {
		for _, tag := range h.tagNames() {
			images = append(images, fmt.Sprintf("app-%d:%s", repository, tag))
		}
	}
	m := scan(t, context.Background(), load(t, fmt.Sprintf(
		"version: 1\nregistries:\n  - {name: r, url: '%s', images: ['%s'], concurrency: %d, rate: 0, retries: 0, auth: {anonymous: true}}\n",
		serve(t, h.ServeHTTP), strings.Join(images, "','"), concurrency)), scanner.Options{Probe: probe.Options{Depth: depth}})
	for i := range m.Rows {
		m.Rows[i].URL, m.Rows[i].DurationMS = "", 0
	}
	return m
}

func (h *hub) total() (n int) {
	for _, of := range h.kinds {
		n += of
	}
	return n
}

// behindTokens answers as a registry that wants a token for each repository.
func behindTokens(w http.ResponseWriter, q *http.Request) bool {
	token := func(scope string) string {
		return "token-8hX2kQ9v-" + strings.NewReplacer(":", "-", "/", "-").Replace(scope)
	}
	repository, _, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/v2/"), "/")
	switch {
	case q.URL.Path == "/token":
		_ = json.NewEncoder(w).Encode(map[string]string{"token": token(q.URL.Query().Get("scope"))})
	case q.Header.Get("Authorization") != "Bearer "+token("repository:"+repository+":pull"):
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+q.Host+`/token",service="s"`)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		return false
	}
	return true
}

// TestRequestsOfARepository: what does not depend on the image is requested once in a
// repository, and the tags of all its images are one list. A token is one request more for
// each repository, and the challenge one for the registry.
func TestRequestsOfARepository(t *testing.T) {
	for depth, most := range map[probe.Depth]float64{probe.Basic: 2, probe.Standard: 2.5, probe.Full: 2.9} {
		h := &hub{repositories: 10, tags: 10}
		m := h.scan(t, depth, 4)
		if got := float64(h.total()) / float64(len(m.Rows)); len(m.Rows) != 100 || got > most {
			t.Errorf("%s: %.2f requests for each of %d images, want %.1f at most: %v", depth, got, len(m.Rows), most, h.kinds)
		}
		for _, row := range m.Rows {
			if row.Reason != matrix.ReferrersEmpty {
				t.Errorf("%s %s: %s", depth, row.Image, row.Reason)
			}
		}
		open := h.total()
		h.answers = behindTokens
		if h.scan(t, depth, 4); h.kinds["token"] != 10 || h.total() != open+10+1 {
			t.Errorf("%s: %d requests, and %d behind a token service: %v", depth, open, h.total(), h.kinds)
		}
	}
}

// capabilitiesOf returns the capabilities of a row but for where they come from.
func capabilitiesOf(t *testing.T, row matrix.Row) string {
	t.Helper()
	caps := *row.Capabilities
	caps.FromRepository = nil
	return encode(t, caps)
}

// TestSharedAsAlone: a row of many has the verdict and the capabilities that it has if it is
// the only one of its repository, and the rows of two scans are the same, however many
// images are probed at once.
func TestSharedAsAlone(t *testing.T) {
	types := func(_, tag string) []string {
		switch tag {
		case "v1":
			return []string{"application/a"} // a filter by the one type shows nothing
		case "v2", "v5":
			return []string{"application/a", "application/b"}
		}
		return nil
	}
	for _, depth := range []probe.Depth{probe.Standard, probe.Full} {
		h := &hub{repositories: 2, tags: 6, referrer: types}
		together, again := h.scan(t, depth, 1), h.scan(t, depth, 8)
		for i, row := range together.Rows {
			for j := range row.Exchanges {
				row.Exchanges[j], again.Rows[i].Exchanges[j] = matrix.Exchange{}, matrix.Exchange{}
			}
			if first, second := encode(t, row), encode(t, again.Rows[i]); first != second {
				t.Errorf("%s %s differs between two scans:\n%s\n%s", depth, row.Image, first, second)
			}
			alone := (&hub{referrer: types, exists: h.exists}).scan(t, depth, 1, row.Image).Rows[0]
			if row.Reason != alone.Reason || row.Confidence != alone.Confidence {
				t.Errorf("%s %s: %s %s, alone %s %s", depth, row.Image, row.Reason, row.Confidence, alone.Reason, alone.Confidence)
			}
			// The filter that another image has shown may say more than this image can.
			if !slices.Contains(row.Capabilities.FromRepository, "filter") && capabilitiesOf(t, row) != capabilitiesOf(t, alone) {
				t.Errorf("%s %s: %s\nalone: %s", depth, row.Image, capabilitiesOf(t, row), capabilitiesOf(t, alone))
			}
		}
	}
}

// TestSameDigest: what follows the manifest is requested once for all images with one digest,
// if the answers would come again.
func TestSameDigest(t *testing.T) {
	images := []string{"app-0:same1", "app-0:same2", "app-0:same3", "app-1:same1"}
	h := &hub{referrer: func(string, string) []string { return []string{"application/a", "application/b"} }}
	m := h.scan(t, probe.Full, 4, images...)
	if h.kinds["referrers"] != 2 || h.kinds["manifest"] != 4 {
		t.Errorf("requests: %v", h.kinds)
	}
	for i, want := range []bool{false, true, true, false} {
		caps := m.Rows[i].Capabilities
		if slices.Contains(caps.FromRepository, matrix.FromSameDigest) != want || i < 3 && capabilitiesOf(t, m.Rows[i]) != capabilitiesOf(t, m.Rows[0]) {
			t.Errorf("%s: %s, want as %s", m.Rows[i].Image, encode(t, caps), capabilitiesOf(t, m.Rows[0]))
		}
	}
	for _, refused := range []string{"referrers", "filter", "tag", "head"} {
		var once sync.Once
		h := &hub{answers: func(w http.ResponseWriter, q *http.Request) (late bool) {
			if kindOf(q) == refused {
				once.Do(func() {
					late = true
					w.WriteHeader(http.StatusServiceUnavailable)
				})
			}
			return late
		}}
		m := h.scan(t, probe.Full, 4, images[:3]...)
		if h.kinds["referrers"] != 2 {
			t.Errorf("the %s request was refused for a moment: %v", refused, h.kinds)
		}
		for i, row := range m.Rows[1:] {
			if row.Reason != matrix.ReferrersEmpty || slices.Contains(row.Capabilities.FromRepository, matrix.FromSameDigest) != (i == 1) {
				t.Errorf("%s: %s %s", row.Image, row.Reason, encode(t, row.Capabilities))
			}
		}
	}
}

// TestTokenOfTheSameDigest: an answer that repeats the token of its row serves no other row,
// which would not know what to hide.
func TestTokenOfTheSameDigest(t *testing.T) {
	var mu sync.Mutex
	issued, expired := 0, true
	token := func() string { return fmt.Sprintf("tok3n.8hX2kQ9v.%d", issued) }
	h := &hub{answers: func(w http.ResponseWriter, q *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case q.URL.Path == "/token":
			issued, expired = issued+1, false
			_ = json.NewEncoder(w).Encode(map[string]string{"token": token()})
		case expired || q.Header.Get("Authorization") != "Bearer "+token():
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+q.Host+`/token",service="s"`)
			w.WriteHeader(http.StatusUnauthorized)
		case kindOf(q) == "referrers":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"errors":[{"code":"UNSUPPORTED","message":"no route for %s"}]}`, token())
		case kindOf(q) == "tag": // the last request of the row
			expired = true
			w.WriteHeader(http.StatusNotFound)
		default:
			return false
		}
		return true
	}}
	m := h.scan(t, probe.Standard, 1, "app-0:same1", "app-0:same2", "app-0:same3")
	if text := encode(t, m); strings.Contains(text, "8hX2kQ9v") {
		t.Errorf("a token is in the matrix: %s", text)
	}
	for _, row := range m.Rows {
		if row.Message != "no route for ***" || row.Capabilities.FromRepository != nil {
			t.Errorf("%s: %q, %v from the repository", row.Image, row.Message, row.Capabilities.FromRepository)
		}
	}
}
