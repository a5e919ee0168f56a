package registry

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// writeChallenges writes challenges in one spelling, to compare them as text.
func writeChallenges(challenges []challenge) string {
	var out []string
	for _, one := range challenges {
		text := one.scheme
		for _, name := range slices.Sorted(maps.Keys(one.parameters)) {
			text += " " + name + "=" + quote(one.parameters[name])
		}
		out = append(out, text)
	}
	return strings.Join(out, " | ")
}

// quote writes a quoted string (RFC 9110, section 5.6.4).
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// TestParseChallenges: challenges as registries send them, and text that must
// not be taken for one.
func TestParseChallenges(t *testing.T) {
	for field, want := range map[string]string{
		// As registries send them.
		`Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull"`: `bearer realm="https://auth.test/token" scope="repository:a/b:pull" service="registry.test"`,
		`Bearer realm="https://auth.test/token", service="registry.test"`:                            `bearer realm="https://auth.test/token" service="registry.test"`,
		`Bearer realm="https://auth.test/token" service="registry.test"`:                             `bearer realm="https://auth.test/token" service="registry.test"`,
		`Bearer realm="https://nvcr.test/proxy_auth",scope="repository:nvidia/cuda:pull,push"`:       `bearer realm="https://nvcr.test/proxy_auth" scope="repository:nvidia/cuda:pull,push"`,
		`Bearer realm="https://gitea.test/v2/token",service="container_registry",scope="*"`:          `bearer realm="https://gitea.test/v2/token" scope="*" service="container_registry"`,
		`bearer realm=https://zot.test/token,service=zot`:                                            `bearer realm="https://zot.test/token" service="zot"`,
		`bearer realm=https://zot.test/token?a=b&c=d,service=zot`:                                    `bearer realm="https://zot.test/token?a=b&c=d" service="zot"`,
		`BEARER REALM="https://auth.test/t",SERVICE="x"`:                                             `bearer realm="https://auth.test/t" service="x"`,
		`Bearer   realm = "https://auth.test/t" ,  service = x`:                                      `bearer realm="https://auth.test/t" service="x"`,
		"Bearer\trealm=\"https://auth.test/t\"":                                                      `bearer realm="https://auth.test/t"`,
		`Bearer realm="https://auth.test/t",,service="x",`:                                           `bearer realm="https://auth.test/t" service="x"`,
		`, Bearer realm="https://auth.test/t"`:                                                       `bearer realm="https://auth.test/t"`,
		`Bearer scope="a",scope="b",realm="https://auth.test/t"`:                                     `bearer realm="https://auth.test/t" scope="a"`,
		`Bearer realm="https://auth.test/t",error="insufficient_scope"`:                              `bearer error="insufficient_scope" realm="https://auth.test/t"`,
		`Basic realm="harbor"`: `basic realm="harbor"`,
		`Basic`:                `basic`,
		`basic realm=x`:        `basic realm="x"`,
		`Basic realm="Sonatype Nexus Repository Manager"`:     `basic realm="Sonatype Nexus Repository Manager"`,
		`Basic realm="x", charset="UTF-8"`:                    `basic charset="UTF-8" realm="x"`,
		`Basic realm="x", Bearer realm="https://auth.test/t"`: `basic realm="x" | bearer realm="https://auth.test/t"`,
		`Bearer realm="https://auth.test/t", Basic realm="x"`: `bearer realm="https://auth.test/t" | basic realm="x"`,
		`Basic, Bearer realm="https://auth.test/t"`:           `basic | bearer realm="https://auth.test/t"`,
		`Negotiate, NTLM, Basic realm="x"`:                    `negotiate | ntlm | basic realm="x"`,
		`Digest realm="x", nonce="a,b", qop="auth", Basic`:    `digest nonce="a,b" qop="auth" realm="x" | basic`,
		`Bearer realm="https://auth.test/t\"x"`:               `bearer realm="https://auth.test/t\"x"`,
		`Bearer realm="a\\",service="b"`:                      `bearer realm="a\\" service="b"`,
		`Bearer realm=""`:                                     `bearer realm=""`,
		`Bearer`:                                              `bearer`,
		``:                                                    ``,
		`Negotiate YWJj/ZGVm+==, Basic realm="x"`:             `negotiate | basic realm="x"`,
		// Traps: what is quoted, or stands where no scheme may, is not a challenge.
		`Basic realm="x, Bearer realm=https://evil.test/t"`:                        `basic realm="x, Bearer realm=https://evil.test/t"`,
		`Bearer error="x, realm=https://evil.test",realm="https://auth.test/t"`:    `bearer error="x, realm=https://evil.test" realm="https://auth.test/t"`,
		`Bearer error=" realm=\"https://evil.test\" ",realm="https://auth.test/t"`: `bearer error=" realm=\"https://evil.test\" " realm="https://auth.test/t"`,
		`Custom note="Basic, Bearer realm=y"`:                                      `custom note="Basic, Bearer realm=y"`,
		`Negotiate Bearer realm="https://evil.test"`:                               `negotiate realm="https://evil.test"`,
		`xBearer realm="https://evil.test"`:                                        `xbearer realm="https://evil.test"`,
		`Bearer/1 realm="https://evil.test"`:                                       ``,
		`"Bearer realm=https://evil.test", Basic`:                                  `basic`,
		`Bearer realm="https://auth.test/t`:                                        `bearer realm=""`,
		`Basic="x`:                                                                 ``,
		`realm="https://evil.test"`:                                                ``,
		`=x, Basic`:                                                                `basic`,
		`Bearer realm="https://auth.test/t"x, Basic`:                               `bearer realm="https://auth.test/t" | basic`,
		`Bearer realm="one",realm="two"`:                                           `bearer realm="one"`,
	} {
		if got := writeChallenges(parseChallenges(field)); got != want {
			t.Errorf("%s\n got %s\nwant %s", field, got, want)
		}
	}
}

