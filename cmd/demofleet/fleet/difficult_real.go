package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"cuelabs.dev/go/oci/ociregistry/ocifilter"
	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/olareg/olareg/config"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// upstream is the registry of the fleet that the pull-through proxy is in front of.
const upstream = "distribution-anonymous"

const (
	// pageLimit is the size in bytes of a page of olareg-pages: two descriptors fit.
	pageLimit = 1000
	// rateLimit is how many requests in a second olareg-rate-limit answers.
	rateLimit = 10
	// graceOfGC is how long olareg-gc keeps what nothing refers to. A push takes milliseconds from
	// blob to manifest.
	graceOfGC = 500 * time.Millisecond
)

// realRegistries are released implementations in settings that clients stumble over.
var realRegistries = []difficultRegistry{
	{
		name:   "ociserver-no-api",
		kind:   "ociregistry",
		about:  "404 JSON to GET referrers, but OCI-Subject on PUT: clients write no tag, what is pushed is lost",
		source: "ociserver.Options.DisableReferrersAPI",
		serve: func(*Fleet, *Registry) (server, error) {
			return server{handler: ociserver.New(ocimem.New(), &ociserver.Options{DisableReferrersAPI: true})}, nil
		},
	},
	{
		name:   "ociclient-proxy",
		kind:   "ociregistry",
		about:  "lists what the referrers tag lists, but sends OCI-Subject: clients write no tag, what is pushed is lost",
		source: "ociclient.Referrers reads the tag schema, and nothing writes it",
		serve:  serveOverDistribution,
	},
	{
		name:   "ocifilter-read-only",
		kind:   "ociregistry",
		about:  "reads well, and refuses every POST and PUT with 400 UNSUPPORTED",
		source: "ocifilter.ReadOnly",
		serve: func(*Fleet, *Registry) (server, error) {
			backend := ocimem.New()
			return server{
				handler: ociserver.New(ocifilter.ReadOnly(backend), nil),
				content: ociserver.New(backend, nil),
			}, nil
		},
	},
	{
		name:   "ocifilter-immutable",
		kind:   "ociregistry",
		about:  "no API, no tag is ever moved: the first attach goes, the second is 403",
		source: "ocifilter.Immutable; OCI-Subject is left out, as registries without the API do",
		serve: func(*Fleet, *Registry) (server, error) {
			return immutable(ocifilter.Immutable(ocimem.New())), nil
		},
		fill: fillOneReferrer,
	},
	{
		name:   "ocimem-immutable",
		kind:   "ociregistry",
		about:  "as ocifilter-immutable, with the refusal of another implementation",
		source: "ocimem.Config.ImmutableTags; OCI-Subject is left out, as registries without the API do",
		serve: func(*Fleet, *Registry) (server, error) {
			return immutable(ocimem.NewWithConfig(&ocimem.Config{ImmutableTags: true})), nil
		},
		fill: fillOneReferrer,
	},
	{
		name:   "distribution-proxy",
		kind:   "CNCF Distribution",
		about:  "a pull-through proxy of " + upstream + ": passes the referrers tag, refuses PUT with 405",
		source: "distribution, configuration proxy.remoteurl",
		serve:  servePullThrough,
		fill:   func(context.Context, *Fleet, Registry) error { return nil }, // its upstream has the content
	},
	{
		name:   "olareg-no-api",
		kind:   "olareg",
		about:  "GET referrers is an empty 404 without a Content-Type",
		source: "olareg 0.1.2, API.Referrer.Enabled false",
		serve:  olaregWith(func(c *config.Config) { c.API.Referrer.Enabled = new(bool) }),
	},
	{
		name:   "olareg-no-delete",
		kind:   "olareg",
		about:  "DELETE is 405: what a probe pushes stays",
		source: "olareg 0.1.2, API.DeleteEnabled false",
		serve:  olaregWith(func(c *config.Config) { c.API.DeleteEnabled = new(bool) }),
	},
	{
		name:   "olareg-read-only",
		kind:   "olareg",
		about:  "reads well, and refuses every write with 403 DENIED",
		source: "olareg 0.1.2, Storage.ReadOnly",
		serve:  serveReadOnly,
	},
	{
		name:   "olareg-gc",
		kind:   "olareg",
		about:  "garbage collection removes the referrers of a deleted subject within moments",
		source: "olareg 0.1.2, Storage.GC",
		serve: olaregWith(func(c *config.Config) {
			c.Storage.GC = config.ConfigGC{Frequency: graceOfGC / 10, GracePeriod: graceOfGC}
		}),
		fill: fillAgain,
	},
	{
		name:   "olareg-pages",
		kind:   "olareg",
		about:  "a list of referrers in pages, linked by rel=next without quotes",
		source: "olareg 0.1.2, API.Referrer.Limit",
		serve:  olaregWith(func(c *config.Config) { c.API.Referrer.Limit = pageLimit }),
		fill:   fillMany(4, 0),
	},
	{
		name:   "olareg-rate-limit",
		kind:   "olareg",
		about:  "429 with Retry-After: 1 once a second has seen " + strconv.Itoa(rateLimit) + " requests",
		source: "olareg 0.1.2, API.RateLimit",
		serve:  serveRateLimit,
	},
	{
		name:   "ocimem-large",
		kind:   "ociregistry",
		about:  "an index of referrers over 4 MiB: oras ends with an error, containerd finds nothing",
		source: "ocimem lists annotations whole; distribution-spec, 4 MiB as the least a registry must accept",
		serve: func(*Fleet, *Registry) (server, error) {
			return server{handler: withAPI()}, nil
		},
		fill: fillMany(9, 512<<10),
	},
}

