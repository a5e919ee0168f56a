package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// scratch is a registry that takes pushes. What it does otherwise than a plain
// one is in its fields, or in deviate.
type scratch struct {
	subject bool                                                          // PUT answers OCI-Subject
	lists   bool                                                          // GET referrers lists what was pushed
	hides   int                                                           // looks at the list before it shows anything
	deviate func(s *scratch, w http.ResponseWriter, r *http.Request) bool // true where it answered

	mu     sync.Mutex
	stored map[string][]byte // by digest, blobs and manifests
	looks  int
}

const imageManifest = `{"schemaVersion":2,"config":{},"layers":[]}`

func (s *scratch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.deviate != nil && s.deviate(s, w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, name, _ := strings.Cut(r.URL.Path, "/v2/")
	of := name[strings.LastIndex(name, "/")+1:]
	switch {
	case strings.HasPrefix(name, "team/app/manifests/1"):
		w.Header().Set("Docker-Content-Digest", digest.FromString(imageManifest).String())
		_, _ = io.WriteString(w, imageManifest)
	case strings.Contains(name, "/referrers/"):
		s.list(w, of)
	case r.Method == http.MethodPost:
		w.Header().Set("Location", "/v2/scratch/blobs/uploads/1?state=x")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut:
		s.put(w, r)
	case r.Method == http.MethodDelete && s.stored[of] != nil:
		delete(s.stored, of)
		w.WriteHeader(http.StatusAccepted)
	case s.stored[of] == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(s.stored[of])
	}
}

// put keeps a blob or a manifest.
func (s *scratch) put(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body)
	s.stored[digest.FromBytes(content).String()] = content
	if of := subjectOf(content); of != "" && s.subject {
		w.Header().Set("OCI-Subject", of)
	}
	w.WriteHeader(http.StatusCreated)
}

// list answers GET referrers, 404 where there is no API.
func (s *scratch) list(w http.ResponseWriter, of string) {
	if !s.lists {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var found []string
	for name, content := range s.stored {
		if subjectOf(content) == of {
			found = append(found, fmt.Sprintf(`{"digest":%q}`, name))
		}
	}
	if len(found) > 0 {
		if s.looks++; s.looks <= s.hides {
			found = nil
		}
	}
	w.Header().Set("Content-Type", matrix.IndexMediaType)
	_, _ = fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(found, ","))
}

func (s *scratch) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.stored)
}

func subjectOf(content []byte) string {
	var m struct{ Subject struct{ Digest string } }
	_ = json.Unmarshal(content, &m)
	return m.Subject.Digest
}

// on makes a deviation: requests of the method whose path holds part are
// answered by answer.
func on(method, part string, answer http.HandlerFunc) func(*scratch, http.ResponseWriter, *http.Request) bool {
	return func(_ *scratch, w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.Contains(r.URL.Path, part) {
			return false
		}
		answer(w, r)
		return true
	}
}

func says(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// hang waits until the client is gone, which a server sees only once it has
// read the body.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// storesAndHangs stores what a PUT carries and never answers it.
func storesAndHangs(part string) func(*scratch, http.ResponseWriter, *http.Request) bool {
	return func(s *scratch, _ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, part) {
			return false
		}
		s.mu.Lock()
		s.put(httptest.NewRecorder(), r)
		s.mu.Unlock()
		hang(r)
		return true
	}
}

// write runs the write probe on s with one image and returns what it saw.
func (s *scratch) write(ctx context.Context, t *testing.T, timeout time.Duration) verdict.Observation {
	t.Helper()
	return s.writeWith(ctx, t, timeout, "team/app:1")[0]
}

