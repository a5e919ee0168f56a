package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/name"
	inmemory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	ggcr "github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/regclient/regclient"
	"github.com/regclient/regclient/config"
	"github.com/regclient/regclient/scheme/reg"
	"github.com/regclient/regclient/types/descriptor"
	"github.com/regclient/regclient/types/manifest"
	regmanifest "github.com/regclient/regclient/types/oci/v1"
	"github.com/regclient/regclient/types/ref"
	"oras.land/oras-go/v2/registry/remote"
)

// scripted is a registry whose answer on GET referrers is the test's; all else
// is that of a real one without the API.
type scripted struct {
	answer
	host string

	mu     sync.Mutex
	listed []ocispec.Descriptor // manifests with a subject, as an API would list them
	tagged bool                 // the referrers tag was written
	closed bool                 // what is pushed from now on is refused, if the answer says so
}

// answer is one on GET referrers. In body, {index} is an index of what has the
// subject, {manifests} what it lists.
type answer struct {
	name, contentType, body string
	status                  int
	subject                 bool   // PUT answers OCI-Subject
	sized                   bool   // with Content-Length
	away                    string // where GET referrers redirects to, which gives the answer: "page" of the registry or of "another" origin; "" = no redirect
	refused                 int    // status of PUT of a manifest; 0 = accepted
	unsaid                  string // clients that have no forecast, because what they do depends on more than is looked at
}

const repository = "team/app"

// byTagAlone is the type of an artifact that no API lists, as one pushed before
// the registry had it.
const byTagAlone = "application/vnd.by-tag"

// subject is the manifest that everything is attached to.
var subject = ocispec.Manifest{
	Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
	Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{ocispec.DescriptorEmptyJSON},
}

// encode returns the bytes of a manifest and its descriptor.
func encode(t *testing.T, m any, mediaType string) ([]byte, ocispec.Descriptor) {
	t.Helper()
	content, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return content, ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

// artifact is a manifest with the subject, told from others by its type.
func artifact(t *testing.T, artifactType string) ([]byte, ocispec.Descriptor) {
	t.Helper()
	_, of := encode(t, subject, ocispec.MediaTypeImageManifest)
	m := subject
	m.ArtifactType, m.Subject = artifactType, &of
	content, d := encode(t, m, ocispec.MediaTypeImageManifest)
	d.ArtifactType = artifactType
	return content, d
}

// serveScripted starts a registry with the subject in it.
func serveScripted(t *testing.T, a answer) *scripted {
	t.Helper()
	s := &scripted{answer: a}
	real := inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0)))
	page := "/page"
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "/referrers/") && s.away != "":
			http.Redirect(w, r, page, http.StatusSeeOther)
			return
		case strings.Contains(r.URL.Path, "/referrers/"), r.URL.Path == "/page":
			s.referrers(w)
			return
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/"):
			if s.refuses() {
				w.WriteHeader(s.refused)
				return
			}
			s.note(w, r)
		}
		real.ServeHTTP(w, r)
	})
	if s.away == "another" {
		page = serve(t, func(w http.ResponseWriter, _ *http.Request) { s.referrers(w) }).URL + page
	}
	s.host = strings.TrimPrefix(server.URL, "http://")
	repo := s.oras(t)
	if err := repo.Push(t.Context(), ocispec.DescriptorEmptyJSON, strings.NewReader("{}")); err != nil {
		t.Fatal(err)
	}
	content, d := encode(t, subject, ocispec.MediaTypeImageManifest)
	if err := repo.PushReference(t.Context(), d, bytes.NewReader(content), "latest"); err != nil {
		t.Fatal(err)
	}
	return s
}

func serve(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

// close has PUT of a manifest refused from now on, if that is the answer.
func (s *scripted) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *scripted) refuses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed && s.refused != 0
}

// note keeps what a PUT of a manifest says of links.
func (s *scripted) note(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(content))
	var m ocispec.Manifest
	_ = json.Unmarshal(content, &m)
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Contains(r.URL.Path, "/manifests/sha256-") {
		s.tagged = true
	}
	if m.Subject == nil || m.ArtifactType == byTagAlone {
		return
	}
	s.listed = append(s.listed, ocispec.Descriptor{MediaType: m.MediaType, Digest: digest.FromBytes(content), Size: int64(len(content)), ArtifactType: m.ArtifactType})
	if s.subject {
		w.Header().Set("OCI-Subject", m.Subject.Digest.String())
	}
}

func (s *scripted) referrers(w http.ResponseWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	index, _ := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: s.listed})
	manifests, _ := json.Marshal(s.listed)
	body := strings.NewReplacer("{index}", string(index), "{manifests}", string(manifests)).Replace(s.body)
	w.Header().Set("Content-Type", s.contentType)
	if s.sized {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, body)
}

