package e2e

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/regclient/regclient"
	"github.com/regclient/regclient/config"
	"github.com/regclient/regclient/types/descriptor"
	"github.com/regclient/regclient/types/manifest"
	"github.com/regclient/regclient/types/ref"
	"gopkg.in/yaml.v3"

	"refmatrix/cmd/demofleet/fleet"
)

// linked is what is attached to an image, as matrix.json has it and as regclient finds it.
type linked struct {
	Total     int              `json:"total"`
	ByKind    map[string]int   `json:"by_kind"`
	ByPlace   map[string]int   `json:"by_place"`
	Asked     []string         `json:"asked"`
	Platforms []linkedPlatform `json:"platforms"`
	Items     []link           `json:"items"`
}

type linkedPlatform struct {
	Platform string   `json:"platform"`
	Digest   string   `json:"digest"`
	Asked    []string `json:"asked"`
}

type link struct {
	Digest   string   `json:"digest"`
	Kind     string   `json:"kind"`
	Where    []string `json:"where"`
	Subject  string   `json:"subject"`
	Platform string   `json:"platform"`
	Depth    int      `json:"depth"`
}

// places are those of an image, in the order in which a link has them; the last one is not a place
// of a platform.
var places = []string{"api", "tag", "cosign-tag", "in-index"}

// readable are the registries from which regclient reads all that the fleet attached. Others refuse
// it, or lose what is pushed.
var readable = []string{
	"distribution-anonymous", "distribution-basic", "distribution-token", "olareg", "ggcr-referrers", "ggcr-tags",
	"ocimem", "olareg-tls", "ociclient-proxy", "ocifilter-read-only", "olareg-no-api", "olareg-no-delete", "olareg-read-only",
	"olareg-pages", "ocimem-large", "harbor",
}

// TestLinks: kinds, places, platforms and totals of the links of an image of three platforms are
// those that regclient finds, of the kinds that the fleet attached.
func TestLinks(t *testing.T) {
	f, inventory := start(t, fleet.Options{Difficult: true})
	out := refmatrix(t, "scan", "-q", "-i", ofPlatforms(t, inventory), "--links", "--fail-on", "never")
	content, err := os.ReadFile(filepath.Join(out, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Rows []struct {
			Registry string
			Links    linked
		}
	}
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	for _, row := range m.Rows {
		t.Run(row.Registry, func(t *testing.T) {
			slices.SortFunc(row.Links.Items, compareLinks)
			if diff := cmp.Diff(walk(t, f, find(t, f, row.Registry)), row.Links); diff != "" {
				t.Errorf("regclient (-) and refmatrix (+) found\n%s", diff)
			}
		})
	}
	if len(m.Rows) != len(readable) {
		t.Errorf("%d registries have the image, want %d", len(m.Rows), len(readable))
	}
}

// ofPlatforms is the inventory of the readable registries, with the image of three platforms alone.
func ofPlatforms(t *testing.T, inventory string) string {
	t.Helper()
	content, err := os.ReadFile(inventory)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := yaml.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	var entries []any
	for _, one := range document["registries"].([]any) {
		entry := one.(map[string]any)
		if slices.Contains(readable, entry["name"].(string)) {
			entry["images"] = []string{fleet.Platforms + ":" + fleet.PlatformsTag}
			entries = append(entries, entry)
		}
	}
	document["registries"] = entries
	changed, err := yaml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(inventory), "platforms.yaml")
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// walker finds with regclient what is attached to the image of three platforms.
type walker struct {
	t        *testing.T
	client   *regclient.RegClient
	image    ref.Ref
	tags     []string
	attached []fleet.Attached
	found    linked
}

// walk asks for the referrers of the index and of every platform, and looks for their tags in the
// list of tags.
func walk(t *testing.T, f *fleet.Fleet, r fleet.Registry) linked {
	t.Helper()
	w := newWalker(t, f, r)
	index := w.manifest(w.image)
	entries, err := index.(manifest.Indexer).GetManifestList()
	if err != nil {
		t.Fatal(err)
	}
	image := index.GetDescriptor().Digest.String()
	w.subject(image, "")
	platforms := map[string]string{}
	for _, entry := range entries {
		if entry.Annotations["vnd.docker.reference.type"] == "" {
			name := entry.Platform.OS + "/" + entry.Platform.Architecture + strings.TrimSuffix("/"+entry.Platform.Variant, "/")
			platforms[entry.Digest.String()] = name
			w.found.Platforms = append(w.found.Platforms, linkedPlatform{
				Platform: name,
				Digest:   entry.Digest.String(),
				Asked:    places[:3],
			})
			w.subject(entry.Digest.String(), name)
		}
	}
	for _, entry := range entries {
		if entry.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			subject := entry.Annotations["vnd.docker.reference.digest"]
			w.add(entry.Digest.String(), subject, platforms[subject], "in-index")
		}
	}
	return w.counted()
}