func serveOverDistribution(f *Fleet, _ *Registry) (server, error) {
	below := f.distribution(distributionInMemory())
	client, err := ociclient.New("distribution.invalid", &ociclient.Options{Transport: inProcess{below}, Insecure: true})
	if err != nil {
		return server{}, err
	}
	return server{handler: ociserver.New(client, nil), content: below}, nil
}

// immutable is a registry without the referrers API over a backend that moves no tag.
func immutable(backend ociregistry.Interface) server {
	next := ociserver.New(backend, &ociserver.Options{DisableReferrersAPI: true})
	return server{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(withoutHeader{w, "OCI-Subject"}, r)
	})}
}

// withoutHeader drops one header of an answer.
type withoutHeader struct {
	http.ResponseWriter
	name string
}

// WriteHeader sends the status and the headers that are left.
func (w withoutHeader) WriteHeader(status int) {
	w.Header().Del(w.name)
	w.ResponseWriter.WriteHeader(status)
}

func servePullThrough(f *Fleet, _ *Registry) (server, error) {
	from, ok := f.Find(upstream)
	if !ok || from.Down {
		return server{}, fmt.Errorf("%s, its upstream, is stopped or left out: leave the proxy out too", upstream)
	}
	c := distributionInMemory()
	c.Proxy.RemoteURL = from.URL
	f.closers = append(f.closers, func() error {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections() // the proxy's own, to its upstream
		return nil
	})
	return server{handler: f.distribution(c)}, nil
}

func olaregWith(change func(*config.Config)) func(*Fleet, *Registry) (server, error) {
	return func(f *Fleet, _ *Registry) (server, error) {
		c := olaregInMemory()
		change(&c)
		return server{handler: f.olareg(c)}, nil
	}
}

// serveReadOnly reads the folder that a second olareg writes to.
func serveReadOnly(f *Fleet, _ *Registry) (server, error) {
	dir, err := os.MkdirTemp(f.dir, "olareg")
	if err != nil {
		return server{}, err
	}
	c := olaregInMemory()
	c.Storage.StoreType, c.Storage.RootDir = config.StoreDir, dir
	content := f.olareg(c)
	yes := true
	c.Storage.ReadOnly = &yes
	handler := f.olareg(c)
	// After both, because they write their indexes when they are closed.
	f.closers = append(f.closers, func() error { return os.RemoveAll(dir) })
	return server{handler: handler, content: content}, nil
}

// serveRateLimit counts the requests of each client; those that push the content are each from one
// of its own.
func serveRateLimit(f *Fleet, _ *Registry) (server, error) {
	c := olaregInMemory()
	c.API.RateLimit = rateLimit
	limited := f.olareg(c)
	var clients atomic.Int64
	return server{handler: limited, content: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Forwarded-For", "client-"+strconv.FormatInt(clients.Add(1), 10))
		limited.ServeHTTP(w, r)
	})}, nil
}

// fillOneReferrer attaches one artifact: a second one would be refused.
func fillOneReferrer(ctx context.Context, f *Fleet, r Registry) error {
	linked, image, err := f.fillImages(ctx, r)
	if err != nil {
		return err
	}
	return Attach(ctx, linked, image, SBOMType, sbom)
}

// fillMany attaches n artifacts more than usual, each with an annotation of size bytes.
func fillMany(n, size int) func(context.Context, *Fleet, Registry) error {
	return func(ctx context.Context, f *Fleet, r Registry) error {
		if err := fillUsual(ctx, f, r); err != nil {
			return err
		}
		linked, err := f.repository(r, Linked)
		if err != nil {
			return err
		}
		image, err := linked.Resolve(ctx, LinkedTag)
		if err != nil {
			return err
		}
		for i := range n {
			annotations := map[string]string{
				ocispec.AnnotationCreated: created,
				"org.example.part":        strconv.Itoa(i),
			}
			if size > 0 {
				annotations["org.example.padding"] = strings.Repeat("x", size)
			}
			if err := attach(ctx, linked, image, "application/vnd.example.part.v1", annotations, "part"); err != nil {
				return err
			}
		}
		return nil
	}
}

// fillAgain repeats a push that the garbage collection came between.
func fillAgain(ctx context.Context, f *Fleet, r Registry) error {
	const attempts = 5
	var errs []error
	for range attempts {
		err := fillUsual(ctx, f, r)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
