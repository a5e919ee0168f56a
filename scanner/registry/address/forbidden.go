package address

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Class is what makes an address one that a registry must not lead a request to.
type Class string

// The classes of addresses. What answers there is this machine, its link or its
// cloud's metadata service.
const (
	Metadata    Class = "metadata"
	Loopback    Class = "loopback"
	LinkLocal   Class = "link-local"
	Unspecified Class = "unspecified"
)

// forbidden are the addresses of each class. The first entry that contains an
// address decides.
var forbidden = []struct {
	class    Class
	prefixes []netip.Prefix
}{
	{Metadata, prefixes("169.254.169.254/32", "169.254.170.0/24", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128")},
	{Loopback, prefixes("127.0.0.0/8", "::1/128")},
	{LinkLocal, prefixes("169.254.0.0/16", "fe80::/10", "224.0.0.0/24", "ff02::/16")},
	{Unspecified, prefixes("0.0.0.0/8", "::/128")},
}

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// metadataNames resolve inside clouds only, there perhaps at a proxy, so the
// names are refused as they stand.
var metadataNames = []string{"metadata.google.internal", "metadata.goog", "instance-data"}

// ClassOf returns the class of an address, or "" if a registry may lead there. An
// IPv4 address inside an IPv6 one counts as well.
func ClassOf(address netip.Addr) Class {
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

// wrapping are the IPv6 prefixes whose last 32 bits, or the 32 after the
// prefix, are an IPv4 address that a host or a translator on the way may take
// the packet to.
var wrapping = []struct {
	prefix netip.Prefix
	at     int // first byte of the IPv4 address
}{
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible (RFC 4291, section 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated (RFC 2765)
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64 of a network's own (RFC 8215)
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4 (RFC 3056)
}

// embedded lists an address and the IPv4 addresses it wraps, if any.
func embedded(address netip.Addr) []netip.Addr {
	out := []netip.Addr{address.Unmap()}
	b := address.As16()
	for _, w := range wrapping {
		if w.prefix.Contains(address) {
			out = append(out, netip.AddrFrom4([4]byte(b[w.at:w.at+4])))
		}
	}
	return out
}

// Forbidden judges the host of a realm or redirect as it is written. why is the
// reason against it, or "" without one. class is its class, if that is the
// reason. What a name resolves to is judged when it is dialled.
//
// A host that net/http, a resolver or a proxy could read as another one than
// this function is refused: letters beyond ASCII, which net/http maps (full
// width digits become an address), and names that end in a number, which are
// IPv4 addresses in older notations (WHATWG URL, "ends in a number").
func Forbidden(host string) (class Class, why string) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if address, err := netip.ParseAddr(name); err == nil {
		if class := ClassOf(address); class != "" {
			return class, "is on a " + string(class) + " address"
		}
		return "", ""
	}
	labels := strings.Split(name, ".")
	switch {
	case strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }):
		return "", "names a host in letters beyond ASCII: such a name is sent in Punycode (xn--...)"
	case slices.Contains(labels, "") || strings.ContainsFunc(name, notInNames):
		return "", "does not name a host"
	case inNumber.MatchString(labels[len(labels)-1]):
		return "", "names a host that ends in a number and is not a plain IPv4 address"
	case slices.Contains(metadataNames, name):
		return Metadata, "is on a metadata address"
	case labels[len(labels)-1] == "localhost":
		return Loopback, "is on a loopback address"
	}
	return "", ""
}

// inNumber is a last label that makes a name an IPv4 address.
var inNumber = regexp.MustCompile(`^(?:[0-9]+|0x[0-9a-f]*)$`)

func notInNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
}
