package registry

import (
	"context"
	"net/netip"
	"net/url"
	"strings"
)

// origin is scheme, host and port, the port spelled out (RFC 6454).
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), port}
}

// forbidden are the addresses that a realm or a redirect must not lead to:
// what answers there is this machine or its cloud's metadata service, and
// neither should hear from a registry through us.
var forbidden = []struct {
	class    string
	prefixes []netip.Prefix
}{
	{"metadata", prefixes("169.254.169.254/32", "169.254.170.0/24", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128")},
	{"loopback", prefixes("127.0.0.0/8", "::1/128")},
	{"link-local", prefixes("169.254.0.0/16", "fe80::/10", "224.0.0.0/24", "ff02::/16")},
	{"unspecified", prefixes("0.0.0.0/8", "::/128")},
}

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// metadataNames resolve inside clouds only, often through a proxy we cannot
// see, so the names are refused as they stand.
var metadataNames = []string{"metadata.google.internal", "metadata.goog", "instance-data"}

// classOf names the forbidden class of an address, "" where it has none.
// IPv4 addresses inside IPv6 ones (mapped, NAT64, 6to4) are looked at too.
func classOf(address netip.Addr) string {
	for _, one := range embedded(address.WithZone("")) {
		for _, f := range forbidden {
			for _, prefix := range f.prefixes {
				if prefix.Contains(one) {
					return f.class
				}
			}
		}
	}
	return ""
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// embedded lists an address and the IPv4 address it wraps, if any.
func embedded(address netip.Addr) []netip.Addr {
	out := []netip.Addr{address.Unmap()}
	b := address.As16()
	switch {
	case nat64.Contains(address):
		out = append(out, netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(address):
		out = append(out, netip.AddrFrom4([4]byte(b[2:6])))
	}
	return out
}

// forbidden names the class that host is or resolves to, "" where it
// is a host that may be asked. A name that does not resolve is let through:
// behind a proxy only the proxy may know it, and elsewhere the dial fails.
func (n *names) forbidden(ctx context.Context, host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, name := range metadataNames {
		if host == name {
			return "metadata"
		}
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return classOf(address)
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "loopback"
	}
	addresses, err := n.lookup(ctx, host)
	if err != nil {
		return ""
	}
	for _, address := range addresses {
		if class := classOf(address); class != "" {
			return class
		}
	}
	return ""
}
