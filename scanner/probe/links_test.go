package probe_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

const (
	notationType = "application/vnd.cncf.notary.signature"
	spdxType     = "application/spdx+json"
	bundleType   = "application/vnd.dev.sigstore.bundle.v0.3+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
)

// probed probes team/app:1 with links and returns the row, cleaned and with its exchanges.
func (c *contents) probed(t *testing.T, depth probe.Depth, change ...func(*inventory.Registry)) matrix.Row {
	t.Helper()
	outcome, clean := c.outcome(t, depth, change...)
	row := verdict.NewRow(verdict.Target{
		Registry: "r",
		Image:    "team/app:1",
		Require:  []matrix.LinkKind{matrix.KindSignature, matrix.KindSBOM},
		Clean:    clean,
	}, &outcome.Observation)
	row.Exchanges = outcome.Exchanges
	return row
}

// outcome probes team/app:1 with links. clean takes the secrets of the registry's account out of
// a text.
func (c *contents) outcome(
	t *testing.T, depth probe.Depth, change ...func(*inventory.Registry),
) (seen probe.Outcome, clean func(string) string) {
	t.Helper()
	t.Setenv("HTTP_PROXY", "")
	server := httptest.NewServer(c)
	defer server.Close()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	image, err := inventory.ParseImage("team/app:1")
	if err != nil {
		t.Fatal(err)
	}
	entry := inventory.Registry{
		Name:        "r",
		URL:         target,
		Timeout:     10 * time.Second,
		Concurrency: 4,
		Images:      []inventory.Image{image},
		Auth:        inventory.Auth{Anonymous: true},
	}
	for _, one := range change {
		one(&entry)
	}
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	client := pool.Client(entry)
	session := client.NewSession()
	defer session.Close()
	seen, err = probe.NewRegistry(client).Image(context.Background(), session, image, probe.Options{Depth: depth, Links: true})
	if err != nil {
		t.Fatal(err)
	}
	return seen, client.Clean
}

