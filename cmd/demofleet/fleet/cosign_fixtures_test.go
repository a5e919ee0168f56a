package fleet

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
)

// signOffline keeps cosign from every service of Sigstore.
var signOffline = []string{"-y", "--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false"}

// verifyOffline does so too, for a signature of the fleet's key.
var verifyOffline = []string{"--key", "fleet.pub", "--insecure-ignore-tlog"}

// cosignVerifies are the commands by which cosign verifies each form that the fleet makes of the
// image Signed. "KEY" stands for verifyOffline.
var cosignVerifies = [][]string{
	{"verify", "KEY"},
	{"verify", "KEY", "--new-bundle-format=false"},
	{"verify", "KEY", "--new-bundle-format=false", "--experimental-oci11"},
	{"verify-attestation", "KEY", "--type", "spdxjson"},
	{"verify-attestation", "KEY", "--new-bundle-format=false", "--type", "slsaprovenance1"},
}

// writeCosignForms has the real cosign make every form, keeps what it wrote in testdata, and has it
// verify what the fleet made.
func writeCosignForms(t *testing.T) {
	t.Helper()
	f := start(t, Options{Without: everyOtherThan("ocimem")})
	r := find(t, f, "ocimem")
	dir := t.TempDir()
	files := map[string][]byte{"sbom.json": []byte(sbom), "fleet.pub": publicKey(t)}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	runCosign(t, dir, []string{"generate-key-pair"}, nil)
	client, err := f.Repository(r, Bare)
	if err != nil {
		t.Fatal(err)
	}
	image := resolve(t, f, r, Bare, BareTag)
	before := besideImage(t, client, image)
	for _, one := range cosignForms {
		runCosign(t, dir, append(one.run, host(r)+"/"+Bare+"@"+image.Digest.String()), signOffline)
		after := besideImage(t, client, image)
		written := 0
		for reference, made := range after {
			if made != before[reference] {
				written++
				keepForm(t, client, one.name, reference)
			}
		}
		if written != 1 {
			t.Fatalf("cosign wrote %d manifests for %s", written, one.name)
		}
		before = after
	}
	signed := host(r) + "/" + Signed + "@" + resolve(t, f, r, Signed, SignedTag).Digest.String()
	for _, args := range cosignVerifies {
		runCosign(t, dir, append(args, signed), verifyOffline)
	}
}

// publicKey is that of the fleet's key, in PEM.
func publicKey(t *testing.T) []byte {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded})
}

// runCosign runs the real cosign in a folder, with key in place of "KEY". A proxy that nobody
// answers for stands between it and all but loopback.
func runCosign(t *testing.T, dir string, args, key []string) {
	t.Helper()
	path, err := filepath.Abs(*cosignCommand)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, arg := range args {
		if arg == "KEY" {
			all = append(all, key...)
			continue
		}
		all = append(all, arg)
	}
	cmd := exec.CommandContext(t.Context(), path, all...)
	cmd.Dir = dir
	cmd.Env = []string{
		"HOME=" + dir,
		"DOCKER_CONFIG=" + dir,
		"COSIGN_PASSWORD=",
		"COSIGN_EXPERIMENTAL=1", // the mode oci-1-1 is one
		"HTTP_PROXY=http://127.0.0.1:1",
		"HTTPS_PROXY=http://127.0.0.1:1",
	}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cosign %s: %v\n%s", strings.Join(all, " "), err, output)
	}
}

// besideImage lists the tags of a repository and the referrers of an image, by reference.
func besideImage(t *testing.T, client *remote.Repository, image ocispec.Descriptor) map[string]digest.Digest {
	t.Helper()
	found := map[string]digest.Digest{}
	err := client.Referrers(t.Context(), image, "", func(list []ocispec.Descriptor) error {
		for _, d := range list {
			found[d.Digest.String()] = d.Digest
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = client.Tags(t.Context(), "", func(tags []string) error {
		for _, tag := range tags {
			d, err := client.Resolve(t.Context(), tag)
			if err != nil {
				return err
			}
			found[tag] = d.Digest
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// keepForm writes a manifest with its blobs to testdata.
func keepForm(t *testing.T, client *remote.Repository, name, reference string) {
	t.Helper()
	_, body, err := client.FetchReference(t.Context(), reference)
	if err != nil {
		t.Fatal(err)
	}
	form := normalised(t, whole(t, body), func(d ocispec.Descriptor) []byte {
		body, err := client.Blobs().Fetch(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return whole(t, body)
	})
	if err := os.MkdirAll(filepath.Dir(cosignFile(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cosignFile(name), form, 0o644); err != nil {
		t.Fatal(err)
	}
}

// whole is a body that is read to its end.
func whole(t *testing.T, body io.ReadCloser) []byte {
	t.Helper()
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
