package probe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// TestRowInTime: all steps of a row share one allowance, so that a registry
// that goes silent after its verdict costs no more time than one that was
// silent from the start; what was not measured is not told as broken.
func TestRowInTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/manifests/1.0"):
			w.Header().Set("Docker-Content-Digest", manifestDigest)
		case strings.Contains(r.URL.Path, manifestDigest) && r.URL.RawQuery == "":
			w.Header().Set("Content-Type", matrix.IndexMediaType)
			w.Header().Set("Link", `<?page=2>; rel="next"`)
			_, _ = w.Write([]byte(`{"schemaVersion":2,"manifests":[` + twoTypes + `]}`))
		default:
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	entry := inventory.Registry{
		Name: "slow", URL: target, Timeout: 500 * time.Millisecond, Retries: 1, RetryCap: 100 * time.Millisecond,
		Concurrency: 1, Auth: inventory.Auth{Anonymous: true},
	}
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	client := pool.Client(entry)
	outcome, err := probe.NewRegistry(client).Image(context.Background(), client.NewSession(), image, probe.Options{Depth: probe.Full})
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.NewRow(verdict.Target{Registry: "slow"}, &outcome.Observation)
	if row.Reason != matrix.ReferrersListed {
		t.Errorf("%s: %s", row.Reason, row.Detail)
	}
	most := 2*entry.Timeout + entry.RetryCap
	if slack := time.Second; outcome.Duration > most+slack {
		t.Errorf("the row took %s, over %s", outcome.Duration, most)
	}
	if got := outcome.Observation.Capabilities.Pagination; got != matrix.PageBounded {
		t.Errorf("pagination is %s", got)
	}
}

// TestWriteProbeCleansUp: what was pushed is deleted even where the registry
// goes silent in between and the row's time is used up, or the scan ends.
func TestWriteProbeCleansUp(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var pushed, deleted atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			scratch := strings.HasPrefix(r.URL.Path, "/v2/scratch/")
			switch {
			case scratch && r.Method == http.MethodPut:
				pushed.Add(1)
				w.WriteHeader(http.StatusCreated)
			case scratch && r.Method == http.MethodDelete:
				deleted.Add(1)
				w.WriteHeader(http.StatusAccepted)
			case scratch && strings.Contains(r.URL.Path, "/referrers/"):
				if interrupted {
					cancel()
				}
				<-r.Context().Done()
			case scratch && strings.Contains(r.URL.Path, "/manifests/"):
				w.WriteHeader(http.StatusNotFound)
			case strings.Contains(r.URL.Path, "/referrers/"):
				w.WriteHeader(http.StatusNotFound)
			default: // the image, and the empty blob, which is there
				w.Header().Set("Docker-Content-Digest", manifestDigest)
			}
		}))
		defer server.Close()
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		pool := registry.NewPool(registry.Options{})
		defer pool.Close()
		entry := inventory.Registry{
			Name: "silent", URL: target, Timeout: 500 * time.Millisecond, Concurrency: 1,
			Auth: inventory.Auth{Anonymous: true}, WriteProbe: &inventory.WriteProbe{Repository: "scratch/x"},
		}
		image, err := inventory.ParseImage("team/app:1.0")
		if err != nil {
			t.Fatal(err)
		}
		client := pool.Client(entry)
		outcome, err := probe.NewRegistry(client).Image(ctx, client.NewSession(), image, probe.Options{Depth: probe.Basic, Write: true})
		if err != nil || outcome.Observation.CutShort != interrupted {
			t.Errorf("interrupted %v: %v, cut short %v", interrupted, err, outcome.Observation.CutShort)
		}
		if push := outcome.Observation.Capabilities.Push; push == nil || len(push.LeftBehind) > 0 || pushed.Load() == 0 || deleted.Load() != pushed.Load() {
			t.Errorf("interrupted %v: %d pushed, %d deleted, %+v", interrupted, pushed.Load(), deleted.Load(), push)
		}
	}
}

// TestCutShort: what was read before the scan ended is compared all the same.
func TestCutShort(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/manifests/1.0"):
			w.Header().Set("Docker-Content-Digest", manifestDigest)
		case strings.Contains(r.URL.Path, "/manifests/sha256-"), strings.Contains(r.URL.Path, manifestDigest):
			w.Header().Set("Content-Type", matrix.IndexMediaType)
			_, _ = w.Write([]byte(`{"schemaVersion":2,"manifests":[` + twoTypes + `]}`))
		default: // an absent subject, which is asked for afterwards
			interrupt()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	pool := registry.NewPool(registry.Options{})
	defer pool.Close()
	image, err := inventory.ParseImage("team/app:1.0")
	if err != nil {
		t.Fatal(err)
	}
	entry := inventory.Registry{Name: "r", URL: target, Timeout: time.Minute, Auth: inventory.Auth{Anonymous: true}}
	client := pool.Client(entry)
	outcome, err := probe.NewRegistry(client).Image(ctx, client.NewSession(), image, probe.Options{Depth: probe.Full})
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.NewRow(verdict.Target{Registry: "r"}, &outcome.Observation)
	if got := comparedWords(row); got != "0/0" || !hasFinding(row, "cut-short") || hasFinding(row, "links-not-compared") {
		t.Errorf("compared %s, %+v", got, row.Findings)
	}
}
