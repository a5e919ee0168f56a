package scanner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	m := scanner.Scan(context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Full}})
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
			for _, password := range append(protocolWords, "canary-8hX2kQ9v") {
				echo := "echo-" + password
				row, _ := scanSignedIn(t, password, func(w http.ResponseWriter, q *http.Request) { test.handler(w, q, echo) })
				encoded, err := json.Marshal(row)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(encoded), echo) {
					t.Errorf("%s is in the row: %s", echo, encoded)
				}
				if row.Reason != test.reason {
					t.Errorf("with %s it is %s, want %s: %s", password, row.Reason, test.reason, row.Detail)
				}
			}
		})
	}
}
