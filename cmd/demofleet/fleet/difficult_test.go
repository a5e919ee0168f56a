package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"gopkg.in/yaml.v3"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// checkLostPushes: OCI-Subject keeps clients from writing the tag, and no list shows what was
// pushed.
func checkLostPushes(t *testing.T, f *Fleet) {
	t.Helper()
	for _, name := range []string{"ociserver-no-api", "ociclient-proxy"} {
		r := find(t, f, name)
		if !answersSubject(t, f, r) {
			t.Errorf("%s: no OCI-Subject on PUT", name)
		}
		bare := resolve(t, f, r, Bare, BareTag)
		_, body := get(t, f, r, Bare, "referrers/"+bare.Digest.String())
		if got := descriptors(body); len(got) != 0 {
			t.Errorf("%s lists %d descriptors, want none", name, len(got))
		}
		tag, _ := get(t, f, r, Bare, "manifests/"+referrersTag(bare.Digest))
		if tag.StatusCode != http.StatusNotFound {
			t.Errorf("%s: referrers tag %d, want 404", name, tag.StatusCode)
		}
	}
}

// checkImmutable: the first artifact that is attached by tag is taken, the second is not.
func checkImmutable(t *testing.T, f *Fleet) {
	t.Helper()
	for _, name := range []string{"ocifilter-immutable", "ocimem-immutable"} {
		r := find(t, f, name)
		if answersSubject(t, f, r) { // attaches the first
			t.Errorf("%s: OCI-Subject on PUT", name)
		}
		repository, err := f.Repository(r, Bare)
		if err != nil {
			t.Fatal(err)
		}
		err = Attach(t.Context(), repository, resolve(t, f, r, Bare, BareTag), SignatureType, "second")
		var refusal *errcode.ErrorResponse
		if !errors.As(err, &refusal) || refusal.StatusCode != http.StatusForbidden {
			t.Errorf("%s: the second attach: %v, want 403", name, err)
		}
	}
}

// checkPages: the list comes in pages that are linked without quotes, and each is within the limit.
func checkPages(t *testing.T, f *Fleet) {
	t.Helper()
	r := find(t, f, "olareg-pages")
	path, pages, listed := "/v2/"+Linked+"/referrers/{linked}", 0, 0
	for path != "" && pages < 10 {
		response, body := raw(t, f, r, http.MethodGet, path, "", nil)
		if len(body) > pageLimit {
			t.Errorf("a page has %d bytes", len(body))
		}
		pages++
		listed += len(descriptors(body))
		link := response.Header.Get("Link")
		target, relation, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if link != "" && relation != "; rel=next" {
			t.Errorf("Link %q", link)
		}
		path = target
	}
	if pages < 2 || listed != 6 {
		t.Errorf("%d pages list %d, want more than one and 6", pages, listed)
	}
}

// checkLarge: the list is over the 4 MiB that clients read, though no single manifest is.
func checkLarge(t *testing.T, f *Fleet) {
	t.Helper()
	_, body := raw(t, f, find(t, f, "ocimem-large"), http.MethodGet, "/v2/"+Linked+"/referrers/{linked}", "", nil)
	if len(body) <= 4<<20 || len(descriptors(body)) != 11 {
		t.Errorf("%d bytes with %d descriptors, want over 4 MiB with 11", len(body), len(descriptors(body)))
	}
}

// checkRateLimit: a crowd of requests meets 429 and Retry-After.
func checkRateLimit(t *testing.T, f *Fleet) {
	t.Helper()
	r := find(t, f, "olareg-rate-limit")
	for range 100 * rateLimit {
		response, _ := raw(t, f, r, http.MethodGet, "/v2/", "", nil)
		if response.StatusCode == http.StatusTooManyRequests {
			if got := retryAfter(t, response); got != 1 {
				t.Errorf("Retry-After %d, want 1", got)
			}
			return
		}
	}
	t.Error("no request was refused")
}

// checkSubjectFirst: an artifact is taken once its subject is there, and not before.
func checkSubjectFirst(t *testing.T, f *Fleet) {
	t.Helper()
	for name, want := range map[string]int{"subject-first": http.StatusBadRequest, "zot": http.StatusCreated} {
		r := find(t, f, name)
		repository, err := f.Repository(r, Bare)
		if err != nil {
			t.Fatal(err)
		}
		config, err := pushBlob(context.Background(), repository, ocispec.MediaTypeEmptyJSON, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		put := func(subject digest.Digest) (*http.Response, string) {
			manifest, err := json.Marshal(ocispec.Manifest{
				Versioned:    specs.Versioned{SchemaVersion: 2},
				MediaType:    ocispec.MediaTypeImageManifest,
				ArtifactType: SBOMType,
				Config:       config,
				Layers:       []ocispec.Descriptor{config},
				Subject:      &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: subject, Size: 1},
			})
			if err != nil {
				t.Fatal(err)
			}
			path := "/v2/" + Bare + "/manifests/" + digest.FromBytes(manifest).String()
			return raw(t, f, r, http.MethodPut, path, "", strings.NewReader(string(manifest)))
		}
		late, body := put(digest.FromString("comes later"))
		if late.StatusCode != want || (want == http.StatusBadRequest && !strings.Contains(body, `"BLOB_UNKNOWN"`)) {
			t.Errorf("%s: %d %s for an artifact before its subject, want %d", name, late.StatusCode, body, want)
		}
		bare := resolve(t, f, r, Bare, BareTag).Digest
		answer, body := put(bare)
		if answer.StatusCode != http.StatusCreated || answer.Header.Get("OCI-Subject") != bare.String() {
			t.Errorf("%s: %d %s for an artifact after its subject", name, answer.StatusCode, body)
		}
	}
}

