package scanner_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"refmatrix/matrix"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

// tagsOnly answers as a registry without the referrers API.
func tagsOnly(w http.ResponseWriter, q *http.Request) {
	if strings.Contains(q.URL.Path, "/manifests/") {
		w.Header().Set("Docker-Content-Digest", digest)
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func load(t *testing.T, text string) *inventory.Inventory {
	t.Helper()
	inv, err := inventory.Parse(strings.NewReader(text), "inventory.yaml", t.TempDir(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// scan is Scan for tests in which nothing panics.
func scan(t *testing.T, ctx context.Context, inv *inventory.Inventory, options scanner.Options) *matrix.Matrix {
	t.Helper()
	m, err := scanner.Scan(ctx, inv, options)
	if err != nil {
		t.Error(err)
	}
	return m
}

var basic = probe.Options{Depth: probe.Basic}

// TestOrder: rows stand in the inventory's order, whatever finished first.
func TestOrder(t *testing.T) {
	measured := make(chan struct{}) // closed with the first row of the quick one
	slow := serve(t, func(w http.ResponseWriter, q *http.Request) {
		select {
		case <-measured:
		case <-q.Context().Done():
		}
		tagsOnly(w, q)
	})
	quick := serve(t, tagsOnly)
	inv := load(t, fmt.Sprintf("version: 1\ndefaults: {images: [a, b, c], rate: 0, auth: {anonymous: true}}\nregistries:\n  - {name: slow, url: '%s'}\n  - {name: quick, url: '%s'}\n", slow, quick))
	var finished []string
	m := scan(t, context.Background(), inv, scanner.Options{Probe: basic, Progress: func(e scanner.Event) {
		if e.Row == nil {
			return
		}
		if finished = append(finished, e.Registry); len(finished) == 1 {
			close(measured)
		}
	}})
	var got []string
	for _, row := range m.Rows {
		got = append(got, row.Registry+" "+row.Image)
	}
	want := "slow a:latest, slow b:latest, slow c:latest, quick a:latest, quick b:latest, quick c:latest"
	if strings.Join(got, ", ") != want || !m.Complete {
		t.Errorf("complete %v, rows %q", m.Complete, got)
	}
	if len(finished) != 6 || finished[0] != "quick" {
		t.Errorf("rows did not stream as they finished: %q", finished)
	}
}

// TestFairness: a registry that never answers, with many images, does not keep
// the others from being measured while it hangs.
func TestFairness(t *testing.T) {
	stuck := make(chan struct{})
	hanging := serve(t, func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-stuck:
		case <-q.Context().Done():
		}
	})
	quick := serve(t, tagsOnly)
	var images []string
	for i := range 40 {
		images = append(images, fmt.Sprintf("i%d", i))
	}
	inv := load(t, fmt.Sprintf("version: 1\ndefaults: {rate: 0, retries: 0, auth: {anonymous: true}, timeout: 10s}\nregistries:\n  - {name: hangs, url: '%s', images: [%s], concurrency: 4}\n  - {name: quick, url: '%s', images: [a, b, c, d, e, f]}\n",
		hanging, strings.Join(images, ","), quick))
	var done atomic.Int32
	ctx, cancel := context.WithCancel(context.Background())
	m := scan(t, ctx, inv, scanner.Options{Concurrency: 8, Probe: basic, Progress: func(e scanner.Event) {
		if e.Row != nil && e.Registry == "quick" && done.Add(1) == 6 {
			cancel() // all of the quick one is there while the other still hangs
			close(stuck)
		}
	}})
	cancel()
	if done.Load() != 6 || m.Complete {
		t.Errorf("%d rows of the quick registry, complete %v", done.Load(), m.Complete)
	}
}

// TestDeadline: what was measured before the deadline is there, and the matrix
// says that it is not all.
func TestDeadline(t *testing.T) {
	hanging := serve(t, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	inv := load(t, fmt.Sprintf("version: 1\ndefaults: {images: [a], rate: 0, auth: {anonymous: true}}\nregistries:\n  - {name: quick, url: '%s'}\n  - {name: hangs, url: '%s'}\n", serve(t, tagsOnly), hanging))
	began := time.Now()
	m := scan(t, context.Background(), inv, scanner.Options{Deadline: 2 * time.Second, Probe: basic})
	if m.Complete || len(m.Rows) != 1 || m.Rows[0].Registry != "quick" || m.Summary.Rows != 1 {
		t.Errorf("complete %v, rows %+v", m.Complete, m.Rows)
	}
	if took := time.Since(began); took > 9*time.Second { // the timeout of one request is 10 s
		t.Errorf("took %s", took)
	}
}

// TestDeadlineOfARate: an image whose turn would come after the deadline was not
// measured, which is no fault of its registry's.
func TestDeadlineOfARate(t *testing.T) {
	inv := load(t, fmt.Sprintf("version: 1\ndefaults: {images: [a, b, c, d, e, f], burst: 2, auth: {anonymous: true}}\nregistries:\n  - {name: own, rate: 0.001, url: '%s'}\n", serve(t, tagsOnly)))
	for _, test := range []struct {
		name    string
		options scanner.Options
	}{
		{"the registry's rate", scanner.Options{}},
		{"the rate over all", scanner.Options{Rate: 0.001}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.options.Deadline, test.options.Probe = time.Minute, basic
			m := scan(t, context.Background(), inv, test.options)
			if m.Complete || m.Summary.Fail > 0 || len(m.Rows) > 1 {
				t.Errorf("complete %v, rows %+v", m.Complete, m.Rows)
			}
		})
	}
}

// TestRow: requests, duration, exchanges and labels come with the verdict.
func TestRow(t *testing.T) {
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {name: r, url: '%s', images: [a], labels: {env: prod}, expect: referrers-api, auth: {anonymous: true}}\n", serve(t, tagsOnly)))
	m := scan(t, context.Background(), inv, scanner.Options{Tool: matrix.Tool{Name: "refmatrix", Version: "test"}, Probe: basic})
	row := m.Rows[0]
	if row.Requests != 2 || len(row.Exchanges) != 2 || row.DurationMS <= 0 || row.Labels["env"] != "prod" || row.Digest != digest || !row.Unexpected {
		t.Errorf("%+v", row)
	}
	if m.Schema != matrix.Schema || m.Summary.Warn != 1 || m.Summary.Unexpected != 1 || m.Tool.Version != "test" || m.Finished.Before(m.Started) {
		t.Errorf("%+v", m)
	}
}

// TestRequestBudget: basic makes two requests for an image and no more.
func TestRequestBudget(t *testing.T) {
	var asked atomic.Int32
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {url: '%s', images: [a, b, c, d, e], rate: 0, auth: {anonymous: true}}\n", serve(t, func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		tagsOnly(w, q)
	})))
	scan(t, context.Background(), inv, scanner.Options{Probe: basic})
	if asked.Load() != 10 {
		t.Errorf("%d requests for 5 images", asked.Load())
	}
}

