package address

import (
	"net/url"
	"testing"
)

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestOrigins: scheme, host and port make an origin, in any case and with the
// port left out or not.
func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		one, other string
		same       bool
	}{
		{"https://a.test/x", "https://a.test/y?z", true},
		{"https://a.test", "HTTPS://A.test:443", true},
		{"http://a.test", "http://a.test:80", true},
		{"https://a.test", "http://a.test", false},
		{"https://a.test:80", "http://a.test:80", false},
		{"https://a.test", "https://a.test:8443", false},
		{"https://a.test", "https://b.a.test", false},
	} {
		if got := SameOrigin(parse(t, test.one), parse(t, test.other)); got != test.same {
			t.Errorf("%s and %s are one origin: %v", test.one, test.other, got)
		}
	}
}
