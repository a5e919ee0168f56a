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
	origin := Origin{
		Scheme: strings.ToLower(u.Scheme),
		Host:   strings.ToLower(u.Hostname()),
		Port:   u.Port(),
	}
	if origin.Port == "" {
		origin.Port = defaultPort(origin.Scheme)
	}
	return origin
}

// defaultPort returns the port of a scheme, or "" for one that has none here.
func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// SameOrigin reports whether a and b have the same scheme, host and port, a
// default port spelled out or not.
func SameOrigin(a, b *url.URL) bool { return OriginOf(a) == OriginOf(b) }
