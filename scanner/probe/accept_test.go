package probe_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
)

// TestAcceptIsOneLine: media types are joined into one line, in the order of oras and
// containerd, because some registries read the first line alone (mulgadc/spinifex#399).
func TestAcceptIsOneLine(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	s, client := profile{Referrers: answers{{Type: "index", Body: `{"schemaVersion":2,"manifests":[]}`}}}.start(t)
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: probe.Full}); err != nil {
		t.Fatal(err)
	}
	const manifests = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, " +
		"application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
	if got := s.accepted[http.MethodHead+" /v2/team/app/manifests/1.0"]; !slices.Equal(got, []string{manifests}) {
		t.Errorf("the manifest is requested with Accept %q", got)
	}
	for request, lines := range s.accepted {
		if len(lines) != 1 {
			t.Errorf("%s: %d Accept lines", request, len(lines))
		}
	}
}
