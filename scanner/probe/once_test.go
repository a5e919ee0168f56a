package probe_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// onIdle is a worker that calls a function when its row waits.
type onIdle func()

func (f onIdle) Idle() { f() }
func (onIdle) Busy()   {}

// TestRowsThatWaitForAnAnswer: rows that wait for the answer to a question that one row asks
// have given back the memory of their last answers. Else they could hold all that the answer
// needs, and nothing would go on: the clock of a body that waits for memory stands still.
func TestRowsThatWaitForAnAnswer(t *testing.T) {
	t.Setenv("HTTP_PROXY", "")
	long := `{"schemaVersion":2,"manifests":[` + twoTypes + `]}` + strings.Repeat(" ", registry.MaxError)
	asked, held := make(chan struct{}), new(sync.WaitGroup)
	held.Add(2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		absent := strings.Contains(r.URL.Path, "/referrers/sha256:0000")
		switch {
		case r.Method == http.MethodHead:
			w.Header().Set("Docker-Content-Digest", manifestDigest)
			return
		case absent:
			close(asked)
			held.Wait()
		}
		w.Header().Set("Content-Type", matrix.IndexMediaType)
		w.(http.Flusher).Flush() // so that the body has no length, and may become as long as any
		if absent || strings.Contains(r.URL.Path, "/manifests/sha256-") {
			_, _ = io.WriteString(w, long)
			return
		}
		_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
	}))
	defer server.Close()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	client := pool.Client(inventory.Registry{
		Name:        "r",
		URL:         target,
		Timeout:     time.Minute,
		Concurrency: 4,
		Auth:        inventory.Auth{Anonymous: true},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	probed := probe.NewRegistry(client)
	var rows sync.WaitGroup
	row := func(reference string, idle func()) {
		image, err := inventory.ParseImage(reference)
		if err != nil {
			t.Fatal(err)
		}
		rows.Go(func() {
			session := client.NewSession()
			defer session.Close()
			ctx := registry.WithWorker(ctx, onIdle(sync.OnceFunc(idle)))
			outcome, err := probed.Image(ctx, session, image, probe.Options{Depth: probe.Standard})
			if err != nil || outcome.Observation.CutShort {
				t.Errorf("%s: not done in time: %v", reference, err)
			}
		})
	}
	row("team/a:1", func() {})
	<-asked
	row("team/b:1", held.Done)
	row("team/c:1", held.Done)
	rows.Wait()
}
