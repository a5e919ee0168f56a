package fleet

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
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

// dsseEnvelope is a signed in-toto statement about an image (DSSE v1: what is signed is the
// pre-authentication encoding).
func dsseEnvelope(image digest.Digest, predicate string) ([]byte, error) {
	payload, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"digest": map[string]string{"sha256": image.Encoded()}}},
		"predicateType": predicate,
		"predicate":     map[string]any{},
	})
	if err != nil {
		return nil, err
	}
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

// sigstoreBundle is a bundle of Sigstore, v0.3, that a key of one's own signed: it has no
// certificate and no log entry.
func sigstoreBundle(image digest.Digest, predicate string) ([]byte, error) {
	envelope, err := dsseEnvelope(image, predicate)
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

// notationEnvelope is a signature of notation in JWS (notaryproject, "JWS Signature Envelope"), and
// the SHA-256 of the certificate it was made with.
func notationEnvelope(image ocispec.Descriptor) (envelope []byte, thumbprint string, err error) {
	key, err := signingKey()
	if err != nil {
		return nil, "", err
	}
	certificate, err := notationCertificate(key)
	if err != nil {
		return nil, "", err
	}
	protected := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","crit":["io.cncf.notary.signingScheme"],` +
		`"cty":"application/vnd.cncf.notary.payload.v1+json","io.cncf.notary.signingScheme":"notary.x509",` +
		`"io.cncf.notary.signingTime":"` + created + `"}`))
	target, err := json.Marshal(map[string]any{"targetArtifact": ocispec.Descriptor{
		MediaType: image.MediaType,
		Digest:    image.Digest,
		Size:      image.Size,
	}})
	if err != nil {
		return nil, "", err
	}
	payload := base64.RawURLEncoding.EncodeToString(target)
	hash := sha256.Sum256([]byte(protected + "." + payload))
	encoded, err := key.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return nil, "", err
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(encoded, &numbers); err != nil {
		return nil, "", err
	}
	// JWS wants the two numbers in 32 bytes each (RFC 7518, section 3.4).
	signature := append(numbers.R.FillBytes(make([]byte, 32)), numbers.S.FillBytes(make([]byte, 32))...)
	envelope, err = json.Marshal(map[string]any{
		"payload":   payload,
		"protected": protected,
		"header":    map[string]any{"x5c": [][]byte{certificate}, "io.cncf.notary.signingAgent": "notation-go/1.3.2"},
		"signature": base64.RawURLEncoding.EncodeToString(signature),
	})
	sum := sha256.Sum256(certificate)
	return envelope, hex.EncodeToString(sum[:]), err
}

// notationCertificate is a self-signed certificate, the same in every run.
func notationCertificate(key *ecdsa.PrivateKey) ([]byte, error) {
	begin, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "demofleet", Organization: []string{"demofleet"}, Country: []string{"DE"}},
		NotBefore:    begin,
		NotAfter:     begin.AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	return x509.CreateCertificate(nil, template, template, key.Public(), key)
}