// TestNext: the next page as registries name it, and links that lead elsewhere.
func TestNext(t *testing.T) {
	base, err := url.Parse("https://registry.test/v2/a/referrers/sha256:b")
	if err != nil {
		t.Fatal(err)
	}
	const next = "https://registry.test/v2/next"
	for field, want := range map[string]string{
		`</v2/next>; rel="next"`:                                  next,
		`</v2/next>; rel=next`:                                    next,
		`</v2/next>;rel="next"`:                                   next,
		`</v2/next> ; rel = "next"`:                               next,
		`</v2/next>; REL="Next"`:                                  next,
		`</v2/next>; title="a, b"; rel="next"`:                    next,
		`</v2/next>; title="; rel=\"prev\""; rel="next"`:          next,
		`</v2/next>; rel="last next"`:                             next,
		`</v2/next>; crossorigin; rel="next"`:                     next,
		`</v2/first>; rel="first", </v2/next>; rel="next"`:        next,
		`</v2/a>; title="x, <y>; rel=next", </v2/next>; rel=next`: next,
		`garbage, </v2/next>; rel="next"`:                         next,
		`<?last=c&n=1>; rel="next"`:                               "https://registry.test/v2/a/referrers/sha256:b?last=c&n=1",
		`<https://other.test/v2/next>; rel="next"`:                "https://other.test/v2/next",
		`</v2/next#part>; rel="next"`:                             next + "#part",
		`</v2/prev>; rel="prev"`:                                  "",
		`</v2/prev>; rel="prev"; rel="next"`:                      "",
		`</v2/prev>; rev="next"`:                                  "",
		`</v2/prev>; rel="nextdoor"`:                              "",
		`</v2/prev>; title="rel=next"`:                            "",
		`</v2/prev>; title="x; rel=next`:                          "",
		`</v2/prev>; rel="next`:                                   "",
		`"</v2/next>; rel=next"`:                                  "",
		`/v2/next; rel="next"`:                                    "",
		`</v2/next; rel="next"`:                                   "",
		`</v2/<next>; rel="next"`:                                 "",
		`<https://user:secret@registry.test/v2/next>; rel="next"`: "",
		`<mailto:a@registry.test>; rel="next"`:                    "",
		``:                                                        "",
	} {
		got := ""
		if found := (&Response{URL: base, Header: http.Header{"Link": {field}}}).Next(); found != nil {
			got = found.String()
		}
		if got != want {
			t.Errorf("%s\n got %q\nwant %q", field, got, want)
		}
	}
}
