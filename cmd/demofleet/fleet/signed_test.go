package fleet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestSigned: everything that is attached to the image Signed has the types and annotations that
// its signer writes, and its signature is good.
func TestSigned(t *testing.T) {
	f := start(t, Options{})
	for _, name := range []string{"ocimem", "olareg", "ggcr-tags", "distribution-token"} {
		r := find(t, f, name)
		image := resolve(t, f, r, Signed, SignedTag)
		path := "referrers/" + image.Digest.String()
		if name == "ggcr-tags" || name == "distribution-token" {
			path = "manifests/" + referrersTag(image.Digest)
		}
		_, body := get(t, f, r, Signed, path)
		signers := map[string]int{}
		for _, d := range descriptors(body) {
			manifest := readManifest(t, f, r, d.Digest.String())
			switch d.ArtifactType {
			case bundleType:
				signers[manifest.Annotations[bundlePredicate]]++
				checkBundle(t, f, r, manifest, image.Digest)
			case cosignSigType:
				signers["cosign 2"]++
				checkCosignTag(t, f, r, ".sig", manifest, image.Digest)
			case SignatureType:
				signers["notation"]++
				checkNotation(t, f, r, manifest, image.Digest)
			default:
				t.Errorf("%s lists %+v", name, d)
			}
			if manifest.Subject == nil || manifest.Subject.Digest != image.Digest {
				t.Errorf("%s: subject %+v", name, manifest.Subject)
			}
		}
		want := map[string]int{cosignPredicate: 1, spdxPredicate: 1, "notation": 1, "cosign 2": 1}
		if !maps.Equal(signers, want) {
			t.Errorf("%s: attached are %v", name, signers)
		}
		layers := map[string]string{".sig": simpleSigningType, ".att": dsseType, ".sbom": "text/spdx+json"}
		for suffix, layerType := range layers {
			manifest := readManifest(t, f, r, referrersTag(image.Digest)+suffix)
			if manifest.ArtifactType != "" || manifest.Subject != nil ||
				manifest.Config.MediaType != ocispec.MediaTypeImageConfig || manifest.Layers[0].MediaType != layerType {
				t.Errorf("%s: %s is %+v", name, suffix, manifest)
			}
			checkCosignTag(t, f, r, suffix, manifest, image.Digest)
		}
	}
}