// oras is the repository as oras-go sees it, without its retries.
func (s *scripted) oras(t *testing.T) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(s.host + "/" + repository)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP, repo.Client = true, http.DefaultClient
	return repo
}

// library is the code that clients are made of.
type library struct {
	module  string // its go module
	clients []string
	read    func(t *testing.T, s *scripted) ([]string, error) // digests of the referrers it finds
	push    func(t *testing.T, s *scripted) error             // attaches an artifact; nil where it attaches none
}

var libraries = []library{
	{"oras.land/oras-go/v2", []string{"oras"}, orasRead, func(t *testing.T, s *scripted) error {
		content, d := artifact(t, "application/vnd.pushed")
		d.ArtifactType = ""
		return s.oras(t).Push(t.Context(), d, bytes.NewReader(content))
	}},
	// notation signs by the tag schema unless --force-referrers-tag=false is given.
	{"oras.land/oras-go/v2", []string{"notation"}, orasRead, func(t *testing.T, s *scripted) error {
		repo := s.oras(t)
		if err := repo.SetReferrersCapability(false); err != nil {
			return err
		}
		content, d := artifact(t, "application/vnd.pushed")
		d.ArtifactType = ""
		return repo.Push(t.Context(), d, bytes.NewReader(content))
	}},
	{"github.com/google/go-containerregistry", []string{"cosign", "crane"}, func(t *testing.T, s *scripted) ([]string, error) {
		_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
		of, err := name.NewDigest(s.host+"/"+repository+"@"+d.Digest.String(), name.Insecure)
		if err != nil {
			return nil, err
		}
		index, err := ggcr.Referrers(of, ggcrOptions(t)...)
		if err != nil {
			return nil, err
		}
		listed, err := index.IndexManifest()
		if err != nil {
			return nil, err
		}
		var out []string
		for _, one := range listed.Manifests {
			out = append(out, one.Digest.String())
		}
		return out, nil
	}, func(t *testing.T, s *scripted) error {
		_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
		hash, err := v1.NewHash(d.Digest.String())
		if err != nil {
			return err
		}
		image, ok := mutate.Subject(empty.Image, v1.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: hash, Size: d.Size}).(v1.Image)
		if !ok {
			t.Fatal("no image")
		}
		hash, err = image.Digest()
		if err != nil {
			return err
		}
		to, err := name.NewDigest(s.host+"/"+repository+"@"+hash.String(), name.Insecure)
		if err != nil {
			return err
		}
		return ggcr.Write(to, image, ggcrOptions(t)...)
	}},
	{"github.com/regclient/regclient", []string{"regctl"}, func(t *testing.T, s *scripted) ([]string, error) {
		_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
		of, err := ref.New(s.host + "/" + repository + "@" + d.Digest.String())
		if err != nil {
			return nil, err
		}
		list, err := regclientFor(s).ReferrerList(t.Context(), of)
		var out []string
		for _, one := range list.Descriptors {
			out = append(out, one.Digest.String())
		}
		return out, err
	}, func(t *testing.T, s *scripted) error {
		_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
		blob := descriptor.Descriptor{MediaType: ocispec.MediaTypeEmptyJSON, Digest: ocispec.DescriptorEmptyJSON.Digest, Size: 2}
		m, err := manifest.New(manifest.WithOrig(regmanifest.Manifest{
			Versioned: regmanifest.ManifestSchemaVersion, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: "application/vnd.pushed",
			Config: blob, Layers: []descriptor.Descriptor{blob},
			Subject: &descriptor.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: d.Digest, Size: d.Size},
		}))
		if err != nil {
			return err
		}
		to, err := ref.New(s.host + "/" + repository + "@" + m.GetDescriptor().Digest.String())
		if err != nil {
			return err
		}
		return regclientFor(s).ManifestPut(t.Context(), to, m)
	}},
	{"github.com/containerd/containerd/v2", []string{"containerd"}, func(t *testing.T, s *scripted) ([]string, error) {
		_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
		resolver := docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchAllHosts))})
		fetcher, err := resolver.Fetcher(t.Context(), s.host+"/"+repository+":latest")
		if err != nil {
			return nil, err
		}
		listed, err := fetcher.(remotes.ReferrersFetcher).FetchReferrers(t.Context(), d.Digest)
		if errdefs.IsNotFound(err) { // which it takes for an image without referrers
			return nil, nil
		}
		var out []string
		for _, one := range listed {
			out = append(out, one.Digest.String())
		}
		return out, err
	}, nil},
}

func orasRead(t *testing.T, s *scripted) ([]string, error) {
	_, d := encode(t, subject, ocispec.MediaTypeImageManifest)
	var out []string
	err := s.oras(t).Referrers(t.Context(), d, "", func(page []ocispec.Descriptor) error {
		for _, one := range page {
			out = append(out, one.Digest.String())
		}
		return nil
	})
	return out, err
}

