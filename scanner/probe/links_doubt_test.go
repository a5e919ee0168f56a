package probe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/scanner/probe"
)

// answerOf answers with a status, a content type and a body.
func answerOf(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// challenge wants a token of an endpoint that answers 404.
func challenge(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="r"`)
	w.WriteHeader(http.StatusUnauthorized)
}

// TestLinksInDoubt: an answer that may hide something makes nothing absent, partial or present.
func TestLinksInDoubt(t *testing.T) {
	for _, test := range []struct {
		name  string
		build func(*contents)
		want  string // coverage of signature and SBOM
	}{
		{"a list with the key of its entries twice", func(c *contents) {
			image := c.image("a", "1")
			entry, _ := json.Marshal(c.artifact(spdxType, nil))
			c.answers["GET referrers/"+image["digest"].(string)] = answerOf(http.StatusOK, matrix.IndexMediaType,
				`{"schemaVersion":2,"manifests":[],"manifests":[`+string(entry)+`]}`)
		}, "unknown unknown"},
		{"an index whose key of entries has a capital letter", func(c *contents) {
			amd64 := on(c.image("a"), "linux/amd64")
			c.attach(amd64, c.artifact(spdxType, nil))
			entry, _ := json.Marshal(amd64)
			c.manifests["1"] = `{"schemaVersion":2,"mediaType":"` + matrix.IndexMediaType + `","Manifests":[` + string(entry) + `]}`
			c.name("1")
		}, "absent present"},
		{"a list of Docker whose entries are not a list", func(c *contents) {
			c.manifests["1"] = `{"schemaVersion":2,"mediaType":"` + matrix.DockerListMediaType + `","manifests":{}}`
			c.name("1")
		}, "unknown unknown"},
		{"an artifact that two lists name as different things", func(c *contents) {
			image := c.image("a", "1")
			artifact := c.artifact(spdxType, nil)
			other := map[string]any{"artifactType": notationType, "digest": artifact["digest"], "mediaType": artifact["mediaType"]}
			c.attach(image, artifact)
			c.attachByTag(image, other)
		}, "absent present"},
		{"an artifact that one list names as two things, and that cannot be read", func(c *contents) {
			image := c.image("a", "1")
			artifact := c.artifact(spdxType, nil)
			other := map[string]any{"artifactType": notationType, "digest": artifact["digest"], "mediaType": artifact["mediaType"]}
			delete(c.manifests, artifact["digest"].(string))
			c.attach(image, artifact, other)
		}, "unknown unknown"},
		{"an index in the index that has no type there", func(c *contents) {
			arm64 := c.image("b")
			nested := c.index("nested", on(arm64, "linux/arm64"))
			c.attach(arm64, c.artifact(spdxType, nil))
			delete(nested, "mediaType")
			c.index("1", on(c.image("a"), "linux/amd64"), nested)
		}, "unknown unknown"},
		{"a platform that HEAD says is not there", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")
			c.index("1", amd64, arm64)
			c.attach(amd64, c.artifact(spdxType, nil))
			c.answers["HEAD manifests/"+arm64["digest"].(string)] = status(http.StatusNotFound)
		}, "absent partial"},
		{"tags for which the token endpoint is not there", func(c *contents) {
			image := c.image("a", "1")
			for _, suffix := range []string{"", ".sig", ".att", ".sbom"} {
				c.answers["GET manifests/"+tagOf(image, suffix)] = challenge
			}
		}, "unknown unknown"},
		{"a platform for which the token endpoint is not there", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")
			c.index("1", amd64, arm64)
			c.attach(amd64, c.artifact(spdxType, nil))
			c.answers["HEAD manifests/"+arm64["digest"].(string)] = challenge
			c.answers["GET manifests/"+arm64["digest"].(string)] = challenge
		}, "unknown unknown"},
		{"a digest that is too long for a tag of cosign, which some registries answer with 400", func(c *contents) {
			image := c.image("a", "1")
			named := digest.SHA512.FromString(c.manifests["1"]).String()
			c.manifests[named] = c.manifests["1"]
			delete(c.manifests, image["digest"].(string))
			c.answers["HEAD manifests/1"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", matrix.ManifestMediaType)
				w.Header().Set("Docker-Content-Digest", named)
			}
			for _, suffix := range []string{".sig", ".att", ".sbom"} {
				c.answers["GET manifests/"+strings.Replace(named, ":", "-", 1)+suffix] = status(http.StatusBadRequest)
			}
		}, "absent absent"},
		{"a list of tags that lacks those of cosign", func(c *contents) {
			amd64, arm64 := on(c.image("a"), "linux/amd64"), on(c.image("b"), "linux/arm64")
			image := c.index("1", amd64, arm64)
			c.sign(image)
			c.answers["GET tags/list"] = answerOf(http.StatusOK, "application/json", `{"name":"team/app","tags":["1"]}`)
		}, "present absent"},
		{"a link to a next page that cannot be read", func(c *contents) {
			image := c.image("a", "1")
			c.answers["GET referrers/"+image["digest"].(string)] = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", r.URL.Path+`?last=1; rel="next"`)
				answerOf(http.StatusOK, matrix.IndexMediaType, `{"schemaVersion":2,"manifests":[]}`)(w, r)
			}
		}, "unknown unknown"},
		{"a link of a platform's list that cannot be read", func(c *contents) {
			amd64 := on(c.image("a"), "linux/amd64")
			c.index("1", amd64)
			c.answers["GET referrers/"+amd64["digest"].(string)] = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", `<https://a:b@127.0.0.1/next>; rel="next"`)
				answerOf(http.StatusOK, matrix.IndexMediaType, `{"schemaVersion":2,"manifests":[]}`)(w, r)
			}
		}, "unknown unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newContents()
			test.build(c)
			row := c.probed(t, probe.Standard)
			got := fmt.Sprint(row.Coverage[matrix.KindSignature], " ", row.Coverage[matrix.KindSBOM])
			if got != test.want {
				t.Errorf("got %s, want %s\n%s\n%s", got, test.want, shown(row), strings.Join(c.requests, "\n"))
			}
		})
	}
}