// TestRequire: the kinds that an entry requires are in its rows, as unknown if nothing read the
// links, and in no others.
func TestRequire(t *testing.T) {
	inv := load(t, `version: 1
defaults: {images: [a], retries: 0}
registries:
  - {name: required, url: 'http://127.0.0.1:1', require: [sbom, vex]}
  - {name: free, url: 'http://127.0.0.1:1'}
`)
	m := scan(t, context.Background(), inv, scanner.Options{Probe: basic})
	if got := fmt.Sprint(m.Rows[0].Coverage); got != "map[sbom:unknown vex:unknown]" {
		t.Errorf("covered: %s", got)
	}
	if got := m.Rows[1].Coverage; got != nil {
		t.Errorf("nothing is required, and covered: %v", got)
	}
}

// TestWriteProbeOnce: a registry is pushed to once, and every row says what came of it.
func TestWriteProbeOnce(t *testing.T) {
	var uploads atomic.Int32
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {url: '%s', images: [a, b, c, 'c:2'], writeProbe: {repository: scratch}, auth: {anonymous: true}}\n", serve(t, func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			uploads.Add(1)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		tagsOnly(w, q)
	})))
	m := scan(t, context.Background(), inv, scanner.Options{Probe: probe.Options{Depth: probe.Basic, Write: true}})
	if uploads.Load() != 1 {
		t.Errorf("%d pushes for 4 images", uploads.Load())
	}
	for _, row := range m.Rows {
		if push := row.Capabilities.Push; push == nil || push.Strategy != matrix.PushRefused || row.Clients["oras"].Push != matrix.OutcomeError {
			t.Errorf("%s: %+v, %+v", row.Image, push, row.Clients)
		}
	}
}

