package report

import "testing"

// TestWithoutIDs: answers that say the same are one group, whatever ids and addresses are in
// them.
func TestWithoutIDs(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"addresses of the client", `HTTP 403 "client with IP '192.0.2.7' is not allowed"`, `HTTP 403 "client with IP '198.51.100.20' is not allowed"`, true},
		{"addresses with a port", "connect to 192.0.2.1:443: refused", "connect to [2001:db8::1]:443: refused", true},
		{"the own host", "lookup a.example.com: no such host", "lookup b.example.com: no such host", true},
		{"another host", "lookup a.example.org: no such host", "lookup b.example.org: no such host", false},
		{"ids of requests", `HTTP 500 "request 7f3a9c21 failed"`, `HTTP 500 "request 0b44de19 failed"`, true},
		{"UUIDs", "id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174001", true},
		{"digests", "sha256:0123456789ab", "sha256:ba9876543210", true},
		{"times", "at 1700000000", "at 1800000000", true},
		{"status codes", "HTTP 403", "HTTP 401", false},
		{"short numbers", "after 10000 ms", "after 20000 ms", false},
		{"words of hexadecimal letters", "facade", "decade", false},
	} {
		if got := withoutIDs(c.a, "https://a.example.com") == withoutIDs(c.b, "https://b.example.com"); got != c.same {
			t.Errorf("%s: same is %v", c.name, got)
		}
	}
}