// shown is what a row has of links, one line each.
func shown(row matrix.Row) string {
	var lines []string
	if row.Links == nil {
		return "not read"
	}
	for _, link := range row.Links.Items {
		kind := link.Kind
		if kind == "" {
			kind = "?"
		}
		line := fmt.Sprintf("%s %v", kind, link.Where)
		if link.Platform != "" {
			line += " on " + link.Platform
		}
		if link.TypedAway {
			line += ", typed away"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	lines = append(lines, fmt.Sprintf("asked %v", row.Links.Asked))
	for _, p := range row.Links.Platforms {
		line := fmt.Sprintf("%s asked %v", p.Platform, p.Asked)
		if p.Absent {
			line += ", absent"
		}
		lines = append(lines, line)
	}
	for _, kind := range []matrix.LinkKind{matrix.KindSignature, matrix.KindSBOM} {
		lines = append(lines, fmt.Sprintf("%s %s", kind, row.Coverage[kind]))
	}
	for _, f := range row.Findings {
		if slices.Contains([]string{"typed-away", "links-bounded", "in-index-misplaced", "sparse-index", "quota-kept"}, f.Code) {
			lines = append(lines, f.Code+": "+f.Text)
		}
	}
	return strings.Join(lines, "\n")
}

// TestLinks: what the registry has, and what the row says of it.
func TestLinks(t *testing.T) {
	bundle := map[string]string{
		"dev.sigstore.bundle.content":       "dsse-envelope",
		"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
	}
	for _, test := range []struct {
		name  string
		build func(*contents)
		want  string
	}{
		{"nothing is attached", func(c *contents) { c.image("a", "1") }, `
			asked [api tag cosign-tag in-index]
			signature absent
			sbom absent`},
		{"by the API, types listed", func(c *contents) {
			image := c.image("a", "1")
			c.attach(image, c.artifact(notationType, nil), c.artifact(bundleType, bundle), c.artifact(spdxType, nil))
		}, `
			sbom [api]
			signature [api]
			signature [api]
			asked [api tag cosign-tag in-index]
			signature present
			sbom present`},
		{"no API, by the tag and by cosign's", func(c *contents) {
			c.referrers = nil
			image := c.image("a", "1")
			c.attachByTag(image, c.artifact(spdxType, nil))
			c.sign(image)
		}, `
			sbom [tag]
			signature [cosign-tag]
			asked [api tag cosign-tag in-index]
			signature present
			sbom present`},
		{"one artifact in three places", func(c *contents) {
			image := c.image("a", "1")
			c.sign(image)
			signature := map[string]any{
				"mediaType":    matrix.ManifestMediaType,
				"digest":       digest.FromString(c.manifests[tagOf(image, ".sig")]).String(),
				"size":         1,
				"artifactType": configType,
			}
			c.attach(image, signature)
			c.attachByTag(image, signature)
		}, `
			signature [api tag cosign-tag]
			asked [api tag cosign-tag in-index]
			signature present
			sbom absent`},
		{"types that say nothing", func(c *contents) {
			image := c.image("a", "1")
			away, without, unknown := c.artifact(bundleType, bundle), c.artifact(spdxType, nil), c.artifact("application/vnd.acme", nil)
			away["artifactType"], away["annotations"] = emptyType, nil
			without["artifactType"] = ""
			c.attach(image, away, without, unknown)
		}, `
			other [api]
			sbom [api], typed away
			signature [api], typed away
			asked [api tag cosign-tag in-index]
			signature present
			sbom present
			typed-away: The lists name a type that says nothing, or none, for 2 artifacts whose manifest has one: kyverno, BuildKit and others that choose by the artifact type do not find what is there.`},
		{"an artifact that is gone, and one that is another", func(c *contents) {
			image := c.image("a", "1")
			gone, other := c.artifact("", nil), c.artifact("", nil)
			delete(c.manifests, gone["digest"].(string))
			c.manifests[other["digest"].(string)] = `{"schemaVersion":2,"artifactType":"` + spdxType + `","config":{},"layers":[]}`
			c.attach(image, gone, other)
		}, `
			? [api]
			? [api]
			asked [api tag cosign-tag in-index]
			signature unknown
			sbom unknown`},
		{"platforms", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64/v8")
			statement := c.push(map[string]any{
				"config": map[string]any{"mediaType": configType},
				"layers": []any{map[string]any{
					"mediaType":   "application/vnd.in-toto+json",
					"annotations": map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"},
				}, map[string]any{
					"mediaType":   "application/vnd.in-toto+json",
					"annotations": map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"},
				}},
			})
			statement["annotations"] = map[string]any{
				"vnd.docker.reference.type":   "attestation-manifest",
				"vnd.docker.reference.digest": arm64["digest"],
			}
			c.index("1", amd64, arm64, on(statement, "unknown/unknown"))
			c.attach(amd64, c.artifact(spdxType, nil))
			c.attachByTag(arm64, c.artifact(notationType, nil))
			c.sign(arm64)
		}, `
			provenance [in-index] on linux/arm64/v8
			sbom [api] on linux/amd64
			sbom [in-index] on linux/arm64/v8
			signature [cosign-tag] on linux/arm64/v8
			signature [tag] on linux/arm64/v8
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			linux/arm64/v8 asked [api tag cosign-tag]
			signature partial
			sbom present`},
		{"a mirror of one platform", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")
			c.index("1", amd64, arm64)
			delete(c.manifests, arm64["digest"].(string))
			c.attach(amd64, c.artifact(spdxType, nil))
		}, `
			sbom [api] on linux/amd64
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			linux/arm64 asked [api tag cosign-tag], absent
			signature absent
			sbom present
			sparse-index: The index names platforms whose manifests are not here, and coverage leaves them out: 1.`},
		{"an index in the index", func(c *contents) {
			amd64 := on(c.image("a"), "linux/amd64")
			nested := c.index("nested", on(c.image("b"), "linux/arm64"))
			c.index("1", amd64, nested)
			c.attach(amd64, c.artifact(spdxType, nil))
		}, `
			sbom [api] on linux/amd64
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			unknown asked []
			signature unknown
			sbom unknown
			links-bounded: These were not read: the platforms of nested indexes (1).`},
		{"attestations that name no platform of the index", func(c *contents) {
			amd64, statement := on(c.image("a"), "linux/amd64"), c.artifact(spdxType, nil)
			statement["annotations"] = map[string]any{
				"vnd.docker.reference.type":   "attestation-manifest",
				"vnd.docker.reference.digest": "sha256:" + strings.Repeat("0", 64),
			}
			c.index("1", amd64, statement)
		}, `
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			signature absent
			sbom absent
			in-index-misplaced: The image's index holds attestations that name none of its platforms: 1.`},
		{"an index that was asked for and is another", func(c *contents) {
			image := c.index("1", on(c.image("a"), "linux/amd64"))
			c.answers["GET manifests/"+image["digest"].(string)] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", matrix.IndexMediaType)
				fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
			}
		}, `
			asked [api tag cosign-tag]
			signature unknown
			sbom unknown`},
		{"a platform whose list is refused", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")
			c.index("1", amd64, arm64)
			c.attach(amd64, c.artifact(spdxType, nil))
			c.answers["GET referrers/"+arm64["digest"].(string)] = status(http.StatusForbidden)
		}, `
			sbom [api] on linux/amd64
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			linux/arm64 asked [tag cosign-tag]
			signature unknown
			sbom unknown`},
		{"a list that is refused", func(c *contents) {
			image := c.image("a", "1")
			c.answers["referrers/"+image["digest"].(string)] = status(http.StatusForbidden)
		}, `
			asked [tag cosign-tag in-index]
			signature unknown
			sbom unknown`},
		{"a tag and a cosign tag that are refused", func(c *contents) {
			image := c.image("a", "1")
			c.answers["manifests/"+tagOf(image, "")] = status(http.StatusTooManyRequests)
			c.answers["manifests/"+tagOf(image, ".att")] = status(http.StatusForbidden)
		}, `
			asked [api in-index]
			signature unknown
			sbom unknown`},
		{"a list that does not depend on the image", func(c *contents) {
			image := c.image("a", "1")
			signature := c.artifact(notationType, nil)
			c.attach(image, signature)
			c.referrers["sha256:"+strings.Repeat("0", 64)] = []map[string]any{signature}
		}, `
			asked [tag cosign-tag in-index]
			signature unknown
			sbom unknown`},
		{"what lists itself", func(c *contents) {
			image := c.image("a", "1")
			artifact := c.artifact(spdxType, nil)
			c.attach(image, image, artifact)
			c.attach(artifact, artifact, image)
		}, `
			sbom [api]
			asked [api tag cosign-tag in-index]
			signature absent
			sbom present`},
		{"platforms that share a manifest, and are listed among others", func(c *contents) {
			shared := c.image("a")
			c.index("1", on(c.image("a"), "linux/amd64"), on(c.image("a"), "linux/arm64"))
			c.attach(shared, c.artifact(spdxType, nil))
		}, `
			sbom [api] on linux/amd64
			asked [api tag cosign-tag in-index]
			linux/amd64 asked [api tag cosign-tag]
			linux/arm64 asked [api tag cosign-tag]
			signature absent
			sbom present`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newContents()
			test.build(c)
			if got, want := shown(c.probed(t, probe.Standard)), dedent(test.want); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// dedent takes the tabs from the beginnings of lines.
func dedent(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n\t\t\t", "\n"), "\n")
}