// TestSilentRegistries: registries that answer nothing hold no worker, so the
// others are done long before the silent ones time out.
func TestSilentRegistries(t *testing.T) {
	release := make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-release:
		case <-q.Context().Done():
		}
	})
	quick := serve(t, tagsOnly)
	text := "version: 1\ndefaults: {images: [a], rate: 0, retries: 0, timeout: 1m, auth: {anonymous: true}}\nregistries:\n"
	for i := range 3 {
		text += fmt.Sprintf("  - {name: silent-%d, url: '%s'}\n", i, silent)
	}
	for i := range 40 {
		text += fmt.Sprintf("  - {name: quick-%d, url: '%s'}\n", i, quick)
	}
	var done atomic.Int64
	m := scan(t, context.Background(), load(t, text), scanner.Options{Probe: basic, Concurrency: 2, Progress: func(e scanner.Event) {
		// The silent ones are let go only when every other row is there.
		if e.Row != nil && strings.HasPrefix(e.Registry, "quick") && done.Add(1) == 40 {
			close(release)
		}
	}})
	if len(m.Rows) != 43 || !m.Complete {
		t.Errorf("%d rows, complete %v", len(m.Rows), m.Complete)
	}
}

// TestRowsThatWaitForEachOther: a row that fetches the token of a repository
// gives up its place while it waits for the rate, and gets on although the rows
// that took the place wait for that token.
func TestRowsThatWaitForEachOther(t *testing.T) {
	var address string
	address = serve(t, func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.URL.Path == "/token":
			fmt.Fprint(w, `{"token":"of-the-repository"}`)
		case q.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="s"`, address))
			w.WriteHeader(http.StatusUnauthorized)
		default:
			tagsOnly(w, q)
		}
	})
	// A tenth of a second between requests is twice what makes a row give way.
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {url: '%s', images: [a, 'b:1', 'b:2', 'b:3'], rate: 10, burst: 1, auth: {anonymous: true}}\n", address))
	scanned := make(chan *matrix.Matrix, 1)
	go func() {
		scanned <- scan(t, context.Background(), inv, scanner.Options{Concurrency: 1, Probe: basic})
	}()
	select {
	case m := <-scanned:
		if len(m.Rows) != 4 || !m.Complete || m.Summary.Warn != 4 {
			t.Errorf("complete %v, %+v", m.Complete, m.Summary)
		}
	case <-time.After(time.Minute):
		t.Fatal("the rows wait for each other")
	}
}

// TestPanic: a bug of ours ends the scan. What was measured is in the matrix, the row
// that met it is not, and what the panic holds is not repeated.
func TestPanic(t *testing.T) {
	registry := serve(t, tagsOnly)
	inv := load(t, fmt.Sprintf("version: 1\nregistries:\n  - {name: r, url: '%s', images: [a, b, c, d], concurrency: 1, rate: 0, auth: {anonymous: true}}\n", registry))
	for name, test := range map[string]struct {
		broken func()
		says   string
	}{
		"with a value":   {func() { panic("canary-of-the-wire") }, "panic with a string"},
		"of the runtime": {func() { _ = []int{}[len(inv.Registries)] }, "index out of range [1] with length 0"},
	} {
		m, err := scanner.Scan(context.Background(), inv, scanner.Options{Probe: basic, Progress: func(e scanner.Event) {
			if e.Row == nil && e.Image == "c:latest" {
				test.broken()
			}
		}})
		var bug *matrix.Panicked
		if !errors.As(err, &bug) || !strings.Contains(err.Error(), test.says) || !strings.Contains(bug.Stack(), "scan_test.go") {
			t.Fatalf("%s: %v", name, err)
		}
		if strings.Contains(err.Error()+bug.Stack(), "canary") {
			t.Errorf("%s: %v\n%s", name, err, bug.Stack())
		}
		if len(m.Rows) != 2 || m.Complete || m.Rows[1].Image != "b:latest" {
			t.Errorf("%s: %d rows, complete %t", name, len(m.Rows), m.Complete)
		}
	}
}
