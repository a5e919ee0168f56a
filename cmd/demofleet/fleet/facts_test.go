package fleet

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// answer is what a registry says to GET referrers.
type answer struct {
	status      int
	contentType string // without parameters
	contains    string // part of the body, without white space
}

// What the implementations answer, measured on the wire.
var (
	page404       = answer{404, "text/plain", "404pagenotfound"}
	methodUnknown = answer{404, "text/plain", `"code":"METHOD_UNKNOWN"`}
	nameUnknown   = answer{404, "text/plain", `"code":"NAME_UNKNOWN"`}
	nameUnknownJS = answer{404, "application/json", `"code":"NAME_UNKNOWN"`}
	emptyArray    = answer{200, ocispec.MediaTypeImageIndex, `"manifests":[]`}
	emptyNull     = answer{200, ocispec.MediaTypeImageIndex, `"manifests":null`}
)

// fact is one line of the table of implementations.
type fact struct {
	names            []string
	none             answer // subject present, none attached
	absentDigest     answer
	absentRepository answer
	filterOnNone     string // OCI-Filters-Applied where nothing is listed
	filterOnListed   string // OCI-Filters-Applied where two are listed
	filtered         int    // descriptors listed by ?artifactType of the SBOM
	listed           int    // descriptors listed after two were attached by oras-go
	tagged           bool   // oras-go wrote the referrers tag too
	ociSubject       bool   // PUT of a manifest with a subject answers OCI-Subject
}

var facts = []fact{
	{names: []string{"distribution-anonymous", "distribution-basic", "distribution-token"},
		none: page404, absentDigest: page404, absentRepository: page404, tagged: true},
	{names: []string{"ggcr-tags"},
		none: methodUnknown, absentDigest: methodUnknown, absentRepository: methodUnknown, tagged: true},
	{names: []string{"ggcr-referrers"},
		none: emptyArray, absentDigest: emptyArray, absentRepository: nameUnknown, filtered: 2, listed: 2, tagged: true},
	{names: []string{"ocimem"},
		none: emptyNull, absentDigest: emptyNull, absentRepository: nameUnknownJS,
		filterOnNone: "artifactType", filterOnListed: "artifactType", filtered: 1, listed: 2, ociSubject: true},
	{names: []string{"olareg", "olareg-tls"},
		none: emptyNull, absentDigest: emptyNull, absentRepository: emptyNull,
		filterOnListed: "artifactType", filtered: 1, listed: 2, ociSubject: true},
}

// TestFacts holds every implementation against what is published about it.
func TestFacts(t *testing.T) {
	f := start(t, Options{})
	covered := 0
	for _, fact := range facts {
		for _, name := range fact.names {
			covered++
			t.Run(name, func(t *testing.T) {
				r, ok := f.Find(name)
				if !ok {
					t.Fatal("not in the fleet")
				}
				checkEmpty(t, f, r, fact)
				checkListed(t, f, r, fact)
				if got := answersSubject(t, f, r); got != fact.ociSubject {
					t.Errorf("OCI-Subject on PUT: %v, want %v", got, fact.ociSubject)
				}
			})
		}
	}
	live := slices.DeleteFunc(f.Registries(), func(r Registry) bool { return r.Down || r.Image != "" })
	if covered != len(live) {
		t.Errorf("the table covers %d registries of %d", covered, len(live))
	}
}

// sbomOnly is the filter; a plus sign left as it is would be a space.
var sbomOnly = "?artifactType=" + url.QueryEscape(SBOMType)

// checkEmpty asks for referrers where there are none to list.
func checkEmpty(t *testing.T, f *Fleet, r Registry, want fact) {
	t.Helper()
	bare := resolve(t, f, r, Bare, BareTag)
	absent := digest.FromString("not there")
	for what, ask := range map[string]struct {
		repository string
		subject    digest.Digest
		query      string
		want       answer
		filter     string
	}{
		"none attached":     {Bare, bare.Digest, "", want.none, ""},
		"absent digest":     {Bare, absent, "", want.absentDigest, ""},
		"absent repository": {"library/absent", absent, "", want.absentRepository, ""},
		"filter on none":    {Bare, bare.Digest, sbomOnly, want.none, want.filterOnNone},
	} {
		response, body := get(t, f, r, ask.repository, "referrers/"+ask.subject.String()+ask.query)
		contentType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
		if response.StatusCode != ask.want.status || contentType != ask.want.contentType || !strings.Contains(squeeze(body), ask.want.contains) {
			t.Errorf("%s: %d %s %s, want %+v", what, response.StatusCode, contentType, body, ask.want)
		}
		if got := response.Header.Get("OCI-Filters-Applied"); got != ask.filter {
			t.Errorf("%s: OCI-Filters-Applied %q, want %q", what, got, ask.filter)
		}
	}
}

