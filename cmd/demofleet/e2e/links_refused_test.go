package e2e

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	inmemory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"

	"refmatrix/cmd/demofleet/fleet"
)

// required are the kinds that the image of these tests must have: a signature is attached to
// the index, an SBOM to each platform, provenance to one platform, and VEX to none.
const (
	required    = "signature sbom provenance vex"
	coveredAll  = "present present partial absent" // if nothing is refused
	coveredNone = "unknown unknown unknown unknown"
)

// refusal is a part of the registry that is not answered. In path, {image}, {amd64} and {arm64}
// are digests, and {image-tag} and so on the referrers tags of them.
type refusal struct {
	kind       string // of the registry: with the API, or with tags alone
	name       string
	method     string // "" = any
	path       string // a regular expression
	want       string // coverage, in the order of required
	unmeasured bool   // the row has no verdict
}

var refusals = []refusal{
	{kind: "api", name: "every list of referrers", path: "/referrers/", want: coveredNone, unmeasured: true},
	{kind: "api", name: "the image's referrers", path: "/referrers/{image}", want: coveredNone, unmeasured: true},
	{kind: "api", name: "the referrers of a platform", path: "/referrers/{arm64}", want: "present unknown unknown unknown"},
	{kind: "api", name: "the image's referrers tag", path: "/manifests/{image-tag}$", want: "present present unknown unknown"},
	{kind: "api", name: "the referrers tag of a platform", path: "/manifests/{arm64-tag}$", want: "present present unknown unknown"},
	{kind: "api", name: "a cosign tag of the image", path: "/manifests/{image-tag}.sig", want: "present present unknown unknown"},
	{kind: "api", name: "a cosign tag of a platform without one", path: "/manifests/{arm64-tag}.att", want: "present present unknown unknown"},
	{kind: "api", name: "the cosign tag of a platform", path: "/manifests/{amd64-tag}.att", want: "present present unknown unknown"},
	{kind: "api", name: "the index", method: http.MethodGet, path: "/manifests/{image}", want: "present unknown unknown unknown"},
	{kind: "tags", name: "every list of referrers", path: "/referrers/", want: "present present unknown unknown", unmeasured: true},
	{kind: "tags", name: "every referrers tag", path: "/manifests/sha256-", want: coveredNone},
	{kind: "tags", name: "the image's referrers tag", path: "/manifests/{image-tag}$", want: "unknown present unknown unknown"},
	{kind: "tags", name: "the referrers tag of a platform", path: "/manifests/{arm64-tag}$", want: "present unknown unknown unknown"},
	{kind: "tags", name: "the cosign tag of a platform", path: "/manifests/{amd64-tag}.att", want: "present present unknown unknown"},
	{kind: "tags", name: "the index", method: http.MethodGet, path: "/manifests/{image}", want: "present unknown unknown unknown"},
}

// TestRefusals: what is refused, limited or not answered in time is unknown. It is never absent,
// and what was there before is not lost.
func TestRefusals(t *testing.T) {
	backends := map[string]http.Handler{
		"api":  ociserver.New(ocimem.New(), nil),
		"tags": inmemory.New(inmemory.Logger(log.New(io.Discard, "", 0))),
	}
	image := map[string]multiPlatform{}
	for kind, backend := range backends {
		image[kind] = fill(t, serve(t, backend.ServeHTTP).URL)
	}
	w := &weeks{t: t, out: t.TempDir(), baseline: "latest"}
	fronts := make([]*refusing, len(refusals))
	for i, one := range refusals {
		fronts[i] = &refusing{next: backends[one.kind], noList: true}
		w.add(one.kind+": "+one.name, serve(t, fronts[i].ServeHTTP).URL, repository+":latest",
			", timeout: 1s, require: ["+strings.ReplaceAll(required, " ", ", ")+"]")
	}
	judgeAnswered(t, w.scanAll(1, "missing,lost"))
	w.baseline = w.history()[0]
	for _, status := range []int{http.StatusForbidden, http.StatusTooManyRequests, 0} {
		for i, one := range refusals {
			fronts[i].refuse(one, image[one.kind], status)
		}
		for i, r := range w.scanAll(0, "missing,lost") {
			t.Run(fmt.Sprintf("%s/%d", r.Registry, status), func(t *testing.T) { judgeRefused(t, r, refusals[i], status) })
		}
		w.scanAll(1, "unmeasured")
	}
	for _, front := range fronts {
		front.now.Store(nil)
	}
	judgeAnswered(t, w.scanAll(1, "missing,lost"))
}

// judgeAnswered judges the rows while nothing is refused.
func judgeAnswered(t *testing.T, rows []linkRow) {
	t.Helper()
	if len(rows) != len(refusals) {
		t.Fatalf("%d rows of %d registries", len(rows), len(refusals))
	}
	for _, r := range rows {
		if got := coverage(r); got != coveredAll || r.Links == nil || r.Links.Total != 4 || len(r.Lost) > 0 {
			t.Errorf("%s: %s of %+v, lost %+v, want %s of 4 links", r.Registry, got, r.Links, r.Lost, coveredAll)
		}
	}
}

