package fleet

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"time"

	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"
)

// attachNotation attaches a signature that notation-go makes and pushes, and returns the digest of
// its manifest.
func attachNotation(ctx context.Context, to *remote.Repository, image ocispec.Descriptor) (digest.Digest, error) {
	recorded := &recordedSignature{Repository: registry.NewRepository(to)}
	_, err := notation.Sign(ctx, notationSigner{}, recorded, notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: jws.MediaTypeEnvelope},
		ArtifactReference: image.Digest.String(),
	})
	return recorded.manifest, err
}

// recordedSignature keeps the digest of the signature's manifest, which notation.Sign does not
// return.
type recordedSignature struct {
	registry.Repository
	manifest digest.Digest
}

// PushSignature pushes and keeps the digest.
func (r *recordedSignature) PushSignature(
	ctx context.Context, mediaType string, envelope []byte, subject ocispec.Descriptor, annotations map[string]string,
) (envelopeDescriptor, manifestDescriptor ocispec.Descriptor, err error) {
	envelopeDescriptor, manifestDescriptor, err = r.Repository.PushSignature(ctx, mediaType, envelope, subject, annotations)
	r.manifest = manifestDescriptor.Digest
	return envelopeDescriptor, manifestDescriptor, err
}

// notationSigner signs as notation-go's own signer with a local key does, but at a fixed time and
// without randomness, so that every run makes the same digests.
type notationSigner struct{}

// Sign returns the envelope of a signature of an image, and what it says of its signer.
func (notationSigner) Sign(
	_ context.Context, image ocispec.Descriptor, options notation.SignerSignOptions,
) ([]byte, *signature.SignerInfo, error) {
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		return nil, nil, err
	}
	payload, err := json.Marshal(map[string]any{"targetArtifact": ocispec.Descriptor{
		MediaType:   image.MediaType,
		Digest:      image.Digest,
		Size:        image.Size,
		Annotations: image.Annotations,
	}})
	if err != nil {
		return nil, nil, err
	}
	envelope, err := signature.NewEnvelope(options.SignatureMediaType)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := envelope.Sign(&signature.SignRequest{
		Payload: signature.Payload{
			ContentType: "application/vnd.cncf.notary.payload.v1+json",
			Content:     payload,
		},
		Signer:        fixedKey{},
		SigningTime:   at,
		SigningScheme: signature.SigningSchemeX509,
		SigningAgent:  "notation-go/1.3.2",
	})
	if err != nil {
		return nil, nil, err
	}
	verified, err := envelope.Verify()
	if err != nil {
		return nil, nil, err
	}
	return encoded, &verified.SignerInfo, nil
}

// fixedKey is the fleet's key for notation-core-go.
type fixedKey struct{}

// KeySpec is that of signingKey.
func (fixedKey) KeySpec() (signature.KeySpec, error) {
	return signature.KeySpec{Type: signature.KeyTypeEC, Size: 256}, nil
}

// Sign returns the two numbers of the signature in 32 bytes each (RFC 7518, section 3.4), and the
// certificate of the key.
func (fixedKey) Sign(payload []byte) ([]byte, []*x509.Certificate, error) {
	key, err := signingKey()
	if err != nil {
		return nil, nil, err
	}
	hash := sha256.Sum256(payload)
	encoded, err := key.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return nil, nil, err
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(encoded, &numbers); err != nil {
		return nil, nil, err
	}
	certificate, err := notationCertificate(key)
	raw := append(numbers.R.FillBytes(make([]byte, 32)), numbers.S.FillBytes(make([]byte, 32))...)
	return raw, []*x509.Certificate{certificate}, err
}

// notationCertificate is a self-signed certificate, the same in every run.
func notationCertificate(key *ecdsa.PrivateKey) (*x509.Certificate, error) {
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
	encoded, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(encoded)
}
