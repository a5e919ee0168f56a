package probe

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// tagShape is a tag of the distribution specification.
var tagShape = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

// FuzzReferrersTag: whatever the digest, the tag is one.
func FuzzReferrersTag(f *testing.F) {
	for _, text := range []string{"sha256:abc", "sha512:" + strings.Repeat("a", 128), "a+b:c", ":", "", "é:☃", strings.Repeat("a", 300)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, digest string) {
		if tag := ReferrersTag(digest); !tagShape.MatchString(tag) {
			t.Errorf("%q gives the tag %q", digest, tag)
		}
	})
}

// FuzzReadBody: no body breaks the reader, and what it calls an index is one
// that encoding/json reads in the same way.
func FuzzReadBody(f *testing.F) {
	for _, text := range []string{
		"", "null", "{}", "[]", `{"schemaVersion":2,"manifests":[]}`, `{"schemaVersion":2,"manifests":null}`, `{"schemaVersion":2,"manifests":[{}]}`,
		`{"schemaVersion":2,"mediaType":"","manifests":[null,{"digest":"sha256:a"}]}`,
		`{"schemaVersion":2,"manifests":[{"digest":"sha256:a","size":1e9}]}`, `{"schemaVersion":1,"fsLayers":[]}`, `{"errors":[{"code":"DENIED"}]}`,
		`{"errors":{"code":1}}`, "<html>", "\x00\x01", `{"schemaVersion":2,"manifests":[],"mediaType":7}`, "\xef\xbb\xbf{}", "[[[[",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := readBody(&registry.Response{Bytes: raw})
		if (got.kind == verdict.BodyIndex) != (got.index != nil) {
			t.Fatalf("%q is called %s, its index is %v", raw, got.kind, got.index)
		}
		if got.index == nil {
			return
		}
		var list struct{ Manifests []json.RawMessage }
		err, descriptors := json.Unmarshal(raw, &list), 0
		for _, one := range list.Manifests {
			var d struct{ Digest string }
			if json.Unmarshal(one, &d) == nil && isDigest(d.Digest) { // null is not one
				descriptors++
			}
		}
		if err != nil || descriptors < got.index.Total || len(list.Manifests) != got.index.Total+got.index.Invalid ||
			len(got.index.Descriptors) > got.index.Total || len(got.listed.hashes) > got.index.Total {
			t.Errorf("%q: %d descriptors, json has %d, %v", raw, got.index.Total, descriptors, err)
		}
	})
}
