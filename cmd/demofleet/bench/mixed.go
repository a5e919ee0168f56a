package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of every entry of the mixed fleet.
const (
	mixedRate        = 5 // requests per second
	mixedBurst       = 3
	mixedConcurrency = 4
	mixedImages      = 20
)

// mixed answers as a fleet is: anonymous, Basic and Bearer, each request after
// a latency of its own (lognormal), some registries ten times as slow, some
// with a 429 now and then. It notes how it was asked.
type mixed struct {
	latency time.Duration // median
	count   *atomic.Int64

	mu    sync.Mutex
	hosts map[string]*visits
}

// visits is how one registry was asked.
type visits struct {
	times          []time.Time
	inFlight, most int
}

// traits of registry i.
func slow(i int) bool    { return i%20 == 7 }
func limited(i int) bool { return i%25 == 3 }
func silent(i int) bool  { return i%100 == 9 }

func (m *mixed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.count.Add(1)
	host, _, _ := net.SplitHostPort(r.Host)
	nth := m.arrive(host)
	defer m.leave(host)
	i := numberOf(host)
	random := rand.New(rand.NewPCG(uint64(i), uint64(nth)))
	latency := float64(m.latency) * math.Exp(0.5*random.NormFloat64())
	if slow(i) {
		latency *= 10
	}
	time.Sleep(time.Duration(latency))
	if limited(i) && nth%5 == 4 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	answer(w, r, []challenge{none, basic, bearer}[i%3])
}

// arrive notes a request and returns its number at its registry.
func (m *mixed) arrive(host string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.hosts[host]
	if v == nil {
		v = &visits{}
		m.hosts[host] = v
	}
	v.times = append(v.times, time.Now())
	v.inFlight++
	v.most = max(v.most, v.inFlight)
	return len(v.times) - 1
}

func (m *mixed) leave(host string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hosts[host].inFlight--
}

// gentle is the most that any registry was asked.
type gentle struct{ InFlight, InOneSecond int }

// report returns what was noted since it was last asked.
func (m *mixed) report(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var g gentle
	for _, v := range m.hosts {
		g.InFlight = max(g.InFlight, v.most)
		for first, last := 0, 0; last < len(v.times); last++ {
			for v.times[last].Sub(v.times[first]) > time.Second {
				first++
			}
			g.InOneSecond = max(g.InOneSecond, last-first+1)
		}
	}
	m.hosts = map[string]*visits{}
	_ = json.NewEncoder(w).Encode(g)
}

// numberOf is the registry that has an address.
func numberOf(host string) int {
	var a, b, c int
	_, _ = fmt.Sscanf(host, "127.%d.%d.%d", &a, &b, &c)
	return (a-1)*62500 + b*250 + c - 1
}

// mixedFleet scans a fleet of all sorts: every verdict has to be right, and no
// registry asked for more than its limits.
func (b *bench) mixedFleet() error {
	n := min(300, b.most)
	var text strings.Builder
	images := make([]string, mixedImages)
	for i := range images {
		images[i] = fmt.Sprintf("team/app:%d", i)
	}
	fmt.Fprintf(&text, "version: 1\ndefaults: {images: [%s], rate: %d, burst: %d, concurrency: %d, timeout: 5s, retries: 3}\nregistries:\n",
		strings.Join(images, ", "), mixedRate, mixedBurst, mixedConcurrency)
	for i := range n {
		port, auth := b.ports.Mixed, "anonymous: true"
		if silent(i) {
			port = b.ports.Dead
		}
		if i%3 == 1 {
			auth = "username: bench, password: bench"
		}
		fmt.Fprintf(&text, "  - {name: r%05d, url: 'http://%s:%d', auth: {%s}}\n", i, address(i), port, auth)
	}
	path := filepath.Join(b.dir, "mixed.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return err
	}
	out := filepath.Join(b.dir, "mixed")
	s := b.run(b.refmatrix, "scan", "-q", "-i", path, "-o", out, "-f", "json", "--probe", "basic", "--fail-on", "never", "--concurrency", fmt.Sprint(b.inFlight))
	if s.Err != nil {
		return s.Err
	}
	right, rows, err := verdicts(filepath.Join(out, "matrix.json"))
	if err != nil {
		return err
	}
	g, err := b.gentle()
	if err != nil {
		return err
	}
	b.say("%d registries of all sorts, %d images each: anonymous, Basic, Bearer; lognormal latency, 5 %% slow, 4 %% with 429s, 1 %% silent\n  refmatrix  %s\n", n, mixedImages, s)
	b.goal(right == rows && rows == n*mixedImages, "every verdict of a mixed fleet is right", "%d of %d", right, n*mixedImages)
	b.goal(g.InOneSecond <= mixedRate+mixedBurst, fmt.Sprintf("no registry asked more than rate + burst (%d) in a second", mixedRate+mixedBurst), "%d", g.InOneSecond)
	b.goal(g.InFlight <= mixedConcurrency, fmt.Sprintf("no registry with more than its concurrency (%d) in flight", mixedConcurrency), "%d", g.InFlight)
	return nil
}

// gentle asks the simulator how the mixed fleet was asked.
func (b *bench) gentle() (g gentle, err error) {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/gentle", b.ports.Control))
	if err != nil {
		return g, err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal(content, &g)
}

// verdicts counts the rows of a matrix, and those that are right.
func verdicts(path string) (right, rows int, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var m struct {
		Rows []struct{ Registry, Severity, Reason string }
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return 0, 0, err
	}
	for _, row := range m.Rows {
		var i int
		_, _ = fmt.Sscanf(row.Registry, "r%d", &i)
		switch {
		case silent(i) && row.Severity == "fail", !silent(i) && row.Reason == "referrers-listed":
			right++
		case limited(i) && row.Reason == "rate-limited": // every retry can meet a 429
			right++
		}
	}
	return right, len(m.Rows), nil
}
