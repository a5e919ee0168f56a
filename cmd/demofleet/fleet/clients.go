package fleet

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	ggcrremote "github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/regclient/regclient"
	"github.com/regclient/regclient/config"
	"github.com/regclient/regclient/scheme/reg"
	"github.com/regclient/regclient/types/descriptor"
	"github.com/regclient/regclient/types/manifest"
	"github.com/regclient/regclient/types/ref"
	"oras.land/oras-go/v2/registry/remote"
)

// pusher pushes to one repository with one of the libraries that signers are built with. Whether
// it writes the referrers tag of a manifest that has a subject is the library's own decision.
type pusher interface {
	pushBlob(ctx context.Context, b blob) error
	// pushManifest pushes by digest if tag is empty.
	pushManifest(ctx context.Context, b blob, tag string) error
}

// orasClient is oras-go, the library of oras and notation.
type orasClient struct{ *remote.Repository }

func (c orasClient) pushBlob(ctx context.Context, b blob) error {
	_, err := pushBlob(ctx, c.Repository, b.mediaType, b.content)
	return err
}

func (c orasClient) pushManifest(ctx context.Context, b blob, tag string) error {
	if tag == "" {
		return c.Push(ctx, b.descriptor(), bytes.NewReader(b.content))
	}
	return c.PushReference(ctx, b.descriptor(), bytes.NewReader(b.content), tag)
}

// ggcrClient is go-containerregistry, the library of cosign and crane.
type ggcrClient struct {
	repository name.Repository
	pusher     *ggcrremote.Pusher
}

// ggcrClient returns a client for a repository of r, past a front that would refuse the content.
func (f *Fleet) ggcrClient(r Registry, repository string) (ggcrClient, error) {
	at, err := name.NewRepository(host(r) + "/" + repository)
	if err != nil {
		return ggcrClient{}, err
	}
	transport := f.contentTransport(r)
	if !r.TLS {
		transport = plainHTTP{transport}
	}
	options := []ggcrremote.Option{ggcrremote.WithTransport(transport)}
	if r.Username != "" {
		options = append(options, ggcrremote.WithAuth(&authn.Basic{Username: r.Username, Password: r.Password}))
	}
	to, err := ggcrremote.NewPusher(options...)
	return ggcrClient{repository: at, pusher: to}, err
}

// plainHTTP sends over http what is for https: go-containerregistry tries https first also on
// loopback, and repeats that for seconds.
type plainHTTP struct{ next http.RoundTripper }

// RoundTrip returns the answer of the server that does not speak TLS.
func (p plainHTTP) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.Clone(r.Context())
	plain.URL.Scheme = "http"
	return p.next.RoundTrip(plain)
}

func (c ggcrClient) pushBlob(ctx context.Context, b blob) error {
	return c.pusher.Upload(ctx, c.repository, static.NewLayer(b.content, types.MediaType(b.mediaType)))
}

func (c ggcrClient) pushManifest(ctx context.Context, b blob, tag string) error {
	to := name.Reference(c.repository.Digest(b.descriptor().Digest.String()))
	if tag != "" {
		to = c.repository.Tag(tag)
	}
	return c.pusher.Push(ctx, to, rawManifest(b))
}

// rawManifest is a manifest for go-containerregistry.
type rawManifest blob

// RawManifest returns the bytes.
func (m rawManifest) RawManifest() ([]byte, error) { return m.content, nil }

// MediaType returns the media type that the manifest is pushed under.
func (m rawManifest) MediaType() (types.MediaType, error) { return types.MediaType(m.mediaType), nil }

// regClient is regclient, the library of regctl.
type regClient struct {
	client     *regclient.RegClient
	repository ref.Ref
}

// regClient returns a client for a repository of r, past a front that would refuse the content.
func (f *Fleet) regClient(r Registry, repository string) (regClient, error) {
	at, err := ref.New(host(r) + "/" + repository)
	if err != nil {
		return regClient{}, err
	}
	settings := config.Host{Name: host(r), User: r.Username, Pass: r.Password, TLS: config.TLSDisabled}
	if r.TLS {
		settings.TLS, settings.RegCert = config.TLSEnabled, string(f.CA())
	}
	return regClient{
		client: regclient.New(
			regclient.WithSlog(slog.New(slog.NewTextHandler(io.Discard, nil))),
			regclient.WithConfigHost(settings),
			regclient.WithRegOpts(
				reg.WithHTTPClient(&http.Client{Transport: f.contentTransport(r)}),
				reg.WithDelay(time.Millisecond, time.Second),
			),
		),
		repository: at,
	}, nil
}

func (c regClient) pushBlob(ctx context.Context, b blob) error {
	d := b.descriptor()
	_, err := c.client.BlobPut(ctx, c.repository, descriptor.Descriptor{Digest: d.Digest, Size: d.Size}, bytes.NewReader(b.content))
	return err
}

func (c regClient) pushManifest(ctx context.Context, b blob, tag string) error {
	made, err := manifest.New(manifest.WithRaw(b.content), manifest.WithDesc(descriptor.Descriptor{MediaType: b.mediaType}))
	if err != nil {
		return err
	}
	to := c.repository.SetDigest(b.descriptor().Digest.String())
	if tag != "" {
		to = c.repository.SetTag(tag)
	}
	return c.client.ManifestPut(ctx, to, made)
}

// contentTransport goes past a front that would refuse the content.
func (f *Fleet) contentTransport(r Registry) http.RoundTripper {
	if content, ok := f.contents[r.Name]; ok {
		return inProcess{content}
	}
	return f.transport
}

// host is where a registry listens.
func host(r Registry) string { return r.URL[strings.Index(r.URL, "://")+3:] }