func newWalker(t *testing.T, f *fleet.Fleet, r fleet.Registry) *walker {
	t.Helper()
	name := r.URL[strings.Index(r.URL, "://")+3:]
	settings := config.Host{Name: name, User: r.Username, Pass: r.Password, TLS: config.TLSDisabled}
	if r.TLS {
		settings.TLS, settings.RegCert = config.TLSEnabled, string(f.CA())
	}
	image, err := ref.New(name + "/" + fleet.Platforms + ":" + fleet.PlatformsTag)
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{
		t: t,
		client: regclient.New(
			regclient.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))),
			regclient.WithConfigHost(settings),
		),
		image:    image,
		attached: f.Attached(r.Name),
	}
	list, err := w.client.TagList(t.Context(), image)
	if err != nil {
		t.Fatal(err)
	}
	w.tags, err = list.GetTags()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *walker) manifest(at ref.Ref) manifest.Manifest {
	w.t.Helper()
	m, err := w.client.ManifestGet(w.t.Context(), at)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// subject looks at the three places of an image or of a platform.
func (w *walker) subject(digest, platform string) {
	w.t.Helper()
	list, err := w.client.ReferrerList(w.t.Context(), w.image.SetDigest(digest))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(list.Tags) == 0 { // regclient names the tag if it had to read that
		w.addAll(list.Descriptors, digest, platform, "api")
	}
	tag := strings.Replace(digest, ":", "-", 1)
	if slices.Contains(w.tags, tag) {
		entries, err := w.manifest(w.image.SetTag(tag)).(manifest.Indexer).GetManifestList()
		if err != nil {
			w.t.Fatal(err)
		}
		w.addAll(entries, digest, platform, "tag")
	}
	for _, suffix := range []string{".sig", ".att", ".sbom"} {
		if slices.Contains(w.tags, tag+suffix) {
			artifact := w.manifest(w.image.SetTag(tag + suffix)).GetDescriptor().Digest.String()
			w.add(artifact, digest, platform, "cosign-tag")
		}
	}
}

func (w *walker) addAll(found []descriptor.Descriptor, subject, platform, place string) {
	w.t.Helper()
	for _, d := range found {
		w.add(d.Digest.String(), subject, platform, place)
	}
}

// add is one artifact in one place: a link for each of the kinds that the fleet knows of it.
func (w *walker) add(digest, subject, platform, place string) {
	w.t.Helper()
	known := slices.IndexFunc(w.attached, func(a fleet.Attached) bool { return a.Digest.String() == digest })
	if known < 0 || w.attached[known].Subject.String() != subject || w.attached[known].Platform != platform {
		w.t.Fatalf("the fleet did not attach %s to %s, %s", digest, platform, subject)
	}
	for _, kind := range w.attached[known].Kinds {
		there := slices.IndexFunc(w.found.Items, func(l link) bool { return l.Digest == digest && l.Kind == kind })
		if there < 0 {
			there = len(w.found.Items)
			w.found.Items = append(w.found.Items, link{
				Digest:   digest,
				Kind:     kind,
				Subject:  subject,
				Platform: platform,
				Depth:    1,
			})
		}
		w.found.Items[there].Where = append(w.found.Items[there].Where, place)
	}
}

// counted is what was found, which has to be all that the fleet attached.
func (w *walker) counted() linked {
	w.t.Helper()
	for _, one := range w.attached {
		in := []string{one.Where}
		if one.Where == fleet.AtReferrers {
			in = places[:2]
		}
		if !slices.ContainsFunc(w.found.Items, func(l link) bool {
			return l.Digest == one.Digest.String() && slices.ContainsFunc(l.Where, func(place string) bool {
				return slices.Contains(in, place)
			})
		}) {
			w.t.Errorf("regclient does not find %v of %q in %q", one.Kinds, one.Platform, in)
		}
	}
	w.found.Asked, w.found.ByKind, w.found.ByPlace = places, map[string]int{}, map[string]int{}
	for _, one := range w.found.Items {
		w.found.Total++
		w.found.ByKind[one.Kind]++
		for _, place := range one.Where {
			w.found.ByPlace[place]++
		}
	}
	slices.SortFunc(w.found.Items, compareLinks)
	return w.found
}

func compareLinks(a, b link) int {
	return strings.Compare(a.Digest+a.Kind, b.Digest+b.Kind)
}

// checkCoverage: the rows of which kinds are required, and no others, say whether their images have
// them.
func checkCoverage(t *testing.T, got map[string]row) {
	t.Helper()
	want := map[string]map[string]string{
		"ggcr-tags library/alpine:latest":      {"signature": "present", "sbom": "present"},
		"ggcr-tags team/app:1.0":               {"signature": "absent", "sbom": "absent"},
		"ggcr-referrers library/alpine:latest": {"signature": "present", "sbom": "present", "provenance": "absent"},
		"ggcr-referrers team/app:1.0":          {"signature": "absent", "sbom": "absent", "provenance": "absent"},
		"ggcr-referrers team/platforms:1.0":    {"signature": "present", "sbom": "present", "provenance": "partial"},
	}
	for name, r := range got {
		if !maps.Equal(r.Coverage, want[name]) {
			t.Errorf("%s: coverage %v, want %v", name, r.Coverage, want[name])
		}
	}
	lacking := got["ggcr-referrers team/platforms:1.0"].Lacking["provenance"]
	if !slices.Equal(lacking, []string{"linux/arm/v7"}) {
		t.Errorf("platforms without provenance: %q", lacking)
	}
}
