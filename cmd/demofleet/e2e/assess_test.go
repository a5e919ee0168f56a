package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/regclient/regclient"
	"github.com/regclient/regclient/config"
	"github.com/regclient/regclient/types/ref"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry"

	"refmatrix/cmd/demofleet/fleet"
)

var update = flag.Bool("update", false, "write the tables in docs/ again")

// assessment is as much of assess -f json as the test needs.
type assessment struct {
	Images []struct {
		Image, Verdict, Digest string
		Command                string
		Notes                  []string
		Links                  struct {
			ByAPI      int      `json:"by_api"`
			OnlyTag    int      `json:"only_tag"`
			CosignTags []string `json:"cosign_tags"`
		}
		Copies []struct {
			Tool       string
			Kept, Lost int
			Unsure     bool
		}
	}
}

// copiers copy an image with what is attached to it, as the command line of each
// tool does, one request at a time: olareg 0.1.2 forgets a referrer when two
// are pushed at once.
var copiers = []struct {
	tool string
	copy func(ctx context.Context, f *fleet.Fleet, from, to fleet.Registry, repository string) error
}{
	{"a plain copy", func(ctx context.Context, _ *fleet.Fleet, from, to fleet.Registry, repository string) error {
		return crane.Copy(place(from, fleet.Linked), place(to, repository), crane.Insecure, crane.WithContext(ctx))
	}},
	{"oras cp -r", func(ctx context.Context, f *fleet.Fleet, from, to fleet.Registry, repository string) error {
		source, err := f.Repository(from, fleet.Linked)
		if err != nil {
			return err
		}
		target, err := f.Repository(to, repository)
		if err != nil {
			return err
		}
		root, err := source.Resolve(ctx, fleet.LinkedTag)
		if err != nil {
			return err
		}
		options := oras.DefaultExtendedCopyGraphOptions
		options.Concurrency = 1
		options.FindPredecessors = func(ctx context.Context, src content.ReadOnlyGraphStorage, d ocispec.Descriptor) ([]ocispec.Descriptor, error) {
			return registry.Referrers(ctx, src, d, "")
		}
		if err := oras.ExtendedCopyGraph(ctx, source, target, root, options); err != nil {
			return err
		}
		return target.Tag(ctx, root, fleet.LinkedTag)
	}},
	{"regctl image copy", func(ctx context.Context, _ *fleet.Fleet, from, to fleet.Registry, repository string) error {
		client := regclient.New(regclient.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))), regclient.WithConfigHost(
			config.Host{Name: host(from), TLS: config.TLSDisabled}, config.Host{Name: host(to), TLS: config.TLSDisabled, ReqConcurrent: 1}))
		source, err := ref.New(place(from, fleet.Linked))
		if err != nil {
			return err
		}
		target, err := ref.New(place(to, repository))
		if err != nil {
			return err
		}
		return client.ImageCopy(ctx, source, target, regclient.ImageWithReferrers(), regclient.ImageWithDigestTags())
	}},
}

func host(r fleet.Registry) string { return strings.TrimPrefix(r.URL, "http://") }

func place(r fleet.Registry, repository string) string {
	return host(r) + "/" + repository + ":" + fleet.LinkedTag
}

// TestAssess copies for real between registries with and without the API, in
// every direction and with every tool, and compares what is found afterwards
// with what assess said before. docs/migration.md has the table.
func TestAssess(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	if err := attachByTagAlone(t.Context(), f, find(t, f, "olareg")); err != nil {
		t.Fatal(err)
	}
	names := []string{"distribution-anonymous", "ggcr-tags", "olareg", "ggcr-referrers", "ocimem"}
	table := "| from | to | tool | links | assess says kept | found after | verdict |\n| --- | --- | --- | --- | --- | --- | --- |\n"
	copies := 0
	for _, source := range names {
		from := find(t, f, source)
		before := links(t, f, from, fleet.Linked)
		for _, target := range names {
			if source == target {
				continue
			}
			to := find(t, f, target)
			says := assess(t, inventory, source, target).Images[0]
			for _, one := range copiers {
				repository := "moved/" + source + "/" + strings.ReplaceAll(one.tool, " ", "-")
				if err := one.copy(t.Context(), f, from, to, repository); err != nil {
					t.Errorf("%s from %s to %s: %v", one.tool, source, target, err)
					continue
				}
				copies++
				found := 0
				after := links(t, f, to, repository)
				for link := range before {
					if after[link] {
						found++
					}
				}
				kept, unsure := -1, false
				for _, said := range says.Copies {
					if said.Tool == one.tool {
						kept, unsure = said.Kept, said.Unsure
					}
				}
				if kept != found && !(unsure && found > kept) {
					t.Errorf("%s from %s to %s: assess says %d of %d links are kept, %d were found", one.tool, source, target, kept, len(before), found)
				}
				said, seen := fmt.Sprint(kept), fmt.Sprint(found)
				if unsure { // what is found differs from run to run
					said, seen = said+" or more", said+" or more"
				}
				table += fmt.Sprintf("| %s | %s | %s | %d | %s | %s | %s |\n", source, target, one.tool, len(before), said, seen, says.Verdict)
			}
		}
	}
	if want := len(names) * (len(names) - 1) * len(copiers); copies != want {
		t.Errorf("%d copies were made, want %d", copies, want)
	}
	section(t, "../../../docs/migration.md", "copies", table)

	transcript := "\n"
	for _, pair := range [][2]string{{"ggcr-tags", "olareg"}, {"olareg", "ggcr-tags"}} {
		shown, _ := exec.Command(os.Getenv("REFMATRIX"), "assess", "-i", inventory, "--from", pair[0], "--to", pair[1]).Output()
		named := strings.NewReplacer(host(find(t, f, pair[0])), pair[0]+".example.com", host(find(t, f, pair[1])), pair[1]+".example.com")
		overHTTP := regexp.MustCompile(` --(from|to)-plain-http| --host reg=[^ ]+,tls=disabled`)
		transcript += "    $ refmatrix assess --from " + pair[0] + " --to " + pair[1] + "\n"
		for line := range strings.Lines(named.Replace(overHTTP.ReplaceAllString(string(shown), ""))) {
			transcript += strings.TrimRight("    "+line, " \n") + "\n"
		}
		transcript += "\n"
	}
	section(t, "../../../docs/migration.md", "transcript", transcript)
}

