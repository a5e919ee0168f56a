package scanner_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/probe"
)

// protocolWords are passwords that are words of the protocol, of media types or of
// our own terms as well.
var protocolWords = []string{
	"json", "image", "index", "sha256", "manifest", "artifactType", "application", "http-404",
	"text", "referrers", "next", "vnd.oci", "spdx", "Nexus", "token", "Link",
}

// signedRegistry is a healthy registry that has all that a row can show: listed referrers of two
// pages, a filter that is announced, a referrers tag that lists one more, a cosign
// tag and a version.
func signedRegistry(w http.ResponseWriter, q *http.Request) {
	const (
		sbom      = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111","size":1,"artifactType":"application/spdx+json"}`
		signature = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222","size":1,"artifactType":"application/vnd.cncf.notary.signature"}`
		tagged    = `{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:3333333333333333333333333333333333333333333333333333333333333333","size":1,"artifactType":"text/plain"}`
	)
	list := func(descriptors ...string) {
		w.Header().Set("Content-Type", matrix.IndexMediaType)
		fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, matrix.IndexMediaType, strings.Join(descriptors, ","))
	}
	w.Header().Set("Server", "Nexus/3.80.0-06")
	path, wanted := q.URL.Path, q.URL.Query().Get("artifactType")
	switch {
	case strings.HasSuffix(path, "/manifests/latest"):
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Content-Type", matrix.ManifestMediaType)
	case strings.HasSuffix(path, ".sig"):
	case strings.HasSuffix(path, "/manifests/"+strings.Replace(digest, ":", "-", 1)):
		list(sbom, signature, tagged)
	case strings.HasSuffix(path, "/referrers/sha256:malformed"):
		w.WriteHeader(http.StatusBadRequest)
	case strings.Contains(path, "/referrers/sha256:0000"):
		list()
	case !strings.HasSuffix(path, "/referrers/"+digest):
		w.WriteHeader(http.StatusNotFound)
	case wanted != "":
		w.Header().Set("OCI-Filters-Applied", "artifactType")
		list(slices.DeleteFunc([]string{sbom, signature}, func(d string) bool { return !strings.Contains(d, `"`+wanted+`"`) })...)
	case q.URL.Query().Has("last"):
		list(signature)
	default:
		w.Header().Set("Link", `<`+path+`?last=1>; rel="next"`)
		list(sbom)
	}
}

// scanSignedIn scans one image of a registry that answers as handler does to those
// who sign in with Basic and password. It returns the row, and what was requested.
func scanSignedIn(t *testing.T, password string, handler http.HandlerFunc) (row matrix.Row, requests []string) {
	t.Helper()
	var mu sync.Mutex
	address := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if _, sent, _ := q.BasicAuth(); sent != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		requests = append(requests, q.Method+" "+q.URL.String())
		mu.Unlock()
		handler(w, q)
	})
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {name: r, url: '%s', images: [json/image], rate: 0, retries: 0, auth: {username: u, password: '%s'}}\n", address, password))
	m := scan(t, context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Full}})
	if len(m.Rows) != 1 {
		t.Fatalf("%d rows", len(m.Rows))
	}
	return m.Rows[0], requests
}

// decisions returns what of a row was decided or counted, and so may not depend on
// what is redacted; what is left out are strings of the registry's.
func decisions(row matrix.Row) matrix.Row {
	row.URL, row.Digest, row.MediaType, row.DurationMS, row.Exchanges = "", "", "", 0, nil
	row.Findings = slices.Clone(row.Findings)
	for i := range row.Findings {
		row.Findings[i].Text = ""
	}
	product, capabilities := *row.Product, *row.Capabilities
	product.Version, product.Evidence = "", ""
	capabilities.FilterType, capabilities.ArtifactTypes = "", slices.Clone(capabilities.ArtifactTypes)
	for i := range capabilities.ArtifactTypes {
		capabilities.ArtifactTypes[i].Type = ""
	}
	tag := *capabilities.TagSchema
	tag.Tag, tag.Links, tag.OnlyTag, tag.OnlyAPI = "", nil, nil, nil
	capabilities.TagSchema = &tag
	row.Product, row.Capabilities = &product, &capabilities
	return row
}

