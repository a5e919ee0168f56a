package probe

import "refmatrix/scanner/registry"

// Registry is one entry of the inventory while its images are probed. It holds what is
// measured once and serves every row.
type Registry struct {
	client *registry.Client
}

// NewRegistry returns the registry that client talks to.
func NewRegistry(client *registry.Client) *Registry {
	return &Registry{client: client}
}

// Client is what the registry's requests go through.
func (g *Registry) Client() *registry.Client { return g.client }