// checkListed looks for what oras-go attached: in the API, under the tag, or
// both.
func checkListed(t *testing.T, f *Fleet, r Registry, want fact) {
	t.Helper()
	linked := resolve(t, f, r, Linked, LinkedTag)
	_, body := get(t, f, r, Linked, "referrers/"+linked.Digest.String())
	if got := len(descriptors(body)); got != want.listed {
		t.Errorf("the API lists %d, want %d: %s", got, want.listed, body)
	}
	filtered, body := get(t, f, r, Linked, "referrers/"+linked.Digest.String()+sbomOnly)
	if got := len(descriptors(body)); got != want.filtered {
		t.Errorf("filtered, the API lists %d, want %d: %s", got, want.filtered, body)
	}
	if got := filtered.Header.Get("OCI-Filters-Applied"); got != want.filterOnListed {
		t.Errorf("OCI-Filters-Applied %q, want %q", got, want.filterOnListed)
	}
	tagged, body := get(t, f, r, Linked, "manifests/"+referrersTag(linked.Digest))
	switch {
	case want.tagged && (tagged.StatusCode != 200 || len(descriptors(body)) != 2):
		t.Errorf("referrers tag: %d %s, want an index of 2", tagged.StatusCode, body)
	case !want.tagged && tagged.StatusCode != 404:
		t.Errorf("referrers tag: %d, want none", tagged.StatusCode)
	}
}

// answersSubject attaches one more artifact and says whether the registry
// acknowledged its subject.
func answersSubject(t *testing.T, f *Fleet, r Registry) bool {
	t.Helper()
	repository, err := f.Repository(r, Bare)
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := &subjectTrace{next: repository.Client}
	repository.Client = acknowledged
	if err := Attach(context.Background(), repository, resolve(t, f, r, Bare, BareTag), SBOMType, `{"name":"app"}`); err != nil {
		t.Fatal(err)
	}
	return acknowledged.seen
}

// subjectTrace notes OCI-Subject in an answer.
type subjectTrace struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	seen bool
}

func (s *subjectTrace) Do(r *http.Request) (*http.Response, error) {
	response, err := s.next.Do(r)
	if err == nil && response.Header.Get("OCI-Subject") != "" {
		s.seen = true
	}
	return response, err
}

func resolve(t *testing.T, f *Fleet, r Registry, repository, tag string) ocispec.Descriptor {
	t.Helper()
	client, err := f.Repository(r, repository)
	if err != nil {
		t.Fatal(err)
	}
	image, err := client.Resolve(context.Background(), tag)
	if err != nil {
		t.Fatalf("%s: resolve %s:%s: %v", r.Name, repository, tag, err)
	}
	return image
}

// get asks for a path under a repository, signed in where r needs it.
func get(t *testing.T, f *Fleet, r Registry, repository, path string) (*http.Response, string) {
	t.Helper()
	client, err := f.Repository(r, repository)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"/v2/"+repository+"/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", ocispec.MediaTypeImageIndex)
	response, err := client.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// descriptors are those of an index; none where body is no index.
func descriptors(body string) []ocispec.Descriptor {
	var index ocispec.Index
	if json.Unmarshal([]byte(body), &index) != nil {
		return nil
	}
	return index.Manifests
}

// referrersTag is the tag of the referrers tag schema (distribution
// specification v1.1, "Referrers Tag Schema"), for digests it does not cut.
func referrersTag(d digest.Digest) string { return d.Algorithm().String() + "-" + d.Encoded() }

func squeeze(body string) string { return strings.Join(strings.Fields(body), "") }