func readManifest(t *testing.T, f *Fleet, r Registry, reference string) ocispec.Manifest {
	t.Helper()
	client, err := f.Repository(r, Signed)
	if err != nil {
		t.Fatal(err)
	}
	_, content, err := client.FetchReference(t.Context(), reference)
	if err != nil {
		t.Fatalf("%s: %s: %v", r.Name, reference, err)
	}
	defer content.Close()
	var manifest ocispec.Manifest
	if err := json.NewDecoder(content).Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// layer is the content of a manifest's only layer.
func layer(t *testing.T, f *Fleet, r Registry, manifest ocispec.Manifest) []byte {
	t.Helper()
	if len(manifest.Layers) != 1 {
		t.Fatalf("%s: %d layers", r.Name, len(manifest.Layers))
	}
	client, err := f.Repository(r, Signed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := client.Blobs().Fetch(t.Context(), manifest.Layers[0])
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var all bytes.Buffer
	if _, err := all.ReadFrom(content); err != nil {
		t.Fatal(err)
	}
	return all.Bytes()
}

func checkBundle(t *testing.T, f *Fleet, r Registry, manifest ocispec.Manifest, image digest.Digest) {
	t.Helper()
	if manifest.ArtifactType != bundleType || manifest.Config.MediaType != ocispec.MediaTypeEmptyJSON ||
		manifest.Layers[0].MediaType != bundleType || manifest.Annotations[bundleContent] != "dsse-envelope" {
		t.Errorf("%s: %+v", r.Name, manifest)
	}
	var bundle struct {
		MediaType    string
		DSSEEnvelope json.RawMessage
	}
	if err := json.Unmarshal(layer(t, f, r, manifest), &bundle); err != nil || bundle.MediaType != bundleType {
		t.Errorf("%s: bundle %+v, %v", r.Name, bundle, err)
	}
	checkEnvelope(t, bundle.DSSEEnvelope, image, manifest.Annotations[bundlePredicate])
}

// checkEnvelope verifies a DSSE envelope, and that its statement is about the image.
func checkEnvelope(t *testing.T, encoded []byte, image digest.Digest, predicate string) {
	t.Helper()
	var envelope struct {
		Payload     []byte
		PayloadType string
		Signatures  []struct{ Sig []byte }
	}
	if err := json.Unmarshal(encoded, &envelope); err != nil || len(envelope.Signatures) != 1 {
		t.Fatalf("envelope %s: %v", encoded, err)
	}
	if !good(t, preAuthentication(envelope.Payload), envelope.Signatures[0].Sig) {
		t.Errorf("the signature of %s is not good", encoded)
	}
	var statement struct {
		Subject       []struct{ Digest map[string]string }
		PredicateType string
	}
	if err := json.Unmarshal(envelope.Payload, &statement); err != nil || len(statement.Subject) != 1 ||
		statement.Subject[0].Digest["sha256"] != image.Encoded() || statement.PredicateType != predicate {
		t.Errorf("statement %s: %v, want %s about %s", envelope.Payload, err, predicate, image)
	}
}

func checkCosignTag(t *testing.T, f *Fleet, r Registry, suffix string, manifest ocispec.Manifest, image digest.Digest) {
	t.Helper()
	content, annotations := layer(t, f, r, manifest), manifest.Layers[0].Annotations
	switch suffix {
	case ".sig":
		signature, err := base64.StdEncoding.DecodeString(annotations[cosignSignature])
		if err != nil || !good(t, content, signature) || !strings.Contains(string(content), image.String()) {
			t.Errorf("%s: .sig %s, %v", r.Name, content, err)
		}
	case ".att":
		if signature, there := annotations[cosignSignature]; !there || signature != "" {
			t.Errorf("%s: .att has the annotations %v", r.Name, annotations)
		}
		checkEnvelope(t, content, image, annotations["predicateType"])
	}
}

// checkNotation has notation-go itself verify all signatures of an image, with the fleet's
// certificate as the only trusted one.
func checkNotation(t *testing.T, f *Fleet, r Registry, manifest ocispec.Manifest, image digest.Digest) {
	t.Helper()
	if manifest.ArtifactType != "" || manifest.Config.MediaType != SignatureType ||
		manifest.Layers[0].MediaType != jwsType {
		t.Errorf("%s: %+v", r.Name, manifest)
	}
	judge, err := verifier.New(&trustpolicy.Document{
		Version: "1.0",
		TrustPolicies: []trustpolicy.TrustPolicy{{
			Name:                  "fleet",
			RegistryScopes:        []string{"*"},
			SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict", Override: offline},
			TrustStores:           []string{"ca:fleet"},
			TrustedIdentities:     []string{"*"},
		}},
	}, trusted{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := f.Repository(r, Signed)
	if err != nil {
		t.Fatal(err)
	}
	reference := host(r) + "/" + Signed + "@" + image.String()
	_, outcomes, err := notation.Verify(t.Context(), judge, registry.NewRepository(client), notation.VerifyOptions{
		ArtifactReference:    reference,
		MaxSignatureAttempts: 10,
	})
	if err != nil || len(outcomes) == 0 {
		t.Errorf("%s: notation does not verify %s: %v", r.Name, reference, err)
	}
}

// offline leaves out revocation, which would be requested from the certificate's authority.
var offline = map[trustpolicy.ValidationType]trustpolicy.ValidationAction{
	trustpolicy.TypeRevocation: trustpolicy.ActionSkip,
}

// trusted is a trust store of the fleet's certificate.
type trusted struct{}

// GetCertificates returns the certificate, whatever the store is called.
func (s trusted) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	key, err := signingKey()
	if err != nil {
		return nil, err
	}
	certificate, err := notationCertificate(key)
	return []*x509.Certificate{certificate}, err
}

// good reports whether a signature is that of the fleet's key.
func good(t *testing.T, payload, signature []byte) bool {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(payload)
	return ecdsa.VerifyASN1(&key.PublicKey, hash[:], signature)
}

// TestSignaturesRepeat: two fleets hold the same artifacts, so that the digests of the demo do not
// move.
func TestSignaturesRepeat(t *testing.T) {
	var fleets [2][]Attached
	for i := range fleets {
		fleets[i] = start(t, Options{Without: everyOtherThan("ocimem")}).Attached("ocimem")
	}
	if len(fleets[0]) == 0 || !reflect.DeepEqual(fleets[0], fleets[1]) {
		t.Errorf("two fleets differ:\n%v\n%v", fleets[0], fleets[1])
	}
}

// everyOtherThan lists all everyday registries but one.
func everyOtherThan(name string) []string {
	var out []string
	for _, one := range implementations {
		if one.name != name {
			out = append(out, one.name)
		}
	}
	return out
}
