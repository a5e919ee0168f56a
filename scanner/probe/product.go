package probe

import (
	"context"
	"net/http"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxVersionRequests bounds how often the endpoint that has a product's version is tried if
// it is not answered.
const maxVersionRequests = 2

// probeProduct requests the one endpoint that has a product's version, once for all rows,
// if what the registry has shown points at a product that has such an endpoint.
func probeProduct(ctx context.Context, r *row) error {
	endpoint := verdict.VersionEndpoint(r.client.Evidence())
	if endpoint == "" {
		return nil
	}
	_, err := r.registry.version.Do(ctx, r.session, func() (_ struct{}, answered bool, err error) {
		answered, err = requestVersion(ctx, r, endpoint)
		return struct{}{}, answered, err
	})
	r.seen.Product = verdict.Identify(r.client.Evidence())
	return err
}

// requestVersion requests the version of the product, and reports whether the endpoint was
// answered. Gitea's refuses a registry token, and is open to everybody.
func requestVersion(ctx context.Context, r *row, endpoint string) (answered bool, err error) {
	target := *r.entry().URL
	target.Path = endpoint
	resp, err := r.session.Do(ctx, registry.Request{
		Step:          stepProduct,
		Method:        http.MethodGet,
		URL:           &target,
		Header:        accept("application/json"),
		Scope:         pull(r.image.Repository),
		UnsignedFirst: true,
	})
	if err != nil || transient(resp) {
		return false, err
	}
	if resp.Fault == nil && resp.Status == http.StatusOK && r.ownOrigin(resp.URL) {
		r.client.KeepVersion(endpoint, verdict.ReadVersion(resp.Bytes))
	}
	return true, nil
}
