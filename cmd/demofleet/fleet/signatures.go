package fleet

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// inTotoType is the payload type of attestations (in-toto, "DSSE envelope").
const inTotoType = "application/vnd.in-toto+json"

// signingKey is the same in every run, so that digests are. It signs nothing outside the fleet.
func signingKey() (*ecdsa.PrivateKey, error) {
	scalar := sha256.Sum256([]byte("the key of the demo fleet"))
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
}

// sign returns the signature of a payload as cosign writes it: ECDSA with SHA-256, ASN.1, base64.
// Without a source of randomness it is deterministic (RFC 6979).
func sign(payload []byte) (string, error) {
	key, err := signingKey()
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(payload)
	signature, err := key.Sign(nil, hash[:], crypto.SHA256)
	return base64.StdEncoding.EncodeToString(signature), err
}

// simpleSigning is the payload of a signature of cosign 2 (containers/image, "Simple signing").
func simpleSigning(repository string, image digest.Digest) ([]byte, error) {
	return json.Marshal(map[string]any{
		"critical": map[string]any{
			"identity": map[string]string{"docker-reference": repository},
			"image":    map[string]string{"docker-manifest-digest": image.String()},
			"type":     "cosign container image signature",
		},
		"optional": nil,
	})
}

// predicates are the contents of statements that are not empty, by predicate type.
var predicates = map[string]string{spdxPredicate: sbom}

// signatureStatement is the in-toto statement that a signature of cosign 3 signs.
func signatureStatement(image digest.Digest) ([]byte, error) {
	return json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1",
		"subject": []any{map[string]any{
			"digest":      map[string]string{"sha256": image.Encoded()},
			"annotations": map[string]string{},
		}},
		"predicateType": cosignPredicate,
		"predicate":     map[string]any{},
	})
}

// attestation is the in-toto statement that cosign attest signs, of a predicate type other than that
// of signatures.
func attestation(repository string, image digest.Digest, predicate string) ([]byte, error) {
	content := predicates[predicate]
	if content == "" {
		content = "{}"
	}
	return json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1",
		"subject": []any{map[string]any{
			"name":   repository,
			"digest": map[string]string{"sha256": image.Encoded()},
		}},
		"predicateType": predicate,
		"predicate":     json.RawMessage(content),
	})
}

// dsseEnvelope signs a statement (DSSE v1: what is signed is the pre-authentication encoding).
func dsseEnvelope(payload []byte) ([]byte, error) {
	signature, err := sign(preAuthentication(payload))
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"payload":     payload, // a []byte is base64 in JSON, as DSSE requires
		"payloadType": inTotoType,
		"signatures":  []any{map[string]string{"sig": signature}},
	})
}

// preAuthentication is the encoding that DSSE v1 signs.
func preAuthentication(payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(inTotoType), inTotoType, len(payload), payload)
}

// sigstoreBundle is a bundle of Sigstore, v0.3, of a statement that a key of one's own signed: it
// has no certificate and no log entry.
func sigstoreBundle(payload []byte) ([]byte, error) {
	envelope, err := dsseEnvelope(payload)
	if err != nil {
		return nil, err
	}
	key, err := signingKey()
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	hint := sha256.Sum256(public)
	return json.Marshal(map[string]any{
		"mediaType":            bundleType,
		"verificationMaterial": map[string]any{"publicKey": map[string]any{"hint": hint[:]}},
		"dsseEnvelope":         json.RawMessage(envelope),
	})
}
