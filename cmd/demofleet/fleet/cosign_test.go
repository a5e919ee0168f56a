package fleet

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// cosignCommand is the real cosign. With it, testdata/cosign is what that cosign writes, made
// again, and it has to verify what the fleet makes itself ("make fixtures").
var cosignCommand = flag.String("cosign", "", "`path` of a cosign that makes testdata/cosign again")

// cosignForms are the forms that the fleet makes itself, and how cosign is run to make them. The
// one tag or referrer that each run adds is what is compared.
var cosignForms = []struct {
	name string
	form form
	run  []string // "KEY" stands for signOffline
}{
	{"bundle-signature", bundleSignature(), []string{"sign", "KEY"}},
	{"bundle-attestation", bundleAttestation(Bare, spdxPredicate),
		[]string{"attest", "KEY", "--type", "spdxjson", "--predicate", "sbom.json"}},
	{"sig-tag", cosignSig(Bare), []string{"sign", "KEY", "--new-bundle-format=false"}},
	{"sig-referrer", cosignReferrer(Bare),
		[]string{"sign", "KEY", "--new-bundle-format=false", "--registry-referrers-mode", "oci-1-1"}},
	{"att-tag", cosignAtt(Bare, spdxPredicate),
		[]string{"attest", "KEY", "--new-bundle-format=false", "--type", "spdxjson", "--predicate", "sbom.json"}},
	{"att-tag-of-two", cosignAtt(Bare, spdxPredicate, spdxPredicate),
		[]string{"attest", "KEY", "--new-bundle-format=false", "--type", "spdxjson", "--predicate", "sbom.json"}},
	{"sbom-tag", cosignSBOM(), []string{"attach", "sbom", "--sbom", "sbom.json", "--type", "spdx", "--input-format", "json"}},
}

// TestCosignForms: what the fleet makes itself is what cosign 3.1.3 writes, but for digests, sizes,
// times, names and signatures.
func TestCosignForms(t *testing.T) {
	if *cosignCommand != "" {
		writeCosignForms(t)
	}
	image := blob{mediaType: ocispec.MediaTypeImageManifest, content: []byte("image")}.descriptor()
	for _, one := range cosignForms {
		made, err := one.form(image)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := made.manifest()
		if err != nil {
			t.Fatal(err)
		}
		blobs := map[digest.Digest][]byte{}
		for _, b := range append(made.layers, made.config) {
			blobs[b.descriptor().Digest] = b.content
		}
		got := normalised(t, manifest, func(d ocispec.Descriptor) []byte { return blobs[d.Digest] })
		want, err := os.ReadFile(cosignFile(one.name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s, cosign writes\n%s", one.name, got, want)
		}
	}
}

func cosignFile(name string) string { return filepath.Join("testdata", "cosign", name+".json") }

// normalised is a manifest with the content of its config and layers, without what differs from run
// to run.
func normalised(t *testing.T, manifest []byte, content func(ocispec.Descriptor) []byte) []byte {
	t.Helper()
	var parts ocispec.Manifest
	if err := json.Unmarshal(manifest, &parts); err != nil {
		t.Fatal(err)
	}
	whole := map[string]any{"manifest": decoded(t, manifest), "config": decoded(t, content(parts.Config))}
	var layers []any
	for _, layer := range parts.Layers {
		layers = append(layers, decoded(t, content(layer)))
	}
	whole["layers"] = layers
	out, err := json.MarshalIndent(whole, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

func decoded(t *testing.T, content []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatalf("%s: %v", content, err)
	}
	return withoutRun(t, value)
}

// ofRun are the values that differ from run to run, by key.
var ofRun = map[string]any{
	"size":                    0,
	"sig":                     "SIGNATURE",
	cosignSignature:           "SIGNATURE",
	"hint":                    "HINT",
	"sha256":                  "HEX",
	ocispec.AnnotationCreated: "TIME",
}

var digests = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// withoutRun replaces what differs from run to run. The payload of an envelope is decoded.
func withoutRun(t *testing.T, value any) any {
	t.Helper()
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withoutRun(t, value[i])
		}
	case map[string]any:
		for key, inner := range value {
			replacement, differs := ofRun[key]
			switch {
			case differs && inner != "":
				value[key] = replacement
			case key == "payload":
				payload, err := base64.StdEncoding.DecodeString(inner.(string))
				if err != nil {
					t.Fatal(err)
				}
				value[key] = decoded(t, payload)
			default:
				value[key] = withoutRun(t, inner)
			}
		}
	case string:
		if strings.HasSuffix(value, Bare) {
			return "NAME"
		}
		return digests.ReplaceAllString(value, "sha256:HEX")
	}
	return value
}
