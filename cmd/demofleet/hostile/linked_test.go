package hostile

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// linked are registries whose lists cost much where links are read: an index of thousands of
// platforms, lists of as many artifacts for each of them, all of it with the longest names, or
// with what an artifact is hidden in as many annotations and layers as fit into an answer.
var linked = []behaviour{
	{name: "links: platforms and artifacts with long digests", want: "referrers-listed ignores-digest", start: attached(
		sync.OnceValue(func() string { return entries(4000, `{"digest":"x:%0240x"}`) }),
		sync.OnceValue(func() string { return entries(15_000, `{"digest":"y:%0240x"}`) }),
		sync.OnceValue(func() string { return manifest }),
	)},
	{name: "links: types that are never the same", want: "referrers-listed ignores-digest", start: attached(
		sync.OnceValue(func() string {
			return entries(4000, `{"digest":"x:%064x","platform":{"os":"%[1]0100x","architecture":"%[1]0100x"}}`)
		}),
		sync.OnceValue(func() string {
			return entries(7000, `{"digest":"sha256:%064x","artifactType":"a/%[1]0250x","mediaType":"b/%[1]0250x"}`)
		}),
		sync.OnceValue(func() string { return manifest }),
	)},
	{name: "links: annotations and layers without end", want: "referrers-listed ignores-digest", start: attached(
		sync.OnceValue(func() string { return entries(8, `{"digest":"sha256:%064x","annotations":{`+annotations(400_000)+`}}`) }),
		sync.OnceValue(func() string {
			return entries(2, `{"digest":"sha256:%064x","annotations":{`+annotations(2_000_000)+`}}`)
		}),
		sync.OnceValue(func() string {
			return `{"schemaVersion":2,"config":{},"layers":[{}` + strings.Repeat(",{}", 1_300_000) + `]}`
		}),
	)},
}

// entries is an index of so many entries.
func entries(n int, format string) string {
	var text strings.Builder
	text.WriteString(`{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, format, i)
	}
	text.WriteString(`]}`)
	return text.String()
}

// annotations are short ones, of so many bytes.
func annotations(size int) string {
	var text strings.Builder
	for i := 0; text.Len() < size; i++ {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `"%x":""`, i)
	}
	return text.String()
}

// attached is a registry whose images are one index, and which lists the same artifacts for all
// but a digest that cannot exist. Everything else is one manifest, under any tag or digest.
func attached(index, list, artifact func() string) starter {
	return serving(false, func(*server) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			text := list()
			image := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(index())))
			switch {
			case strings.HasSuffix(r.URL.Path, "/tags/list"):
				http.NotFound(w, r)
				return
			case strings.HasSuffix(r.URL.Path, strings.Repeat("0", 64)):
				text = `{"schemaVersion":2,"manifests":[]}`
			case strings.Contains(r.URL.Path, "/manifests/latest"), strings.HasSuffix(r.URL.Path, "/manifests/"+image):
				text = index()
				w.Header().Set("Docker-Content-Digest", image)
			case strings.Contains(r.URL.Path, "/manifests/"):
				text = artifact()
			}
			w.Header().Set("Content-Type", indexType)
			_, _ = io.WriteString(w, text)
		}
	})
}
