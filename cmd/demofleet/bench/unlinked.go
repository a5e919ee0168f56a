package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// The largest registry of a network: images without anything attached.
const (
	unlinkedRepositories = 500
	unlinkedTags         = 10 // of each
)

// unlinkedHandler is a registry with the API in which nothing is attached to any image.
type unlinkedHandler struct{ count *atomic.Int64 }

func (h unlinkedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.count.Add(1)
	_, reference, ofManifest := strings.Cut(r.URL.Path, "/manifests/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/tags/list"):
		_ = json.NewEncoder(w).Encode(map[string]any{"tags": unlinkedTagNames()})
	case strings.HasPrefix(reference, "sha256-"):
		w.WriteHeader(http.StatusNotFound)
	case ofManifest:
		w.Header().Set("Docker-Content-Digest", digestOf(r.URL.Path))
	default:
		w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
	}
}

func digestOf(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

func unlinkedTagNames() []string {
	names := make([]string, unlinkedTags)
	for i := range names {
		names[i] = fmt.Sprintf("v%d", i)
	}
	return names
}

// unlinked counts the requests for 5,000 images of one registry, in 500 repositories.
func (b *bench) unlinked() error {
	var images []string
	for i := range unlinkedRepositories {
		for _, tag := range unlinkedTagNames() {
			images = append(images, fmt.Sprintf("team/app-%d:%s", i, tag))
		}
	}
	f := fleet{n: 1, scheme: "http", port: b.ports.Unlinked, images: strings.Join(images, ", ")}
	b.say("%d images of one registry in %d repositories, nothing attached", len(images), unlinkedRepositories)
	for _, at := range []struct {
		depth string
		most  int64
	}{{"standard", 12_500}, {"full", 14_500}} {
		s := b.scan(f, "--probe", at.depth)
		if s.Err != nil {
			return s.Err
		}
		b.say("  %-10s %s", at.depth, s)
		text := fmt.Sprintf("%d images in %d repositories: at most %d requests at %s", len(images), unlinkedRepositories, at.most, at.depth)
		b.goal(s.Requests <= at.most, text, "%d", s.Requests)
	}
	b.say("")
	return nil
}