// writeWith runs the write probe on s with images and returns what each saw.
func (s *scratch) writeWith(ctx context.Context, t *testing.T, timeout time.Duration, images ...string) (seen []verdict.Observation) {
	t.Helper()
	t.Setenv("HTTP_PROXY", "")
	if s.stored == nil {
		s.stored = map[string][]byte{}
	}
	server := httptest.NewServer(s)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{UserAgent: "refmatrix/test"})
	t.Cleanup(func() {
		pool.Close()
		server.CloseClientConnections()
		server.Close()
	})
	client := pool.Client(inventory.Registry{
		Name: "scratch", URL: target, Timeout: timeout, Concurrency: 1, Auth: inventory.Auth{Anonymous: true},
		WriteProbe: &inventory.WriteProbe{Repository: "scratch"},
	})
	probed := NewRegistry(client)
	for _, name := range images {
		image, err := inventory.ParseImage(name)
		if err != nil {
			t.Fatal(err)
		}
		outcome, err := probed.Image(ctx, client.NewSession(), image, Options{Depth: Basic, Write: true})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, outcome.Observation)
	}
	return seen
}

const patient, impatient = 10 * time.Second, 300 * time.Millisecond

// TestWriteProbe: what each way of taking a push is called, and what stays.
func TestWriteProbe(t *testing.T) {
	old := listWaits
	listWaits = []time.Duration{0, 0, 0}
	t.Cleanup(func() { listWaits = old })
	for _, test := range []struct {
		name    string
		of      *scratch
		timeout time.Duration
		want    string // strategy accepted oci-subject listed at-once later | manifests and blobs named as left
		detail  string // part of it
		left    int    // what is in the repository afterwards
	}{
		{"the API", &scratch{subject: true, lists: true}, patient, "referrers-api true true true true true | 0 0", "clients write no tag", 0},
		{"no OCI-Subject", &scratch{lists: true}, patient, "dual true false true true true | 0 0", "without OCI-Subject", 0},
		{"no API", &scratch{}, patient, "referrers-tag true false false false true | 0 0", "have to write the referrers tag", 0},
		{"an index that comes late", &scratch{subject: true, lists: true, hides: 2}, patient, "referrers-api true true true false true | 0 0", "clients write no tag", 0},
		{"an index that comes too late", &scratch{subject: true, lists: true, hides: 99}, patient, "lost true true false false true | 0 0", "does not show it", 0},
		{"OCI-Subject and no API", &scratch{subject: true}, patient, "lost true true false false true | 0 0", "does not show it", 0},
		{"a stub", &scratch{lists: true, hides: 99}, patient, "referrers-tag true false false false true | 0 0", "no list shows it", 0},
		{"a list that is forbidden", &scratch{subject: true, deviate: on("GET", "scratch/referrers/", says(403))}, patient, "unknown true true false false true | 0 0", "HTTP 403", 0},
		{"a list that breaks", &scratch{deviate: on("GET", "scratch/referrers/", says(500))}, patient, "unknown true false false false true | 0 0", "HTTP 500", 0},
		{"an upload refused", &scratch{deviate: on("POST", "/uploads/", says(403))}, patient, "refused false false false false false | 0 0", "HTTP 403 to starting an upload", 0},
		{"a manifest refused", &scratch{deviate: on("PUT", "/manifests/", says(400))}, patient, "refused false false false false false | 0 0", "HTTP 400 to pushing a manifest", 0},
		{"a manifest sent to a sign-in page", &scratch{deviate: func(s *scratch, w http.ResponseWriter, r *http.Request) bool {
			return on("PUT", "/manifests/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/sign-in", http.StatusFound) })(s, w, r) ||
				on("GET", "/sign-in", says(200))(s, w, r)
		}}, patient, "refused false false false false false | 0 0", "HTTP 302 to pushing a manifest", 0},
		{"an upload elsewhere", &scratch{deviate: on("POST", "/uploads/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://storage.example.com/upload")
			w.WriteHeader(http.StatusAccepted)
		})}, patient, "unknown false false false false false | 0 0", "another origin", 0},
		{"an upload onto a manifest", &scratch{deviate: on("POST", "/uploads/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/v2/prod/app/manifests/latest")
			w.WriteHeader(http.StatusAccepted)
		})}, patient, "unknown false false false false false | 0 0", "the address of a manifest", 0},
		{"an upload nowhere", &scratch{deviate: on("POST", "/uploads/", says(202))}, patient, "unknown false false false false false | 0 0", "without a Location", 0},
		{"manifests that stay", &scratch{subject: true, lists: true, deviate: on("DELETE", "/manifests/", says(405))}, patient, "referrers-api true true true true true | 4 0", "", 4},
		{"a blob that stays", &scratch{subject: true, lists: true, deviate: on("DELETE", "/blobs/", says(405))}, patient, "referrers-api true true true true true | 0 1", "", 1},
		{"a blob that was there before", &scratch{subject: true, lists: true, stored: map[string][]byte{digest.FromString(emptyBlob).String(): []byte(emptyBlob)}}, patient,
			"referrers-api true true true true true | 0 0", "", 1},
		{"a blob of which that is not known", &scratch{subject: true, lists: true, stored: map[string][]byte{digest.FromString(emptyBlob).String(): []byte(emptyBlob)},
			deviate: on("HEAD", "/blobs/", says(403))}, patient, "referrers-api true true true true true | 0 0", "", 1},
		{"artifacts before their subjects", &scratch{subject: true, lists: true, deviate: func(s *scratch, w http.ResponseWriter, r *http.Request) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, content := range s.stored {
				if of := subjectOf(content); r.Method == http.MethodDelete && of != "" && strings.HasSuffix(r.URL.Path, of) {
					w.WriteHeader(http.StatusConflict)
					return true
				}
			}
			return false
		}}, patient, "referrers-api true true true true true | 0 0", "", 0},
		{"HEAD answered 404 to all", &scratch{subject: true, lists: true, deviate: func(s *scratch, w http.ResponseWriter, r *http.Request) bool {
			return on("HEAD", "", says(404))(s, w, r) || on("DELETE", "/manifests/", says(405))(s, w, r)
		}}, patient, "referrers-api true true true true true | 4 0", "", 4},
		{"a manifest stored, but not answered for", &scratch{deviate: storesAndHangs("/manifests/")}, impatient, "unknown false false false false false | 0 0", "failed at pushing a manifest", 0},
		{"a manifest stored, and answered as a breakdown", &scratch{deviate: func(s *scratch, w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.put(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}}, patient, "refused false false false false false | 0 0", "HTTP 500 to pushing a manifest", 0},
		{"OCI-Subject of another manifest", &scratch{lists: true, deviate: func(_ *scratch, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				w.Header().Set("OCI-Subject", digest.FromString("another").String())
			}
			return false
		}}, patient, "dual true false true true true | 0 0", "without OCI-Subject", 0},
		{"a blob stored, but not answered for", &scratch{deviate: storesAndHangs("/blobs/")}, impatient, "unknown false false false false false | 0 0", "failed at uploading a blob", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := test.of.write(t.Context(), t, test.timeout)
			p := seen.Capabilities.Push
			blobs := 0
			if p.LeftBlob != "" {
				blobs = 1
			}
			got := fmt.Sprintf("%s %v %v %v %v %v | %d %d", p.Strategy, p.Accepted, p.OCISubject, p.Listed, p.ListedAtOnce, p.SubjectLater, len(p.LeftBehind), blobs)
			if got != test.want || !strings.Contains(p.Detail, test.detail) || !strings.HasSuffix(p.Detail, ".") {
				t.Errorf("got %s\nwant %s, %q\n%s", got, test.want, test.detail, p.Detail)
			}
			if want := p.Accepted && p.Strategy != matrix.PushUnknown && !test.of.lists; p.NoList != want {
				t.Errorf("no list: %v, want %v", p.NoList, want)
			}
			if left := test.of.left(); left != test.left {
				t.Errorf("%d are left in the repository, want %d", left, test.left)
			}
			if seen.CutShort {
				t.Error("it was not cut short")
			}
		})
	}
}

