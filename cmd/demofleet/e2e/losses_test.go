package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"

	"refmatrix/cmd/demofleet/fleet"
)

// loss is a set of links that someone deletes from the image fleet.Signed.
type loss struct {
	name     string
	registry string // of the fleet
	// deleted returns the manifest that is deleted and the tag that it has, "" if it has none.
	deleted func(t *testing.T, repo *remote.Repository, image ocispec.Descriptor) (ocispec.Descriptor, string)
	kinds   []string // of the links that are lost, in their order in matrix.json
}

var losses = []loss{
	{"an SBOM that the API lists", "olareg", referrer("https://spdx.dev/Document"), []string{"sbom"}},
	{"a signature that the API lists", "olareg", referrer("https://sigstore.dev/cosign/sign/v1"), []string{"signature"}},
	{"the .sig tag beside the API", "olareg", tagged(".sig"), []string{"signature"}},
	{"the .att tag beside the API", "olareg", tagged(".att"), []string{"provenance"}},
	{"an SBOM in the referrers tag", "distribution-anonymous", referrer("https://spdx.dev/Document"), []string{"sbom"}},
	{"the referrers tag", "distribution-anonymous", tagged(""), []string{"sbom", "signature", "signature", "signature"}},
	{"the .sig tag", "distribution-anonymous", tagged(".sig"), []string{"signature"}},
	{"the .att tag", "distribution-anonymous", tagged(".att"), []string{"provenance"}},
}

// referrer returns the bundle with a predicate type that is attached to the image.
func referrer(predicate string) func(*testing.T, *remote.Repository, ocispec.Descriptor) (ocispec.Descriptor, string) {
	return func(t *testing.T, repo *remote.Repository, image ocispec.Descriptor) (ocispec.Descriptor, string) {
		t.Helper()
		for _, d := range referrersOf(t, repo, image) {
			if d.Annotations["dev.sigstore.bundle.predicateType"] == predicate {
				return d, ""
			}
		}
		t.Fatalf("no bundle of %s is attached", predicate)
		return ocispec.Descriptor{}, ""
	}
}

// tagged returns the manifest under the image's referrers tag, with a suffix of cosign's.
func tagged(suffix string) func(*testing.T, *remote.Repository, ocispec.Descriptor) (ocispec.Descriptor, string) {
	return func(t *testing.T, repo *remote.Repository, image ocispec.Descriptor) (ocispec.Descriptor, string) {
		t.Helper()
		tag := digestTag(image) + suffix
		d, err := repo.Resolve(t.Context(), tag)
		if err != nil {
			t.Fatal(err)
		}
		return d, tag
	}
}