// judgeRefused judges a row while something is refused. A limit and a timeout may end it before
// all is read: more is unknown then.
func judgeRefused(t *testing.T, r linkRow, one refusal, status int) {
	t.Helper()
	if len(r.Lost) > 0 {
		t.Errorf("lost %+v, want nothing", r.Lost)
	}
	got, want := strings.Fields(coverage(r)), strings.Fields(one.want)
	for i, kind := range strings.Fields(required) {
		if got[i] != want[i] && (status == http.StatusForbidden || got[i] != "unknown") {
			t.Errorf("%s is %s, want %s", kind, got[i], want[i])
		}
	}
	if measured := r.Strategy != "unknown"; measured == one.unmeasured {
		t.Errorf("strategy %s, reason %s", r.Strategy, r.Reason)
	}
}

// coverage returns the coverage of each kind in required.
func coverage(r linkRow) string {
	var out []string
	for kind := range strings.FieldsSeq(required) {
		out = append(out, fmt.Sprint(r.Coverage[kind]))
	}
	return strings.Join(out, " ")
}

// refusing is a registry in front of which something can be refused.
type refusing struct {
	next   http.Handler
	now    atomic.Pointer[refused]
	hidden atomic.Pointer[string] // tags that hold it are not listed; nil = all are
	noList bool                   // the tags of a repository are not listed
}

// refused is what is refused at the moment.
type refused struct {
	method  string
	matches *regexp.Regexp // of paths
	status  int            // 0 = the request is not answered
}

func (f *refusing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := f.now.Load()
	if f.noList && strings.HasSuffix(r.URL.Path, "/tags/list") {
		http.NotFound(w, r)
		return
	}
	if hidden := f.hidden.Load(); hidden != nil && strings.HasSuffix(r.URL.Path, "/tags/list") {
		f.listTags(w, r, *hidden)
		return
	}
	if now == nil || now.method != "" && r.Method != now.method || !now.matches.MatchString(r.URL.Path) {
		f.next.ServeHTTP(w, r)
		return
	}
	if now.status == 0 {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(now.status)
	_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"not now"}]}`)
}

// refuse refuses one part of the registry from now on.
func (f *refusing) refuse(one refusal, image multiPlatform, status int) {
	var pairs []string
	for name, d := range map[string]ocispec.Descriptor{"image": image.index, "amd64": image.amd64, "arm64": image.arm64} {
		pairs = append(pairs, "{"+name+"}", d.Digest.String(), "{"+name+"-tag}", digestTag(d))
	}
	named := strings.NewReplacer(pairs...)
	f.now.Store(&refused{one.method, regexp.MustCompile(named.Replace(one.path)), status})
}

// multiPlatform is an image of two platforms.
type multiPlatform struct{ index, amd64, arm64 ocispec.Descriptor }

// fill pushes an image of two platforms under the tag latest, and what is attached to it.
func fill(t *testing.T, url string) multiPlatform {
	t.Helper()
	repo := plainRepository(t, url, repository)
	image := pushMultiPlatform(t, repo, "latest")
	for _, one := range []struct {
		to           ocispec.Descriptor
		artifactType string
	}{{image.index, fleet.SignatureType}, {image.amd64, fleet.SBOMType}, {image.arm64, fleet.SBOMType}} {
		if err := fleet.Attach(t.Context(), repo, one.to, one.artifactType, "attached"); err != nil {
			t.Fatal(err)
		}
	}
	pushProvenance(t, repo, digestTag(image.amd64)+".att")
	return image
}

// plainRepository is oras-go's client for a repository of a registry at an http:// address.
func plainRepository(t *testing.T, url, name string) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(strings.TrimPrefix(url, "http://") + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	return repo
}

func pushMultiPlatform(t *testing.T, repo *remote.Repository, tag string) (image multiPlatform) {
	t.Helper()
	for architecture, into := range map[string]*ocispec.Descriptor{"amd64": &image.amd64, "arm64": &image.arm64} {
		var err error
		if *into, err = oras.PackManifest(t.Context(), repo, oras.PackManifestVersion1_1, "application/vnd.example.platform.v1",
			oras.PackManifestOptions{ManifestAnnotations: map[string]string{
				ocispec.AnnotationCreated: "2026-01-01T00:00:00Z",
				ocispec.AnnotationTitle:   architecture,
			}}); err != nil {
			t.Fatal(err)
		}
		into.Platform, into.Annotations = &ocispec.Platform{OS: "linux", Architecture: architecture}, nil
	}
	content, d := encode(t, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{image.amd64, image.arm64},
	}, ocispec.MediaTypeImageIndex)
	if err := repo.PushReference(t.Context(), d, bytes.NewReader(content), tag); err != nil {
		t.Fatal(err)
	}
	image.index = d
	return image
}

// pushProvenance pushes an attestation as cosign 2 does, under a tag.
func pushProvenance(t *testing.T, repo *remote.Repository, tag string) {
	t.Helper()
	layer, err := oras.PushBytes(t.Context(), repo, "application/vnd.dsse.envelope.v1+json", []byte(`{"payload":""}`))
	if err != nil {
		t.Fatal(err)
	}
	config, err := oras.PushBytes(t.Context(), repo, ocispec.MediaTypeImageConfig, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	layer.Annotations = map[string]string{"predicateType": "https://slsa.dev/provenance/v1"}
	content, d := encode(t, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    []ocispec.Descriptor{layer},
	}, ocispec.MediaTypeImageManifest)
	if err := repo.PushReference(t.Context(), d, bytes.NewReader(content), tag); err != nil {
		t.Fatal(err)
	}
}