// TestPasswordsOfTheProtocol: a password that is a word of the protocol changes
// neither what is requested nor anything that is decided.
func TestPasswordsOfTheProtocol(t *testing.T) {
	row, requested := scanSignedIn(t, "nowhere-8hX2kQ9v", signedRegistry)
	want := decisions(row)
	c := row.Capabilities
	if row.Reason != matrix.ReferrersListed || c.Filter != matrix.FilterAnnounces || c.Pagination != matrix.PageLinked ||
		c.TagSchema.State != matrix.TagIndex || c.TagSchema.MissingFromAPI() != 1 || row.Product.Version != "3.80.0-06" || len(c.CosignTags) != 1 {
		t.Fatalf("the registry is not what the test wants: %+v, %+v", row, c)
	}
	for _, password := range protocolWords {
		t.Run(password, func(t *testing.T) {
			row, requests := scanSignedIn(t, password, signedRegistry)
			if diff := cmp.Diff(want, decisions(row)); diff != "" {
				t.Errorf("the row differs: %s", diff)
			}
			if diff := cmp.Diff(requested, requests); diff != "" {
				t.Errorf("the requests differ: %s", diff)
			}
			if row.Image != "json/image:latest" {
				t.Errorf("the inventory's image is %s", row.Image)
			}
			for _, types := range row.Capabilities.ArtifactTypes {
				if strings.Contains(types.Type, password) {
					t.Errorf("%s is shown", types.Type)
				}
			}
		})
	}
}

