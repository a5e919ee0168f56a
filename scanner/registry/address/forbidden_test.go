package address

import (
	"net/netip"
	"strings"
	"testing"
)

// TestForbiddenAddresses: what an address is, however IPv6 wraps it, and what is
// right beside each range and free.
func TestForbiddenAddresses(t *testing.T) {
	for class, addresses := range map[Class]string{
		Metadata:    "169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::169.254.169.254",
		Loopback:    "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b:1::127.0.0.1 2002:7f00:1:: 2002:7f00:1::9",
		LinkLocal:   "169.254.0.1 169.254.169.253 fe80::1 fe80::1%eth0 febf::1 224.0.0.251 ff02::1 2002:a9fe:1::",
		Unspecified: "0.0.0.0 0.255.0.1 :: ::ffff:0.0.0.0",
		"":          "192.0.2.1 128.0.0.1 126.255.255.255 1.0.0.1 169.253.0.1 10.0.0.1 100.100.100.201 2001:db8::1 fd00::1 fec0::1 2002:c000:201::7f00:1 64:ff9b::192.0.2.1",
	} {
		for text := range strings.FieldsSeq(addresses) {
			if got := ClassOf(netip.MustParseAddr(text)); got != class {
				t.Errorf("%s is %q, want %q", text, got, class)
			}
		}
	}
}

// TestForbiddenNames: what is against a host by its spelling.
func TestForbiddenNames(t *testing.T) {
	for host, want := range map[string]string{
		"registry.test": "", "registry.test.": "", "192.0.2.1": "", "0x7.example": "", "a1.b2": "", "xn--bcher-kva.example": "",
		"localhost": "loopback", "LocalHost.": "loopback", "a.localhost": "loopback", "127.0.0.1": "loopback", "127.0.0.1.": "loopback",
		"metadata.google.internal": "metadata", "METADATA.goog.": "metadata", "instance-data": "metadata",
		"127.1": "ends in a number", "2130706433": "ends in a number", "0x7f.1": "ends in a number", "a.0x": "ends in a number", "a.0X7F": "ends in a number",
		"bücher.example": "beyond ASCII", "１２７.0.0.1": "beyond ASCII", "a..b": "does not name a host", "": "does not name a host", "a b": "does not name a host", ".localhost": "does not name a host",
	} {
		if class, why := Forbidden(host); (why == "") != (want == "") || string(class) != want && !strings.Contains(why, want) {
			t.Errorf("%q: %q, %q, want %q", host, class, why, want)
		}
	}
}
