package registry

import "crypto/x509"

// TrustingProxies returns o with roots in place of the system's for the TLS to
// proxies.
func TrustingProxies(o Options, roots *x509.CertPool) Options {
	o.proxyRoots = roots
	return o
}
