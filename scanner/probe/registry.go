package probe

import (
	"sync"
	"sync/atomic"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// Registry is one entry of the inventory while its images are probed. It holds what is
// measured once and serves every row.
type Registry struct {
	client  *registry.Client
	begun   atomic.Bool              // an image was begun
	version *registry.Once[struct{}] // the request of the product's version
	absent  *registry.Once[absentSubject]
	push    *registry.Once[*matrix.Push] // its answer is shared and not changed
	images  map[string]int               // of each repository

	mu           sync.Mutex
	repositories map[string]*repository // with an image that is not done
}

// NewRegistry returns the registry that client talks to.
func NewRegistry(client *registry.Client) *Registry {
	images := map[string]int{}
	for _, image := range client.Entry().Images {
		images[image.Repository]++
	}
	return &Registry{
		client:  client,
		version: registry.NewOnce[struct{}](maxVersionRequests),
		absent:  registry.NewOnce[absentSubject](maxAbsent),
		push:    registry.NewOnce[*matrix.Push](1),
		images:  images,

		repositories: map[string]*repository{},
	}
}

// Client is what the registry's requests go through.
func (g *Registry) Client() *registry.Client { return g.client }

// Product is what the registry has shown of its software so far, to whichever row; nil if
// that is nothing.
func (g *Registry) Product() *matrix.Product {
	return verdict.ShowProduct(verdict.Identify(g.client.Evidence()), g.client.Clean)
}
