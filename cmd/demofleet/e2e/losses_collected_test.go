package e2e

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"

	"refmatrix/cmd/demofleet/fleet"
)

// cosignSuffixes are those of the tags that the image fleet.Signed has beside it.
var cosignSuffixes = []string{".sig", ".att", ".sbom"}

// TestLossesOfOlaregGC: an image is deleted and pushed again, with the same digest. The
// garbage collection of olareg took what the API had listed, and left the tags of cosign.
func TestLossesOfOlaregGC(t *testing.T) {
	f, _ := start(t, fleet.Options{Difficult: true})
	repo, image := signedImage(t, f, "olareg-gc")
	attached := referrersOf(t, repo, image)
	weeks := newSignedWeeks(t, f, "olareg-gc")
	before := weeks.scan(0)
	if before.Links == nil || before.Links.Total != len(attached)+len(cosignSuffixes) {
		t.Errorf("links %+v, want %d by the API and the tags %s", before.Links, len(attached), cosignSuffixes)
	}
	if err := repo.Delete(t.Context(), image); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was attached is collected", func() bool {
		return !slices.ContainsFunc(attached, func(d ocispec.Descriptor) bool { return holds(t, repo, d) })
	})
	from, _ := signedImage(t, f, "olareg")
	eventually(t, "the image is there again, none of its blobs collected during the push", func() bool {
		return oras.CopyGraph(t.Context(), from, repo, image, oras.DefaultCopyGraphOptions) == nil &&
			repo.Tag(t.Context(), image, fleet.SignedTag) == nil
	})
	judgeLost(t, weeks.scan(1), attached, []string{"sbom", "signature", "signature", "signature"})
}

// TestLossesOfDistributionGC: the garbage collection of Distribution drops what has no tag and
// is in no index that has one. So it loses what was attached only if a clean-up took the
// referrers tag before.
func TestLossesOfDistributionGC(t *testing.T) {
	f, _ := start(t, fleet.Options{})
	from, image := signedImage(t, f, "olareg")
	root := t.TempDir()
	url := serveDistribution(t, root)
	repo := copySigned(t, from, image, url)
	attached := referrersOf(t, repo, image)
	unlisted := pushUnlisted(t, repo, image)
	weeks := newWeeks(t, "distribution", url, fleet.Signed+":"+fleet.SignedTag, "")
	before := weeks.scan(0)
	if before.Links == nil || before.Links.Total != len(attached)+len(cosignSuffixes) {
		t.Errorf("links %+v, want %d by the referrers tag and the tags %s", before.Links, len(attached), cosignSuffixes)
	}

	collect(t, root)
	if holds(t, repo, unlisted) {
		t.Fatal("an artifact without a tag is still there")
	}
	kept := weeks.scan(0)
	judgeLost(t, kept, nil, nil)
	if kept.Links == nil || before.Links == nil || kept.Links.Total != before.Links.Total {
		t.Errorf("links %+v, want as many as before: %+v", kept.Links, before.Links)
	}

	index, _ := tagged("")(t, repo, image)
	if err := repo.Manifests().Delete(t.Context(), index); err != nil {
		t.Fatal(err)
	}
	collect(t, root)
	for _, d := range attached {
		if holds(t, repo, d) {
			t.Errorf("%s is still there", d.Digest)
		}
	}
	gone := weeks.scan(1)
	judgeLost(t, gone, attached, []string{"sbom", "signature", "signature", "signature"})
	if gone.Links == nil || gone.Links.Total != len(cosignSuffixes) {
		t.Errorf("links %+v, want the tags %s", gone.Links, cosignSuffixes)
	}
}

// serveDistribution starts a Distribution that keeps its content in the folder root.
func serveDistribution(t *testing.T, root string) (url string) {
	t.Helper()
	c := fleet.DistributionWith("filesystem", configuration.Parameters{"rootdirectory": root})
	ctx, cancel := context.WithCancel(context.Background())
	app := handlers.NewApp(ctx, c)
	server := httptest.NewServer(app)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		cancel()
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// collect runs the garbage collection of Distribution, with --delete-untagged.
func collect(t *testing.T, root string) {
	t.Helper()
	driver, err := filesystem.FromParameters(map[string]any{"rootdirectory": root})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := storage.NewRegistry(t.Context(), driver)
	if err == nil {
		err = storage.MarkAndSweep(t.Context(), driver, registry, storage.GCOpts{RemoveUntagged: true, Quiet: true})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copySigned copies the image fleet.Signed with all that is attached to it.
func copySigned(t *testing.T, from *remote.Repository, image ocispec.Descriptor, url string) *remote.Repository {
	t.Helper()
	repo := plainRepository(t, url, fleet.Signed)
	if _, err := oras.ExtendedCopy(t.Context(), from, fleet.SignedTag, repo, "", oras.DefaultExtendedCopyOptions); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range cosignSuffixes {
		if _, err := oras.Copy(t.Context(), from, digestTag(image)+suffix, repo, "", oras.DefaultCopyOptions); err != nil {
			t.Fatal(err)
		}
	}
	return repo
}

// pushUnlisted attaches an artifact as a client does that believes in an API: the registry keeps
// it without a tag, and nothing lists it.
func pushUnlisted(t *testing.T, repo *remote.Repository, image ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	believing := plainRepository(t, repo.Reference.Registry, repo.Reference.Repository)
	if err := believing.SetReferrersCapability(true); err != nil {
		t.Fatal(err)
	}
	d, err := oras.PackManifest(t.Context(), believing, oras.PackManifestVersion1_1, fleet.SBOMType,
		oras.PackManifestOptions{Subject: &image})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// holds reports whether a registry has a manifest.
func holds(t *testing.T, repo *remote.Repository, d ocispec.Descriptor) bool {
	t.Helper()
	there, err := repo.Exists(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return there
}

// eventually looks again until ok is true, for ten seconds at the most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again, end := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("%s: not so within ten seconds", what)
		}
	}
}
