package fleet

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Linked has an SBOM and a signature of notation attached, Bare has nothing, and Signed has all
// that signers leave.
const (
	Linked    = "library/alpine"
	LinkedTag = "latest"
	Bare      = "team/app"
	BareTag   = "1.0"
	Signed    = "team/signed"
	SignedTag = "1.0"
)

// The artifact types of what is attached to Linked.
const (
	SBOMType      = "application/spdx+json"
	SignatureType = "application/vnd.cncf.notary.signature"
)

// created is fixed, so that every run gives the same digests.
const created = "2026-01-01T00:00:00Z"

// sbom is the document that is attached to Linked.
const sbom = `{"spdxVersion":"SPDX-2.3","name":"alpine"}`

// fillers is how many registries are filled at once.
const fillers = 4

// seed fills every live registry and forgets the requests it made.
func (f *Fleet) seed(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fillers)
	for _, r := range f.registries {
		if r.Down || r.Image != "" {
			continue
		}
		fill := r.fill
		if fill == nil {
			fill = fillUsual
		}
		group.Go(func() error {
			if err := fill(ctx, f, r); err != nil {
				return fmt.Errorf("seed %s: %w", r.Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	f.ClearRequests()
	return nil
}

// fillImages pushes the images Linked and Bare, and returns the first with its repository.
func (f *Fleet) fillImages(ctx context.Context, r Registry) (*remote.Repository, ocispec.Descriptor, error) {
	bare, err := f.repository(r, Bare)
	if err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	if _, err := pushImage(ctx, bare, "app", BareTag); err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	linked, err := f.repository(r, Linked)
	if err != nil {
		return nil, ocispec.Descriptor{}, err
	}
	image, err := pushImage(ctx, linked, "alpine", LinkedTag)
	return linked, image, err
}

// fillUsual pushes the images Linked, Bare, Signed and Platforms, and what is attached to them.
func fillUsual(ctx context.Context, f *Fleet, r Registry) error {
	linked, image, err := f.fillImages(ctx, r)
	if err != nil {
		return err
	}
	if err := Attach(ctx, linked, image, SBOMType, sbom); err != nil {
		return err
	}
	if _, err := attachNotation(ctx, linked, image); err != nil {
		return err
	}
	if r.Name == "ggcr-tags" {
		if err := pushAll(ctx, orasClient{linked}, image, cosignSig(Linked), cosignAtt(Linked, slsaPredicate)); err != nil {
			return err
		}
	}
	signed, err := f.repository(r, Signed)
	if err != nil {
		return err
	}
	if err := pushSigned(ctx, signed); err != nil {
		return err
	}
	return fillPlatforms(ctx, f, r)
}

// Repository returns oras-go's client for a repository of r, signed in and
// trusting the fleet's authority.
func (f *Fleet) Repository(r Registry, name string) (*remote.Repository, error) {
	return repository(r, name, f.transport)
}

// repository is Repository for the fleet's content, which goes past a front that would refuse it.
func (f *Fleet) repository(r Registry, name string) (*remote.Repository, error) {
	return repository(r, name, f.contentTransport(r))
}

func repository(r Registry, name string, transport http.RoundTripper) (*remote.Repository, error) {
	repository, err := remote.NewRepository(host(r) + "/" + name)
	if err != nil {
		return nil, err
	}
	repository.PlainHTTP = !r.TLS
	client := &auth.Client{Client: &http.Client{Transport: transport}, Cache: auth.NewCache()}
	if r.Username != "" {
		client.Credential = auth.StaticCredential(host(r), auth.Credential{Username: r.Username, Password: r.Password})
	}
	repository.Client = client
	return repository, nil
}

// pushImage pushes an image of one layer under tag.
func pushImage(ctx context.Context, to *remote.Repository, name, tag string) (ocispec.Descriptor, error) {
	layer, err := pushBlob(ctx, to, ocispec.MediaTypeImageLayer, []byte("the layer of "+name))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	config, err := pushBlob(ctx, to, ocispec.MediaTypeImageConfig,
		fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","created":%q,"rootfs":{"type":"layers","diff_ids":[%q]}}`, created, layer.Digest))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	image, err := oras.PackManifest(ctx, to, oras.PackManifestVersion1_1, "", oras.PackManifestOptions{
		ConfigDescriptor: &config, Layers: []ocispec.Descriptor{layer},
		ManifestAnnotations: map[string]string{ocispec.AnnotationCreated: created, ocispec.AnnotationTitle: name},
	})
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("push image %s: %w", name, err)
	}
	return image, to.Tag(ctx, image, tag)
}

// Attach pushes an artifact whose subject is image; oras-go itself decides
// between the referrers API and the tag schema.
func Attach(ctx context.Context, to *remote.Repository, image ocispec.Descriptor, artifactType, content string) error {
	return attach(ctx, to, image, artifactType, map[string]string{ocispec.AnnotationCreated: created}, content)
}

func attach(
	ctx context.Context, to *remote.Repository, image ocispec.Descriptor, artifactType string, annotations map[string]string,
	content string,
) error {
	blob, err := pushBlob(ctx, to, "application/json", []byte(content))
	if err != nil {
		return err
	}
	if _, err := oras.PackManifest(ctx, to, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Subject:             &image,
		Layers:              []ocispec.Descriptor{blob},
		ManifestAnnotations: annotations,
	}); err != nil {
		return fmt.Errorf("attach %s: %w", artifactType, err)
	}
	return nil
}

func pushBlob(ctx context.Context, to *remote.Repository, mediaType string, content []byte) (ocispec.Descriptor, error) {
	blob := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	there, err := to.Blobs().Exists(ctx, blob)
	if err != nil || there {
		return blob, err
	}
	return blob, to.Blobs().Push(ctx, blob, bytes.NewReader(content))
}
