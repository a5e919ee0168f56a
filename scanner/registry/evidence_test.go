package registry

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
)

// observe has c see an answer of its registry with these headers, "name: value" each, to a
// request that was signed or not.
func observe(c *Client, signed bool, headers ...string) {
	out := &outgoing{url: c.entry.URL}
	if signed {
		out.authorization = "Bearer x"
	}
	h := http.Header{}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		h.Add(name, value)
	}
	c.keepSigns(out, &answer{header: h, url: c.entry.URL})
}

// TestEvidence: what is kept of a registry's answers to name its product.
func TestEvidence(t *testing.T) {
	text := func(raw string) verdict.Text { return verdict.Text{Raw: raw, Redacted: raw} }
	const (
		harbor = `Www-Authenticate: Bearer realm="https://r.test/service/token",service="harbor-registry"`
		other  = `Www-Authenticate: Bearer realm="https://other.test/token",service="other"`
		basic  = `Www-Authenticate: Basic realm="harbor"`
	)
	ofHarbor := verdict.Evidence{Realm: text("https://r.test/service/token"), Service: text("harbor-registry")}
	nexus := verdict.Evidence{Headers: map[string]verdict.Text{"Server": text("Nexus/3.80.0-06")}}
	for _, test := range []struct {
		name string
		seen func(*Client)
		want verdict.Evidence
	}{
		{"nothing", func(c *Client) { observe(c, false, "Server: nginx", "X-Other: x", basic) }, verdict.Evidence{}},
		{"a challenge, and Basic to what is signed", func(c *Client) { observe(c, false, harbor); observe(c, true, basic) }, ofHarbor},
		{"a challenge after Basic", func(c *Client) { observe(c, true, basic); observe(c, false, harbor) }, ofHarbor},
		{"two challenges in one answer", func(c *Client) { observe(c, false, basic, harbor, other) }, ofHarbor},
		{"the first challenge", func(c *Client) { observe(c, false, harbor); observe(c, false, other) }, ofHarbor},
		{"another challenge to what is signed", func(c *Client) { observe(c, true, other); observe(c, false, harbor); observe(c, true, other) }, ofHarbor},
		{"a challenge to what is signed alone", func(c *Client) { observe(c, true, harbor); observe(c, true, other) }, ofHarbor},
		{"a Server that a proxy sent first", func(c *Client) {
			observe(c, false, "Server: nginx")
			observe(c, false, "Server: Nexus/3.80.0-06")
			observe(c, false, "Server: Nexus/3.81.0-01")
		}, nexus},
		{"signs that are too long", func(c *Client) {
			observe(c, false, "Server: Nexus/3"+strings.Repeat("x", maxSign), `Www-Authenticate: Bearer realm="`+strings.Repeat("x", maxSign)+`/service/token"`)
			observe(c, false, "Server: Nexus/3.80.0-06")
		}, nexus},
	} {
		c := clientOf(t, "https://r.test", inventory.Auth{})
		test.want.Host = "r.test"
		test.seen(c)
		if diff := cmp.Diff(test.want, c.Evidence()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestEvidenceIsBounded: what is kept of a registry does not grow with answers that have
// other headers each time, nor with their number.
func TestEvidenceIsBounded(t *testing.T) {
	c := clientOf(t, "https://r.test", inventory.Auth{})
	before := living()
	var rows sync.WaitGroup
	for row := range 4 {
		rows.Go(func() {
			for n := range 100 {
				h := http.Header{}
				for i := range maxHeaders - 20 {
					h[fmt.Sprintf("X-%d-%d-%d", row, n, i)] = []string{""}
				}
				for _, name := range signHeaders {
					h.Set(name, "Nexus/3.8 Artifactory/7.8 X-ZOT-API-CLIENT "+strings.Repeat("x", maxSign-50))
				}
				h.Set("Www-Authenticate", fmt.Sprintf(`Bearer realm="https://%d.test/token",service="%s"`, n, strings.Repeat("x", 1000)))
				c.keepSigns(&outgoing{url: c.entry.URL}, &answer{header: h, url: c.entry.URL})
				_ = c.Evidence()
			}
		})
	}
	rows.Wait()
	if held := living() - before; held > 1<<20 {
		t.Errorf("%d bytes are held", held)
	}
	runtime.KeepAlive(c)
}

// TestEvidenceIsRedacted: what a registry sends of a token is not kept beyond the row that
// used it, whether the token was issued before or after.
func TestEvidenceIsRedacted(t *testing.T) {
	for _, early := range []bool{false, true} {
		c := clientOf(t, "https://r.test", inventory.Auth{})
		const token = "tok3n.8hX2kQ9v"
		s := c.NewSession()
		hold := func() { s.holdTokens([]byte(`{"token":"` + token + `"}`)) }
		if !early {
			hold()
		}
		observe(c, !early, "Server: Nexus/3."+token, `Www-Authenticate: Bearer realm="https://r.test/`+token+`",service="`+url.QueryEscape(token)+`"`)
		c.KeepVersion("/version", "1."+token)
		if early {
			hold()
		}
		s.Close()
		want := verdict.Evidence{
			Host:     "r.test",
			Headers:  map[string]verdict.Text{"Server": {Raw: "Nexus/3." + token, Redacted: "Nexus/3.***"}},
			Realm:    verdict.Text{Raw: "https://r.test/" + token, Redacted: "https://r.test/***"},
			Service:  verdict.Text{Raw: token, Redacted: "***"},
			Endpoint: "/version",
			Version:  verdict.Text{Raw: "1." + token, Redacted: "1.***"},
		}
		if diff := cmp.Diff(want, c.Evidence()); diff != "" {
			t.Errorf("early %t: %s", early, diff)
		}
	}
}

// TestSignsOfOthers: what a token service or the end of a redirect sends is not evidence of
// the registry.
func TestSignsOfOthers(t *testing.T) {
	c := clientOf(t, "https://r.test", inventory.Auth{})
	s := c.NewSession()
	defer s.Close()
	elsewhere, err := url.Parse("https://other.test/")
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []*outgoing{{step: tokenStep, url: c.entry.URL}, {step: "resolve", url: elsewhere}} {
		s.record(out, attempted{answer: &answer{url: out.url, header: http.Header{"Server": {"Nexus/3.80.0-06"}}}})
	}
	if e := c.Evidence(); len(e.Headers) > 0 {
		t.Errorf("kept %+v", e)
	}
	s.record(&outgoing{step: "resolve", url: c.entry.URL}, attempted{answer: &answer{url: c.entry.URL, header: http.Header{"Server": {"Nexus/3.80.0-06"}}}})
	if e := c.Evidence(); len(e.Headers) != 1 {
		t.Errorf("kept %+v", e)
	}
}
