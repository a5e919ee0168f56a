// Package address knows hosts and addresses: which URLs are of one origin, which
// addresses a registry must not lead a request to, and the names of Docker Hub.
package address

import (
	"net/url"
	"strings"
)

// Origin is scheme, host and port, the port spelled out (RFC 6454).
type Origin struct{ Scheme, Host, Port string }

// OriginOf returns the origin of u.
func OriginOf(u *url.URL) Origin {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return Origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), port}
}

// SameOrigin reports whether a and b have the same scheme, host and port, a
// default port spelled out or not.
func SameOrigin(a, b *url.URL) bool { return OriginOf(a) == OriginOf(b) }