// TestWriteProbeInterrupted: an interrupt keeps the row, says that it is not
// whole, and leaves nothing behind.
func TestWriteProbeInterrupted(t *testing.T) {
	for _, at := range []string{"/blobs/uploads/", "/manifests/", "/referrers/"} {
		ctx, interrupt := context.WithCancel(t.Context())
		s := scratch{subject: true, lists: true, deviate: func(_ *scratch, _ http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete && r.Method != http.MethodHead && strings.Contains(r.URL.Path, "scratch"+at) {
				interrupt()
				hang(r)
				return true
			}
			return false
		}}
		seen := s.write(ctx, t, patient)
		p := seen.Capabilities.Push
		if !seen.CutShort || seen.Referrers.Status == 0 || p == nil || p.Strategy != matrix.PushUnknown || p.Detail != "The scan ended before the write probe did." {
			t.Errorf("at %s: %+v", at, p)
		}
		if len(p.LeftBehind) > 0 || p.LeftBlob != "" || s.left() != 0 {
			t.Errorf("at %s: %d are left, named %v", at, s.left(), p.LeftBehind)
		}
	}
}

// TestWriteProbeSlowCleanUp: what could not be deleted in time is named, what is
// seen to be gone is not, and the row stays.
func TestWriteProbeSlowCleanUp(t *testing.T) {
	old := cleanUpTime
	t.Cleanup(func() { cleanUpTime = old })
	deletes := func(s *scratch, _ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete {
			return false
		}
		s.mu.Lock()
		delete(s.stored, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		s.mu.Unlock()
		hang(r)
		return true
	}
	for _, test := range []struct {
		name          string
		deviate       func(*scratch, http.ResponseWriter, *http.Request) bool
		time, timeout time.Duration
		left          int
		blob          bool
	}{
		{"nothing is deleted", on("DELETE", "", func(_ http.ResponseWriter, r *http.Request) { hang(r) }), 300 * time.Millisecond, patient, 4, true},
		{"time for one that is not answered for", deletes, 900 * time.Millisecond, patient, 3, true},
		{"time for all, none answered for", deletes, old, impatient, 0, false},
	} {
		cleanUpTime = test.time
		s := scratch{subject: true, lists: true, deviate: test.deviate}
		seen := s.write(t.Context(), t, test.timeout)
		if p := seen.Capabilities.Push; p.Strategy != matrix.PushAPI || len(p.LeftBehind) != test.left || (p.LeftBlob != "") != test.blob || seen.CutShort {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
}

// TestWriteProbeOnce: the write probe runs with the first image that is answered, and what
// it saw is in every row from then on. What it left behind is in one.
func TestWriteProbeOnce(t *testing.T) {
	var uploads atomic.Int64
	s := scratch{lists: true, deviate: func(_ *scratch, w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method == http.MethodPost:
			uploads.Add(1)
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusMethodNotAllowed)
			return true
		}
		return false
	}}
	seen := s.writeWith(t.Context(), t, patient, "team/absent:1", "team/absent:2", "team/app:1", "team/app:1.1", "team/app:1.2")
	left := 0
	for i, one := range seen {
		push := one.Capabilities.Push
		if skipped := i == 0; one.WriteSkipped != skipped || (push != nil) != (i >= 2) {
			t.Errorf("image %d: skipped %t, %+v", i, one.WriteSkipped, push)
		}
		if push != nil && (push.Strategy != matrix.PushDual || !push.Listed) {
			t.Errorf("image %d: %+v", i, push)
		}
		if push != nil && (len(push.LeftBehind) > 0 || push.LeftBlob != "") {
			left++
		}
	}
	if uploads.Load() != 1 || left != 1 {
		t.Errorf("%d uploads, left behind in %d rows", uploads.Load(), left)
	}
}

// TestWriteProbeWithoutImage: an image that does not resolve says that the
// write probe did not run.
func TestWriteProbeWithoutImage(t *testing.T) {
	s := scratch{deviate: on("HEAD", "team/app", says(401))}
	if seen := s.write(t.Context(), t, patient); !seen.WriteSkipped || seen.Capabilities.Push != nil {
		t.Errorf("%+v", seen)
	}
}
