package probe

import (
	"strings"
	"testing"
)

// TestLongNames: names that no registry sends in earnest are not kept, and not cut,
// because a cut could leave a part of an echoed secret that nothing finds.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", maxName)
	for _, test := range []struct{ name, want string }{
		{long, long},
		{long + "x", overlong},
	} {
		got := readBody([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:a","mediaType":"` + test.name +
			`","artifactType":"` + test.name + `"}],"errors":[{"code":"` + test.name + `"}]}`))
		d := got.index.Descriptors[0]
		if d.MediaType != test.want || d.ArtifactType != test.want || len(got.codes) != 1 || got.codes[0] != test.want {
			t.Errorf("%d bytes are read as %+v, codes %q", len(test.name), d, got.codes)
		}
	}
}