func ggcrOptions(t *testing.T) []ggcr.Option {
	return []ggcr.Option{
		ggcr.WithContext(t.Context()), ggcr.WithTransport(http.DefaultTransport),
		ggcr.WithRetryBackoff(ggcr.Backoff{Steps: 1}), ggcr.WithRetryStatusCodes(),
	}
}

func regclientFor(s *scripted) *regclient.RegClient {
	return regclient.New(
		regclient.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))),
		regclient.WithConfigHost(config.Host{Name: s.host, TLS: config.TLSDisabled}),
		regclient.WithRegOpts(reg.WithRetryLimit(1), reg.WithDelay(time.Millisecond, time.Millisecond)),
	)
}

// reads says how a library finds what is attached where the API, as far as
// there is one, lists one artifact and the referrers tag another.
func (l *library) reads(t *testing.T, a answer) string {
	t.Helper()
	s := serveScripted(t, a)
	repo := s.oras(t)
	if err := repo.SetReferrersCapability(true); err != nil { // so that it leaves the tag alone
		t.Fatal(err)
	}
	push := func(content []byte, d ocispec.Descriptor, reference string) {
		d.ArtifactType = ""
		if err := repo.PushReference(t.Context(), d, bytes.NewReader(content), reference); err != nil {
			t.Fatal(err)
		}
	}
	content, byAPI := artifact(t, "application/vnd.by-api")
	push(content, byAPI, byAPI.Digest.String())
	content, byTag := artifact(t, byTagAlone)
	push(content, byTag, byTag.Digest.String())
	_, of := encode(t, subject, ocispec.MediaTypeImageManifest)
	content, index := encode(t, ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{byTag}}, ocispec.MediaTypeImageIndex)
	push(content, index, strings.Replace(of.Digest.String(), ":", "-", 1))
	found, err := l.read(t, s)
	switch joined := strings.Join(found, " "); {
	case err != nil:
		return "error"
	case joined == byAPI.Digest.String():
		return "api"
	case joined == byTag.Digest.String():
		return "tag"
	case joined == "":
		return "nothing-found"
	default:
		return joined
	}
}

// pushes says how a library attaches an artifact.
func (l *library) pushes(t *testing.T, a answer) string {
	t.Helper()
	s := serveScripted(t, a)
	s.close()
	if err := l.push(t, s); err != nil {
		return "error"
	}
	s.mu.Lock()
	tagged, pushed := s.tagged, len(s.listed)
	s.mu.Unlock()
	if pushed != 1 {
		t.Fatalf("%s: %d artifacts were pushed", a.name, pushed)
	}
	if tagged {
		return "tag"
	}
	if found, err := l.read(t, s); err != nil || len(found) == 0 {
		return "nothing-found"
	}
	return "api"
}

// TestClients runs the released libraries against each answer and holds the
// forecast of a real scan to what they did.
func TestClients(t *testing.T) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			said := forecasts(t, a)
			for _, l := range libraries {
				read, push := l.reads(t, a), ""
				if l.push != nil {
					push = l.pushes(t, a)
				}
				for _, client := range l.clients {
					got, ok := said[client]
					if !ok && slices.Contains(strings.Fields(a.unsaid), client) {
						continue
					}
					if got.Read != read || got.Push != push {
						t.Errorf("%s: the forecast is %q/%q, it does %q/%q", client, got.Read, got.Push, read, push)
					}
					if want := version(t, l.module); !strings.HasSuffix(got.Version, " "+want) {
						t.Errorf("%s: the forecast is of %q, it was held to %s", client, got.Version, want)
					}
				}
			}
		})
	}
}

type forecast struct{ Read, Push, Version string }

// forecasts scans a registry with the answer, the write probe included.
func forecasts(t *testing.T, a answer) map[string]forecast {
	t.Helper()
	s := serveScripted(t, a)
	s.close()
	inventory := filepath.Join(t.TempDir(), "inventory.yaml")
	text := fmt.Sprintf("version: 1\nregistries: [{url: 'http://%s', images: [%s], rate: 0, retries: 0, auth: {anonymous: true}, writeProbe: {repository: %s}}]\n", s.host, repository, repository)
	if err := os.WriteFile(inventory, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := refmatrix(t, "scan", "-q", "-i", inventory, "--write-probe", "--fail-on", "never")
	content, err := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Rows []struct{ Clients map[string]forecast }
	}
	if err := json.Unmarshal(content, &m); err != nil || len(m.Rows) != 1 {
		t.Fatal(err, len(m.Rows))
	}
	return m.Rows[0].Clients
}

// version is the release of a module that this test is built with.
func version(t *testing.T, module string) string {
	t.Helper()
	content, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == module {
			return strings.TrimPrefix(words[1], "v")
		}
	}
	t.Fatalf("%s is not in go.mod", module)
	return ""
}
