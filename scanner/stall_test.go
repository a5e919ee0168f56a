package scanner_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/probe"
)

// TestRepositoryWithASilentImage: images of a repository wait for those before them, but not
// for as long as one that is never answered takes: they are measured although the scan ends
// before it does.
func TestRepositoryWithASilentImage(t *testing.T) {
	oneType := func(string, string) []string { return []string{"application/a"} } // a filter by it shows nothing
	for _, test := range []struct {
		name, kind string
		answered   int // requests of the kind before the one that is not
		referrer   func(repository, tag string) []string
	}{
		{"its manifest", "manifest", 1, nil},
		{"a question of the repository", "filter", 1, oneType},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			seen, silent := map[string]bool{}, ""
			h := &hub{
				kinds:    map[string]int{},
				digests:  map[string]string{},
				referrer: test.referrer,
				answers: func(_ http.ResponseWriter, q *http.Request) bool {
					mu.Lock()
					if kindOf(q) == test.kind {
						seen[q.URL.String()] = true
					}
					if silent == "" && len(seen) > test.answered {
						silent = q.URL.String()
					}
					hangs := q.URL.String() == silent
					mu.Unlock()
					if hangs {
						<-q.Context().Done()
					}
					return hangs
				},
			}
			var images []string
			for i := range 12 {
				images = append(images, fmt.Sprintf("'app-0:v%d'", i))
			}
			inv := load(t, fmt.Sprintf("version: 1\nregistries: [{name: r, url: '%s', images: [%s], timeout: 1s, retries: 9, rate: 0, auth: {anonymous: true}}]",
				serve(t, h.ServeHTTP), strings.Join(images, ",")))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			measured := 0
			scan(t, ctx, inv, scanner.Options{
				Probe: probe.Options{Depth: probe.Standard},
				Progress: func(e scanner.Event) {
					if e.Row == nil || e.Row.Reason == matrix.Timeout {
						return
					}
					if measured++; measured == len(images)-1 {
						cancel()
					}
				},
			})
			if measured < len(images)-1 {
				t.Errorf("%d rows in time, want all but the silent one", measured)
			}
		})
	}
}
