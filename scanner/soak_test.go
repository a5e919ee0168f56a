package scanner_test

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner"
)

var (
	soakTime = flag.Duration("soak", 2*time.Second, "how long TestSoak goes on")
	soakSize = flag.Int("soak-registries", 200, "registries of TestSoak")
	soakSeed = flag.Uint64("soak-seed", 1, "seed of the faults of TestSoak")
)

// soakFleet is many registries on as many addresses of 127.0.0.0/8. What each
// does in a round follows from the seed.
type soakFleet struct {
	port   int
	round  atomic.Uint64
	faults atomic.Int64
}

const healthy = "healthy"

// mood is what a registry does in this round.
func (f *soakFleet) mood(host string) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d %s", *soakSeed, f.round.Load(), host)
	switch n := h.Sum64() % 100; {
	case n < 75:
		return healthy
	case n < 80:
		return "500"
	case n < 85:
		return "close"
	case n < 89:
		return "garbage"
	case n < 93:
		return "truncated"
	case n < 97:
		return "429"
	case n < 99:
		return "403"
	}
	return "silence"
}

func soakHost(i int) string { return fmt.Sprintf("127.%d.%d.%d", 40+i/62500, i/250%250, 1+i%250) }

// hasAPI says which of the healthy registries have the referrers API.
func hasAPI(host string) bool { return host[len(host)-1]%2 == 0 }

func (f *soakFleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.Host)
	mood := f.mood(host)
	if mood == healthy {
		switch {
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Docker-Content-Digest", digest)
		case hasAPI(host):
			w.Header().Set("Content-Type", matrix.IndexMediaType)
			_, _ = io.WriteString(w, `{"schemaVersion":2,"manifests":[]}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	f.faults.Add(1)
	switch mood {
	case "500":
		w.WriteHeader(http.StatusInternalServerError)
	case "429":
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	case "403":
		w.WriteHeader(http.StatusForbidden)
	case "silence":
		<-r.Context().Done()
	default:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		switch mood {
		case "garbage":
			_, _ = io.WriteString(conn, "\x00\xff\r\n\r\n")
		case "truncated":
			_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nx")
		}
	}
}

// held is what the process holds: goroutines, open files, live heap.
type held struct {
	goroutines, files int
	heap              uint64
}

func holds() held {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	return held{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

// TestSoak scans a fleet with faults again and again: every registry has its
// row, healthy ones always the right verdict, a fault is never taken for an
// answer, and nothing grows.
func TestSoak(t *testing.T) {
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &soakFleet{port: listener.Addr().(*net.TCPAddr).Port}
	server := &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	defer serving.Wait()
	defer server.Close()
	text := "version: 1\ndefaults: {images: [a], rate: 0, retries: 0, timeout: 5s, auth: {anonymous: true}}\nregistries:\n"
	for i := range *soakSize {
		text += fmt.Sprintf("  - {name: r%d, url: 'http://%s:%d'}\n", i, soakHost(i), f.port)
	}
	inv := load(t, text)
	var first held
	rounds, wrong := 0, 0
	for began := time.Now(); rounds < 2 || time.Since(began) < *soakTime; rounds++ {
		f.round.Store(uint64(rounds))
		m := scan(t, context.Background(), inv, scanner.Options{Probe: basic})
		if !m.Complete || len(m.Rows) != *soakSize {
			t.Fatalf("round %d: complete %v, %d rows of %d", rounds, m.Complete, len(m.Rows), *soakSize)
		}
		for i := range m.Rows {
			if !soakRight(f, soakHost(i), &m.Rows[i]) {
				wrong++
				t.Errorf("round %d: %s is %s: %s (%s)", rounds, soakHost(i), f.mood(soakHost(i)), m.Rows[i].Reason, m.Rows[i].Detail)
			}
		}
		if rounds == 0 {
			first = holds()
		}
	}
	last := holds()
	if last.goroutines > first.goroutines+20 || last.files > first.files+20 || last.heap > first.heap+first.heap/4+4<<20 {
		t.Errorf("after %d rounds %+v, after the first %+v", rounds, last, first)
	}
	t.Logf("seed %d: %d rounds of %d registries, %d faults, %d wrong verdicts; %+v after the first round, %+v after the last", *soakSeed, rounds, *soakSize, f.faults.Load(), wrong, first, last)
}

// soakRight reports whether row is what its registry's mood allows.
func soakRight(f *soakFleet, host string, row *matrix.Row) bool {
	switch {
	case f.mood(host) != healthy:
		return row.Strategy == matrix.StrategyUnknown && (row.Severity == matrix.Fail || row.Severity == matrix.Info)
	case hasAPI(host):
		return row.Reason == matrix.ReferrersEmpty
	}
	return row.Reason == matrix.NotFound
}