// referrersOf lists what oras-go finds attached to an image.
func referrersOf(t *testing.T, repo *remote.Repository, image ocispec.Descriptor) []ocispec.Descriptor {
	t.Helper()
	found, err := registry.Referrers(t.Context(), repo, image, "")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLosses deletes what is attached to an image and attaches it again, with a scan after each
// step as cron makes it: the scans name exactly what is gone, until it is back.
func TestLosses(t *testing.T) {
	f, _ := start(t, fleet.Options{})
	for _, one := range losses {
		t.Run(one.name, func(t *testing.T) {
			repo, image := signedImage(t, f, one.registry)
			d, tag := one.deleted(t, repo, image)
			content := fetched(t, repo, d)
			weeks := newSignedWeeks(t, f, one.registry)
			before := weeks.scan(0)
			want := []ocispec.Descriptor{d}
			if d.MediaType == ocispec.MediaTypeImageIndex {
				want = listed(t, content)
			}
			if err := repo.Delete(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			gone := weeks.scan(1)
			judgeLost(t, gone, want, one.kinds)
			if gone.Links == nil || before.Links == nil || gone.Links.Total != before.Links.Total-len(want) {
				t.Errorf("links %+v after %+v, want %d less", gone.Links, before.Links, len(want))
			}
			judgeDiff(t, weeks, gone)
			weeks.pass()
			still := weeks.scan(1)
			judgeLost(t, still, want, one.kinds)
			for i := range still.Lost {
				if since := gone.Lost[i].Since.AddDate(0, 0, -7); !still.Lost[i].Since.Equal(since) {
					t.Errorf("lost since %s a week later, want %s", still.Lost[i].Since, since)
				}
			}
			if err := pushAgain(t, repo, d, content, tag); err != nil {
				t.Fatal(err)
			}
			back := weeks.scan(0)
			judgeLost(t, back, nil, nil)
			if back.Links == nil || before.Links == nil || back.Links.Total != before.Links.Total {
				t.Errorf("links %+v, want as many as before: %+v", back.Links, before.Links)
			}
		})
	}
}

// TestLossOfMovedImage: another image under the tag has what is attached to it and no other
// loss.
func TestLossOfMovedImage(t *testing.T) {
	f, _ := start(t, fleet.Options{})
	for _, name := range []string{"olareg", "distribution-anonymous"} {
		repo, image := signedImage(t, f, name)
		weeks := newSignedWeeks(t, f, name)
		weeks.scan(0)
		d, _ := tagged(".sig")(t, repo, image)
		if err := repo.Delete(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		judgeLost(t, weeks.scan(1), []ocispec.Descriptor{d}, []string{"signature"})
		moved, err := oras.PackManifest(t.Context(), repo, oras.PackManifestVersion1_1, "application/vnd.example.moved.v1",
			oras.PackManifestOptions{})
		if err == nil {
			err = repo.Tag(t.Context(), moved, fleet.SignedTag)
		}
		if err != nil {
			t.Fatal(err)
		}
		now := weeks.scan(0)
		judgeLost(t, now, nil, nil)
		if now.Digest != moved.Digest.String() || now.Links == nil || now.Links.Total != 0 {
			t.Errorf("%s: the image is %s with %+v, want %s with nothing attached", name, now.Digest, now.Links, moved.Digest)
		}
	}
}

// signedImage returns the image that has all that signers leave.
func signedImage(t *testing.T, f *fleet.Fleet, registry string) (*remote.Repository, ocispec.Descriptor) {
	t.Helper()
	repo, err := f.Repository(find(t, f, registry), fleet.Signed)
	if err != nil {
		t.Fatal(err)
	}
	image, err := repo.Resolve(t.Context(), fleet.SignedTag)
	if err != nil {
		t.Fatal(err)
	}
	return repo, image
}

// digestTag is a digest as the tag schema and cosign write it into tags.
func digestTag(d ocispec.Descriptor) string { return strings.Replace(d.Digest.String(), ":", "-", 1) }

func fetched(t *testing.T, repo *remote.Repository, d ocispec.Descriptor) []byte {
	t.Helper()
	reader, err := repo.Fetch(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var content bytes.Buffer
	if _, err := content.ReadFrom(reader); err != nil {
		t.Fatal(err)
	}
	return content.Bytes()
}

func listed(t *testing.T, index []byte) []ocispec.Descriptor {
	t.Helper()
	var list ocispec.Index
	if err := json.Unmarshal(index, &list); err != nil {
		t.Fatal(err)
	}
	return list.Manifests
}

// pushAgain pushes a manifest as it was. oras-go itself attaches it to its subject.
func pushAgain(t *testing.T, repo *remote.Repository, d ocispec.Descriptor, content []byte, tag string) error {
	t.Helper()
	if tag == "" {
		return repo.Push(t.Context(), d, bytes.NewReader(content))
	}
	return repo.PushReference(t.Context(), d, bytes.NewReader(content), tag)
}

// judgeLost compares the losses of a row with what was deleted, and their kinds.
func judgeLost(t *testing.T, r linkRow, want []ocispec.Descriptor, kinds []string) {
	t.Helper()
	var digests, have, haveKinds []string
	for _, d := range want {
		digests = append(digests, d.Digest.String())
	}
	for _, lost := range r.Lost {
		have, haveKinds = append(have, lost.Digest), append(haveKinds, lost.Kind)
		if lost.Subject != r.Digest || lost.Platform != "" || lost.Replaced {
			t.Errorf("lost %+v, want one of the image %s", lost, r.Digest)
		}
	}
	for _, list := range [][]string{digests, have, haveKinds} {
		slices.Sort(list)
	}
	if !slices.Equal(have, digests) || !slices.Equal(haveKinds, kinds) {
		t.Errorf("%s of %s: lost %q of %q, want %q of %q", haveKinds, r.Registry, have, haveKinds, digests, kinds)
	}
}

// judgeDiff compares the two newest scans with refmatrix diff: it names the losses of the row.
func judgeDiff(t *testing.T, w *weeks, r linkRow) {
	t.Helper()
	scans := w.history()
	cmd := exec.Command(os.Getenv("REFMATRIX"), append([]string{"diff", "-f", "json"}, scans[len(scans)-2:]...)...)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("refmatrix diff: %v\n%s", err, output)
	}
	var d struct {
		Changes []struct {
			Kind string
			Lost []lostLink
		}
	}
	if err := json.Unmarshal(output, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Changes) != 1 || d.Changes[0].Kind != "links-lost" || !slices.Equal(d.Changes[0].Lost, r.Lost) {
		t.Errorf("diff %+v, want the losses %+v", d.Changes, r.Lost)
	}
}
