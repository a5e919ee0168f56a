package probe

import (
	"context"
	"net/http"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// evidence gathers what the registry has shown of itself so far.
func (s *subject) evidence() verdict.Evidence {
	e := verdict.Evidence{Host: client(s).URL.Hostname(), Headers: http.Header{}, NotFound: s.notFound}
	for _, header := range s.session.Headers() {
		for name, values := range header {
			if _, ok := e.Headers[name]; ok {
				continue
			}
			clean := make([]string, len(values))
			for i, value := range values {
				clean[i] = s.client.Clean(value)
			}
			e.Headers[name] = clean
		}
	}
	for _, value := range s.session.Challenge().Values("Www-Authenticate") {
		if bearer, ok := registry.ParseBearer(value); ok {
			e.Realm, e.Service = s.client.Clean(bearer["realm"]), s.client.Clean(bearer["service"])
		}
	}
	return e
}

// identify names the product from headers, challenge and host, and from the
// answer of its well-known endpoint where that was asked.
func identify(s *subject, endpoint map[string]verdict.Body) {
	e := s.evidence()
	e.Endpoint = endpoint
	s.seen.Product = verdict.Identify(e)
}

// askProduct asks the one endpoint that tells a product's version, where the
// headers point at a product that has one.
func askProduct(ctx context.Context, s *subject) error {
	path := verdict.VersionEndpoint(s.evidence())
	if path == "" {
		return nil
	}
	target := *client(s).URL
	target.Path = path
	resp, err := s.session.Do(ctx, registry.Request{
		Step: "product", Method: http.MethodGet, URL: &target, Header: accept("application/json"), Scope: pull(s.image.Repository),
	})
	if err != nil || resp.Fault != nil {
		return err
	}
	identify(s, map[string]verdict.Body{path: {Status: resp.Status, JSON: resp.Bytes}})
	return nil
}
