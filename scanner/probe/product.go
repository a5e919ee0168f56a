package probe

import (
	"context"
	"net/http"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// evidenceOf returns what the registry has shown of itself so far.
func evidenceOf(r *row) verdict.Evidence {
	e := verdict.Evidence{
		Host:    r.entry().URL.Hostname(),
		Headers: r.session.Header(),
	}
	for _, value := range r.session.Challenge().Values("Www-Authenticate") {
		if bearer, ok := registry.ParseBearer(value); ok {
			e.Realm, e.Service = bearer["realm"], bearer["service"]
		}
	}
	return e
}

// identify names the product from headers, challenge and host, and from the
// answer of its own endpoint if that was requested.
func identify(r *row, endpoint map[string]verdict.Body) {
	e := evidenceOf(r)
	e.Endpoint = endpoint
	r.seen.Product = verdict.Identify(e)
}

// probeProduct requests the one endpoint that shows a product's version, if the
// headers point at a product that has one.
func probeProduct(ctx context.Context, r *row) error {
	path := verdict.VersionEndpoint(evidenceOf(r))
	if path == "" {
		return nil
	}
	target := *r.entry().URL
	target.Path = path
	resp, err := r.session.Do(ctx, registry.Request{
		Step:          stepProduct,
		Method:        http.MethodGet,
		URL:           &target,
		Header:        accept("application/json"),
		Scope:         pull(r.image.Repository),
		UnsignedFirst: true, // Gitea's refuses a registry token, and is open to everybody
	})
	if err != nil || resp.Fault != nil {
		return err
	}
	identify(r, map[string]verdict.Body{path: {Status: resp.Status, JSON: resp.Bytes}})
	return nil
}