// checkFirstAccept: the same types in two lines are not the same.
func checkFirstAccept(t *testing.T, f *Fleet) {
	t.Helper()
	r := find(t, f, "first-accept")
	for _, types := range [][]string{
		{ocispec.MediaTypeImageIndex + ", " + ocispec.MediaTypeImageManifest},
		{ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageManifest},
	} {
		address := r.URL + "/v2/" + Linked + "/manifests/" + LinkedTag
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header["Accept"] = types
		response, err := f.transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if want := map[int]int{1: http.StatusOK, 2: http.StatusNotFound}[len(types)]; response.StatusCode != want {
			t.Errorf("%d Accept lines: %d, want %d", len(types), response.StatusCode, want)
		}
	}
}

// checkUnixTime: Retry-After is a time soon to come, and then the list comes.
func checkUnixTime(t *testing.T, f *Fleet) {
	t.Helper()
	r := find(t, f, "retry-after-time")
	var opens int64
	until(t, "the list comes", func() bool {
		response, body := raw(t, f, r, http.MethodGet, "/v2/"+Linked+"/referrers/{linked}", "", nil)
		if response.StatusCode == http.StatusTooManyRequests {
			opens = retryAfter(t, response)
			return false
		}
		return len(descriptors(body)) == 2
	})
	// Zero, if the first request came after the time had passed.
	if now := time.Now().Unix(); opens != 0 && (opens > now || opens < now-60) {
		t.Errorf("Retry-After was %d, it is %d", opens, now)
	}
}

// checkHeadCut: HEAD of a manifest is never answered.
func checkHeadCut(t *testing.T, f *Fleet) {
	t.Helper()
	address := find(t, f, "head-cut").URL + "/v2/" + Linked + "/manifests/" + LinkedTag
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := f.transport.RoundTrip(request); err == nil {
		_ = response.Body.Close()
		t.Errorf("got %d, want a connection that ends", response.StatusCode)
	}
}

// checkGarbage: with its subject, a referrer goes; its list goes first.
func checkGarbage(t *testing.T, f *Fleet) {
	t.Helper()
	r := find(t, f, "olareg-gc")
	linked := resolve(t, f, r, Linked, LinkedTag).Digest
	_, body := get(t, f, r, Linked, "referrers/"+linked.String())
	attached := descriptors(body)
	if len(attached) != 2 {
		t.Fatalf("%d referrers before, want 2", len(attached))
	}
	deleted, body := raw(t, f, r, http.MethodDelete, "/v2/"+Linked+"/manifests/{linked}", "", nil)
	if deleted.StatusCode != http.StatusAccepted {
		t.Fatalf("DELETE of the subject: %d %s", deleted.StatusCode, body)
	}
	until(t, "a referrer of a deleted subject is gone", func() bool {
		response, _ := get(t, f, r, Linked, "manifests/"+attached[0].Digest.String())
		return response.StatusCode == http.StatusNotFound
	})
}

// checkInventory: every difficult registry is an entry with its label, its image and its account.
func checkInventory(t *testing.T, f *Fleet) {
	t.Helper()
	path, err := f.WriteInventory()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var inventory struct {
		Registries []struct {
			Name   string
			Labels map[string]string
			Auth   map[string]any
			Images []string
		}
	}
	if err := yaml.Unmarshal(encoded, &inventory); err != nil {
		t.Fatal(err)
	}
	entries := map[string]string{}
	for _, r := range inventory.Registries {
		if r.Labels["group"] == Difficult {
			entries[r.Name] = fmt.Sprintf("%v %v", r.Images, r.Auth["passwordFile"])
		}
	}
	for name, want := range map[string]string{
		"zot":             "[library/alpine:latest] <nil>",
		"harbor":          "[team/signed:1.0] password",
		"harbor-password": "[library/alpine:latest] wrong-password",
		"harbor-absent":   "[absent/app:1] password",
	} {
		if entries[name] != want {
			t.Errorf("%s: %q, want %q", name, entries[name], want)
		}
	}
	if want := difficultNames(); len(entries) != len(want) {
		t.Errorf("%d entries, want %d", len(entries), len(want))
	}
	wrong, err := os.ReadFile(filepath.Join(f.dir, "wrong-password"))
	if err != nil || string(wrong) != WrongPassword+"\n" {
		t.Errorf("the wrong password is %q, %v", wrong, err)
	}
}
