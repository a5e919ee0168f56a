package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
	"refmatrix/scanner/registry/credential"
)

// FuzzChallenge: challenges that are read are read the same when they are written
// with every value quoted, and whatever a quoted string holds is its value and
// nothing else.
func FuzzChallenge(f *testing.F) {
	for _, text := range []string{
		`Bearer realm="https://a.example/token",service="x",scope="repository:a:pull"`, `bearer realm=https://a.example/t`, `Basic realm="x", Bearer realm="y"`,
		`Bearer`, `Bearer realm=""`, `Bearer realm="a\"b"`, `BEARER   REALM="x"  , SERVICE=y`, `Bearer realm="https://169.254.169.254/"`, `Bearer scope="a",scope="b",realm="c"`, "Bearer realm=\"\x00\"",
		`Basic realm="x, Bearer realm=https://evil.example"`, `Negotiate YWJj==, Basic`, `Basic="`, `a "b" c=d, e`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, field string) {
		read := parseChallenges(field)
		var written []string
		for _, one := range read {
			text := one.scheme
			for name, value := range one.parameters {
				text += " " + name + "=" + quote(value)
			}
			written = append(written, text)
		}
		if again := parseChallenges(strings.Join(written, ", ")); writeChallenges(again) != writeChallenges(read) {
			t.Errorf("%q is read as %q, then as %q", field, writeChallenges(read), writeChallenges(again))
		}
		inside := parseChallenges("Basic realm=" + quote(field))
		if len(inside) != 1 || inside[0].parameters["realm"] != field {
			t.Errorf("%q in quotes is read as %q", field, writeChallenges(inside))
		}
	})
}

// FuzzLink: what is taken for the next page is an absolute address without
// credentials, and nothing in a quoted string is taken for one.
func FuzzLink(f *testing.F) {
	for _, text := range []string{
		`<?page=2>; rel="next"`, `</v2/a>; rel=next, <b>; rel="last"`, `<//evil.example/>; rel="next"`, `<http://u:p@a/>; rel="next"`, `<>;rel=next`,
		`<\x00>; rel="next"`, `<a>; title="x"; REL="NEXT"`, `next`, `<a>; rel="prev"`, `<` + strings.Repeat("a", 5000) + `>; rel="next"`,
		`<a>; title="b, <c>; rel=next"`, `<a>; rel="last next"`, `<a>; rel="`,
	} {
		f.Add(text)
	}
	base, err := url.Parse("https://registry.example.com/v2/a/referrers/sha256:b")
	if err != nil {
		f.Fatal(err)
	}
	next := func(field string) *url.URL {
		return (&Response{URL: base, Header: http.Header{"Link": {field}}}).Next()
	}
	f.Fuzz(func(t *testing.T, field string) {
		if inside := next("<a>; title=" + quote(field)); inside != nil {
			t.Errorf("%q in quotes leads to %q", field, inside)
		}
		found := next(field)
		if found == nil {
			return
		}
		if found.Host == "" || found.Scheme == "" || found.User != nil {
			t.Errorf("%q leads to %q", field, found)
		}
		if _, err := http.NewRequest(http.MethodGet, found.String(), nil); err != nil {
			t.Errorf("%q leads to %q: %v", field, found, err)
		}
	})
}