// TestEchoes: whatever a server does with the password that it was sent, the row
// has none of it.
func TestEchoes(t *testing.T) {
	resolved := func(w http.ResponseWriter, q *http.Request, echo string) bool {
		w.Header().Set("Server", "Nexus/3."+echo)
		if strings.HasSuffix(q.URL.Path, "/manifests/latest") {
			w.Header().Set("Docker-Content-Digest", digest)
			w.Header().Set("Content-Type", "application/"+echo)
			return true
		}
		return false
	}
	for _, test := range []struct {
		name    string
		reason  matrix.Reason
		handler func(w http.ResponseWriter, q *http.Request, echo string)
	}{
		{"in types and descriptors", matrix.WrongContentType, func(w http.ResponseWriter, q *http.Request, echo string) {
			if resolved(w, q, echo) {
				return
			}
			w.Header().Set("Content-Type", "text/"+echo)
			id := "api"
			if strings.Contains(q.URL.Path, "/manifests/") {
				id = "tag"
			}
			fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[{"digest":"sha256:%[2]s%[1]s","mediaType":"application/%[1]s","artifactType":"application/%[1]s"}]}`, echo, id)
		}},
		{"in an error code", matrix.NotFound, func(w http.ResponseWriter, q *http.Request, echo string) {
			if !resolved(w, q, echo) {
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprintf(w, `{"errors":[{"code":%q}]}`, echo)
			}
		}},
		{"in a redirect", matrix.RedirectedAway, func(w http.ResponseWriter, q *http.Request, echo string) {
			if !resolved(w, q, echo) {
				w.Header().Set("Location", "/"+echo)
				w.WriteHeader(http.StatusFound)
			}
		}},
		{"in a digest", matrix.NoDigest, func(w http.ResponseWriter, q *http.Request, echo string) {
			w.Header().Set("Docker-Content-Digest", echo)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			check := func(password, written string) {
				echo := "echo-" + written
				row, _ := scanSignedIn(t, password, func(w http.ResponseWriter, q *http.Request) { test.handler(w, q, echo) })
				if text := encode(t, row); strings.Contains(text, echo) || written != password && strings.Contains(text, written) {
					t.Errorf("%s is in the row: %s", echo, text)
				}
				if row.Reason != test.reason {
					t.Errorf("with %s it is %s, want %s: %s", password, row.Reason, test.reason, row.Detail)
				}
			}
			for _, password := range append(protocolWords, "canary-8hX2kQ9v") {
				check(password, password)
			}
			for _, write := range echoSpellings {
				check("canary-8hX2kQ9v", write("canary-8hX2kQ9v"))
			}
		})
	}
}

// TestEchoInALongDigest: the referrers tag has only the begin of a digest of sha512, and
// with it a part of the secret that the digest holds whole.
func TestEchoInALongDigest(t *testing.T) {
	const password = "canary-8hX2kQ9v-8hX2kQ9v-canary-8hX2"
	long := hex.EncodeToString([]byte("before" + password + strings.Repeat("after", 5)))[:128]
	row, requests := scanSignedIn(t, password, func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/manifests/latest") {
			w.Header().Set("Docker-Content-Digest", "sha512:"+long)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	if !strings.Contains(fmt.Sprint(requests), "/sha512-"+long[:64]) {
		t.Fatalf("no request is for the tag: %s", requests)
	}
	if text := encode(t, row); strings.Contains(text, hex.EncodeToString([]byte(password[:8]))) {
		t.Errorf("a part of the password is in the row: %s", text)
	}
}

// echoSpellings are ways to write a password that can stand in a header and in JSON.
var echoSpellings = []func(string) string{
	eachByte("%%%02x"), eachByte("%%25%02X"), eachByte(`\u%04x`), eachByte("&#%d;"), eachByte("&#x%02x;"), eachByte("%02X"), eachByte("%02x:"),
	func(password string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + password)) },
	func(password string) string { return base64.RawURLEncoding.EncodeToString([]byte(password)) },
	func(password string) string { return hex.EncodeToString([]byte(password)) },
}

// eachByte writes every byte of a text in a format.
func eachByte(format string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for i := range len(text) {
			fmt.Fprintf(&b, format, text[i])
		}
		return b.String()
	}
}

// encode returns v as JSON, without the escapes of HTML.
func encode(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestEchoesOfAnother: a registry that knows what another one is sent, perhaps from an
// earlier scan, cannot bring it into the report.
func TestEchoesOfAnother(t *testing.T) {
	const password = "canary-8hX2kQ9v"
	signed := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	for _, write := range append(echoSpellings, func(password string) string { return password }) {
		written := write(password)
		other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", "Nexus/3.80.0-"+written)
			w.Header().Set("Docker-Content-Digest", digest)
			w.Header().Set("Content-Type", "application/"+written)
			fmt.Fprintf(w, `{"errors":[{"code":"%s"}]}`, written)
		})
		inv := load(t, fmt.Sprintf("version: 1\ndefaults: {rate: 0, retries: 0}\nregistries:\n  - {name: echo, url: '%s', images: [a/b], auth: {anonymous: true}}\n  - {name: signed, url: '%s', images: [a/b], auth: {username: u, password: '%s'}}\n", other, signed, password))
		m := scan(t, context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Full}, Concurrency: 1})
		if text := encode(t, m); strings.Contains(text, written) || strings.Contains(text, password) || !strings.Contains(text, "***") {
			t.Errorf("%s is in the matrix, or nothing is: %s", written, text)
		}
	}
}

// TestEchoesOfOneNotProbed: the secrets of an entry are known although it is not a part of the
// scan, or nothing was sent to it yet, wherever its account is.
func TestEchoesOfOneNotProbed(t *testing.T) {
	const password = "canary-8hX2kQ9v"
	echo := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", password) })
	config := filepath.Join(t.TempDir(), "config.json")
	auth := base64.StdEncoding.EncodeToString([]byte("u:" + password))
	if err := os.WriteFile(config, []byte(`{"auths":{"silent.example":{"auth":"`+auth+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, auth := range map[string]string{
		"in the inventory":     "auth: {username: u, password: " + password + "}",
		"in a docker config":   "auth: {dockerConfig: '" + config + "'}",
		"in the default files": "",
	} {
		t.Setenv("REGISTRY_AUTH_FILE", "")
		if auth == "" {
			t.Setenv("REGISTRY_AUTH_FILE", config)
		} else {
			auth = ", " + auth
		}
		inv := load(t, fmt.Sprintf("version: 1\ndefaults: {rate: 0, retries: 0}\nregistries:\n  - {name: echo, url: '%s', images: [a/b], auth: {anonymous: true}}\n  - {name: silent, url: 'silent.example', images: [a/b]%s}\n", echo, auth))
		if err := inv.Select([]string{"echo"}, nil); err != nil {
			t.Fatal(err)
		}
		m := scan(t, context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Basic}})
		if text := encode(t, m); len(m.Rows) != 1 || strings.Contains(text, password) || !strings.Contains(text, "***") {
			t.Errorf("%s: the password is in the matrix, or nothing is: %s", name, text)
		}
	}
}

// TestEchoedVersions: the version that an endpoint names is not a place for a password.
func TestEchoedVersions(t *testing.T) {
	for _, test := range []struct{ password, written, want string }{
		{"nowhere-8hX2kQ9v", "1.24.6-8hX2", "1.24.6-8hX2"},
		{"canary-8hX2kQ9v", "3.80.0-canary-8hX2kQ9v", "***"},
		{"canary-8hX2kQ9v", "3.80.0-" + eachByte(`\u%04x`)("canary-8hX2kQ9v"), "***"},
		{"canary-8hX2kQ9v", "3.80.0-" + eachByte("%02x")("canary-8hX2kQ9v"), "***"},
		{"canary-8hX2kQ9v", "3.80.0-" + eachByte("%02X")("canary-8hX2kQ9v"), "***"},
		{"canary-8hX2kQ9v", "3.80.0-" + eachByte("%02x-")("canary-8hX2kQ9v"), "***"},
		{"canary-8hX2kQ9v", "3.80.0-" + base64.RawURLEncoding.EncodeToString([]byte("canary-8hX2kQ9v")), "***"},
		{"canary-8hX2kQ9v", "3.80.0+" + base64.RawURLEncoding.EncodeToString([]byte("u:canary-8hX2kQ9v")), "***"},
		{"12.34-8hX2", "12.34-8hX2", "***"},
		{"v12.34-8hX2", "v12.34-8hX2", "***"},
		{"8hX2+gitea-kQ9v", "1.8hX2+gitea-kQ9v", "***"},
		{"two words", "3.80.0-two+words", "***"},
		{"5f3kQ9aa", "5f3kQ9aa", ""},
		{"canary-8hX2kQ9v", eachByte("%02x")("canary-8hX2kQ9v"), ""},
		{"canary-8hX2kQ9v", "canary-8hX2kQ9v", ""},
	} {
		var address string
		address = serve(t, func(w http.ResponseWriter, q *http.Request) {
			switch _, password, _ := q.BasicAuth(); {
			case q.URL.Path == "/v2/token" && password == test.password:
				fmt.Fprint(w, `{"token":"token-of-the-test"}`)
			case q.Header.Get("Authorization") != "Bearer token-of-the-test":
				w.Header().Set("WWW-Authenticate", `Bearer realm="`+address+`/v2/token",service="container_registry"`)
				w.WriteHeader(http.StatusUnauthorized)
			case q.URL.Path == "/api/v1/version":
				fmt.Fprintf(w, `{"version":"%s"}`, test.written)
			case strings.HasSuffix(q.URL.Path, "/manifests/latest"):
				w.Header().Set("Docker-Content-Digest", digest)
				w.Header().Set("Content-Type", matrix.ManifestMediaType)
			default:
				w.WriteHeader(http.StatusNotFound)
			}
		})
		inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {name: r, url: '%s', images: [a/b], rate: 0, retries: 0, auth: {username: u, password: '%s'}}\n", address, test.password))
		row := scan(t, context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Full}}).Rows[0]
		if row.Product == nil || !strings.Contains("Gitea or Forgejo", row.Product.Name) || row.Product.Version != test.want {
			t.Errorf("%s of %s: the product is %+v, want version %q", test.written, test.password, row.Product, test.want)
		}
		if text := encode(t, row); test.want != test.written && (strings.Contains(text, test.written) || strings.Contains(text, test.password)) {
			t.Errorf("%s is in the row: %s", test.written, text)
		}
	}
}