// TestPlatforms: what is attached to a platform's manifest is not found at the index.
// assess says so, and the command it prints takes it along; the others do not.
func TestPlatforms(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	from, to := find(t, f, "ocimem"), find(t, f, "ggcr-tags")
	repo, err := f.Repository(from, fleet.Linked)
	if err != nil {
		t.Fatal(err)
	}
	platform, err := oras.PackManifest(t.Context(), repo, oras.PackManifestVersion1_1, "application/vnd.example.platform.v1", oras.PackManifestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := fleet.Attach(t.Context(), repo, platform, "application/vnd.example.signature.v1", "of the platform"); err != nil {
		t.Fatal(err)
	}
	index, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{platform}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oras.TagBytes(t.Context(), repo, ocispec.MediaTypeImageIndex, index, fleet.LinkedTag); err != nil {
		t.Fatal(err)
	}
	says := assess(t, inventory, "ocimem", "ggcr-tags").Images[0]
	if says.Verdict != "safe-with-commands" || !strings.HasPrefix(says.Command, "regctl ") || len(says.Notes) != 1 {
		t.Errorf("assess says %+v", says)
	}
	for _, one := range copiers {
		repository := "platforms/" + strings.ReplaceAll(one.tool, " ", "-")
		if err := one.copy(t.Context(), f, from, to, repository); err != nil {
			t.Errorf("%s: %v", one.tool, err)
			continue
		}
		copied, err := f.Repository(to, repository)
		if err != nil {
			t.Fatal(err)
		}
		found, err := registry.Referrers(t.Context(), copied, platform, "")
		if err != nil || (len(found) == 1) != (one.tool == "regctl image copy") {
			t.Errorf("%s: the platform has %d links afterwards, %v", one.tool, len(found), err)
		}
	}
}

// section compares the part of a document between its two markers with what
// was measured, or writes it.
func section(t *testing.T, path, name, want string) {
	t.Helper()
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(document), begin)
	have, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no section %s", path, name)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("%s differs; make docs writes it again\n%s", path, diff)
	}
}

func find(t *testing.T, f *fleet.Fleet, name string) fleet.Registry {
	t.Helper()
	r, ok := f.Find(name)
	if !ok {
		t.Fatalf("no registry %s", name)
	}
	return r
}

func assess(t *testing.T, inventory, from, to string) assessment {
	t.Helper()
	// Exit status 1 says that links are lost, which some of these do.
	out, err := exec.Command(os.Getenv("REFMATRIX"), "assess", "-i", inventory, "--from", from, "--to", to, "--write-probe", "-f", "json").Output()
	var a assessment
	if jsonErr := json.Unmarshal(out, &a); jsonErr != nil {
		t.Fatalf("assess: %v, %v", err, jsonErr)
	}
	return a
}

// links lists what is attached to the image of a repository, asked without any of
// the code under test: by the API, by the referrers tag and by cosign's tags.
func links(t *testing.T, f *fleet.Fleet, r fleet.Registry, repository string) map[string]bool {
	t.Helper()
	repo, err := f.Repository(r, repository)
	if err != nil {
		t.Fatal(err)
	}
	image, err := repo.Resolve(t.Context(), fleet.LinkedTag)
	if err != nil {
		t.Fatalf("%s is not at %s: %v", repository, r.Name, err)
	}
	tag := strings.Replace(image.Digest.String(), ":", "-", 1)
	base := r.URL + "/v2/" + repository
	found := map[string]bool{}
	for _, address := range []string{base + "/referrers/" + image.Digest.String(), base + "/manifests/" + tag} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", ocispec.MediaTypeImageIndex)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var index ocispec.Index
		if resp.StatusCode == http.StatusOK {
			err = json.NewDecoder(resp.Body).Decode(&index)
		}
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range index.Manifests {
			found[d.Digest.String()] = true
		}
	}
	for _, suffix := range []string{".sig", ".att", ".sbom"} {
		if _, err := repo.Resolve(t.Context(), tag+suffix); err == nil {
			found[suffix] = true
		}
	}
	http.DefaultClient.CloseIdleConnections()
	return found
}

// attachByTagAlone leaves a link as a registry without the API had it before
// its upgrade: only the referrers tag knows it.
func attachByTagAlone(ctx context.Context, f *fleet.Fleet, r fleet.Registry) error {
	repo, err := f.Repository(r, fleet.Linked)
	if err != nil {
		return err
	}
	image, err := repo.Resolve(ctx, fleet.LinkedTag)
	if err != nil {
		return err
	}
	artifact, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, "application/vnd.example.old.v1", oras.PackManifestOptions{})
	if err != nil {
		return err
	}
	index, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{artifact}})
	if err != nil {
		return err
	}
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: digest.FromBytes(index), Size: int64(len(index))}
	return repo.PushReference(ctx, d, strings.NewReader(string(index)), strings.Replace(image.Digest.String(), ":", "-", 1))
}
