package fleet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"testing"

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
		if want := map[string]int{cosignPredicate: 1, spdxPredicate: 1, "notation": 1}; !maps.Equal(signers, want) {
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

func checkNotation(t *testing.T, f *Fleet, r Registry, manifest ocispec.Manifest, image digest.Digest) {
	t.Helper()
	if manifest.ArtifactType != "" || manifest.Config.MediaType != SignatureType ||
		manifest.Layers[0].MediaType != jwsType {
		t.Errorf("%s: %+v", r.Name, manifest)
	}
	var envelope struct {
		Payload, Protected, Signature string
		Header                        struct{ X5C [][]byte }
	}
	if err := json.Unmarshal(layer(t, f, r, manifest), &envelope); err != nil || len(envelope.Header.X5C) != 1 {
		t.Fatalf("%s: %+v, %v", r.Name, envelope, err)
	}
	certificate, err := x509.ParseCertificate(envelope.Header.X5C[0])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(certificate.Raw)
	if got, want := manifest.Annotations[thumbprints], `["`+hex.EncodeToString(sum[:])+`"]`; got != want {
		t.Errorf("%s: thumbprints %s, want %s", r.Name, got, want)
	}
	signature, err := base64.RawURLEncoding.DecodeString(envelope.Signature)
	if err != nil || len(signature) != 64 {
		t.Fatalf("%s: signature of %d bytes, %v", r.Name, len(signature), err)
	}
	hash := sha256.Sum256([]byte(envelope.Protected + "." + envelope.Payload))
	key := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ecdsa.Verify(key, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Errorf("%s: the signature of notation is not good", r.Name)
	}
	payload, err := base64.RawURLEncoding.DecodeString(envelope.Payload)
	if err != nil || !strings.Contains(string(payload), image.String()) {
		t.Errorf("%s: payload %s, %v", r.Name, payload, err)
	}
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

// TestSignaturesRepeat: two runs sign the same bytes, so that the digests of the demo do not move.
func TestSignaturesRepeat(t *testing.T) {
	image := ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageManifest,
		Digest:    digest.FromString("image"),
		Size:      5,
	}
	var bundles, envelopes [2][]byte
	for i := range 2 {
		var err error
		if bundles[i], err = sigstoreBundle(image.Digest, cosignPredicate); err != nil {
			t.Fatal(err)
		}
		if envelopes[i], _, err = notationEnvelope(image); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(bundles[0], bundles[1]) || !bytes.Equal(envelopes[0], envelopes[1]) {
		t.Error("two signatures of the same image differ")
	}
}