// FuzzRealm: no realm on this machine, its link or a metadata service is ever
// admitted, however its host is written. The judge is the address that net/http
// dials for the token request, read as the oldest resolvers read addresses. And
// whatever query a realm brings, the request asks for the step's own scope alone.
func FuzzRealm(f *testing.F) {
	for _, text := range []string{
		"https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "http://192.0.2.1/", "https://192.0.2.1/token",
		"https://u:p@192.0.2.1/", "https://localhost/", "file:///x", "https://0.0.0.0/", "https://[fe80::1%25eth0]/", "https://LOCALHOST./",
		"https://１２７.0.0.1/", "https://127。0。0。1/", "https://ｌｏｃａｌｈｏｓｔ/", "https://metadata.google。internal/",
		"https://bücher.example/", "https://local\u00adhost/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://127.0.0.1./",
		"https://[::127.0.0.1]/", "https://[64:ff9b:1::127.0.0.1]/", "https://[64:ff9b::169.254.169.254]/", "https://[2002:7f00:1::]/", "https://[::ffff:0:127.0.0.1]/",
		"https://localhost../", "https://.localhost/", "https://auth.example.com/token", "https://auth.example.com./token", "https://xn--bcher-kva.example/",
		"https://auth.example.com/token?scope=repository:prod/app:push,delete", "https://auth.example.com/token?Scope=x&scope[]=y&scope%5B0%5D=z&account=root&offline_token=true&host=h",
		"https://auth.example.com/token?a=b;scope=x", "https://auth.example.com/token?scope%00=x&%C5%BFcope=x&offline.token=true&access_type=offline", "https://auth.example.com/token?%73cope=x&scope =y#scope=z", "https://auth.example.com\\@127.0.0.1/",
	} {
		f.Add(text)
	}
	inv, err := inventory.Parse(strings.NewReader("version: 1\nregistries: [{url: 'https://192.0.2.9', images: [x]}]"), "x", ".", func(string) (string, bool) { return "", false })
	if err != nil {
		f.Fatal(err)
	}
	pool := NewPool(Options{})
	f.Cleanup(pool.Close)
	c := pool.Client(inv.Registries[0])
	f.Fuzz(func(t *testing.T, realm string) {
		if err := c.admitRealm(realm); err != nil {
			return
		}
		var dialled string
		transport := &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled, _, _ = net.SplitHostPort(address)
			return nil, errors.New("that is all we wanted to know")
		}}
		const scope = "repository:a/b:pull"
		out, err := tokenRequest(&challenge{parameters: map[string]string{"realm": realm}}, credential.Account{}, scope)
		if err != nil {
			t.Fatalf("%q is admitted, but not asked: %v", realm, err)
		}
		checkTokenQuery(t, out.url, scope)
		req, err := out.request(t.Context(), "")
		if err != nil {
			return
		}
		if resp, err := transport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
		host := strings.ToLower(strings.Trim(dialled, "."))
		if req.URL.Scheme != "https" || req.URL.User != nil || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "metadata.goog" || host == "metadata.google.internal" {
			t.Errorf("%q is admitted", realm)
		}
		dialledAddress, ok := readAddress(host)
		if ok && dialledAddress != c.entry.URL.Hostname() && address.ClassOf(netip.MustParseAddr(dialledAddress)) != "" {
			t.Errorf("%q is admitted and leads to %s", realm, dialledAddress)
		}
	})
}

// checkTokenQuery fails the test if a token service could read another scope, or an
// account, out of a query: names in any case, as a list, behind either separator.
func checkTokenQuery(t *testing.T, target *url.URL, scope string) {
	t.Helper()
	scopes := 0
	for pair := range strings.FieldsFuncSeq(target.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		name, _ = url.QueryUnescape(name)
		name, _, _ = strings.Cut(name, "\x00")
		name, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "[")
		name = strings.ReplaceAll(strings.ReplaceAll(name, ".", "_"), "\u017f", "s")
		value, _ = url.QueryUnescape(value)
		switch name {
		case "scope":
			if scopes++; value != scope {
				t.Errorf("%q asks for the scope %q", target, value)
			}
		case "account", "offline_token", "access_type":
			t.Errorf("%q asks for %s", target, name)
		}
	}
	if scopes != 1 || target.Fragment != "" {
		t.Errorf("%q asks for %d scopes", target, scopes)
	}
}

// readAddress reads an address as inet_aton(3) does: up to four numbers,
// decimal, octal or hexadecimal, the last of which fills what is left.
func readAddress(host string) (string, bool) {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.WithZone("").String(), true
	}
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return "", false
	}
	var value uint64
	for i, part := range parts {
		base := 10
		switch {
		case strings.HasPrefix(part, "0x"):
			part, base = part[2:]+"0", 16 // "0x" alone is 0
		case strings.HasPrefix(part, "0"):
			base = 8
		}
		n, err := strconv.ParseUint(part, base, 40)
		if base == 16 {
			n >>= 4
		}
		if err != nil {
			return "", false
		}
		if i == len(parts)-1 {
			value += n
			break
		}
		value += n << (24 - 8*i)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(value))
	return netip.AddrFrom4(b).String(), true
}
