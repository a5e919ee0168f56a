package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sample is one run of a command.
type sample struct {
	Wall     time.Duration
	CPU      time.Duration // user and system, children included
	RSS      int64         // peak, in bytes
	Requests int64         // as the simulator counted them
	Err      error
}

// bench is one measurement.
type bench struct {
	options
	dir     string
	sim     *exec.Cmd
	hold    io.Closer // the simulator's stdin: closing it ends it
	ports   ports
	report  bytes.Buffer
	goals   []goal
	growths []growth
}

// goal is one line of the result.
type goal struct {
	text, figure string
	met          bool
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(io.MultiWriter(os.Stdout, &b.report), format+"\n", args...)
}

func (b *bench) goal(met bool, text, figure string, args ...any) {
	g := goal{text, fmt.Sprintf(figure, args...), met}
	b.goals = append(b.goals, g)
	fmt.Printf("%-5s %s: %s\n", map[bool]string{true: "ok", false: "short"}[met], g.text, g.figure)
}

// start runs the simulator in a process of its own.
func (b *bench) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.sim = exec.Command(self, "sim", b.latency.String(), b.ca())
	b.sim.Stderr = os.Stderr
	stdin, err := b.sim.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := b.sim.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.sim.Start(); err != nil {
		return err
	}
	b.hold = stdin
	return json.NewDecoder(stdout).Decode(&b.ports)
}

func (b *bench) close() {
	if b.hold != nil {
		_ = b.hold.Close()
		_ = b.sim.Wait()
	}
}

func (b *bench) ca() string { return filepath.Join(b.dir, "ca.pem") }

// counted returns the requests since it was last asked.
func (b *bench) counted() int64 {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", b.ports.Control))
	if err != nil {
		return -1
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	n, _ := strconv.ParseInt(string(text), 10, 64)
	return n
}

// run runs a command to its end.
func (b *bench) run(name string, args ...string) sample { return b.runIn(nil, name, args...) }

// runIn is run with more variables in the environment.
func (b *bench) runIn(environment []string, name string, args ...string) sample {
	b.counted()
	cmd := exec.Command(name, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+b.dir, "SSL_CERT_FILE="+b.ca(), "HOME="+b.dir)
	cmd.Env = append(cmd.Env, environment...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	err := cmd.Run()
	s := sample{Wall: time.Since(began), Err: err}
	if err != nil {
		s.Err = fmt.Errorf("%s: %w: %.300s", filepath.Base(name), err, stderr.String())
	}
	if cmd.ProcessState != nil {
		s.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			s.RSS = usage.Maxrss << 10
		}
	}
	s.Requests = b.counted()
	return s
}

// address is that of registry i.
func address(i int) string {
	return fmt.Sprintf("127.%d.%d.%d", 1+i/62500, i/250%250, 1+i%250)
}

// fleet says what registries a run meets.
type fleet struct {
	n      int
	scheme string
	port   int
	dead   int // of them, every one of which answers nothing
	images string
	dead0  int // port of the dead

	passwords bool // each registry has an account, with a password of its own
}

func (b *bench) plain(n int) fleet { return fleet{n: n, scheme: "http", port: b.ports.Plain} }

func (f fleet) origin(i int) string {
	port := f.port
	if f.dead > 0 && i%(f.n/f.dead) == 0 {
		port = f.dead0
	}
	return fmt.Sprintf("%s://%s:%d", f.scheme, address(i), port)
}

func (f fleet) origins() []string {
	out := make([]string, f.n)
	for i := range out {
		out[i] = f.origin(i)
	}
	return out
}

// inventory writes the fleet's inventory and returns its path.
func (b *bench) inventory(f fleet) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "version: 1\ndefaults: {images: [%s], rate: 0, timeout: 5s, auth: {anonymous: true}}\nregistries:\n", cmp.Or(f.images, "team/app"))
	for i, origin := range f.origins() {
		settings := ""
		if f.scheme == "https" {
			settings = ", tls: {caFile: ca.pem}"
		}
		if f.passwords {
			settings += fmt.Sprintf(", auth: {username: bench, password: '%s'}", opaque.token(origin))
		}
		fmt.Fprintf(&out, "  - {name: r%05d, url: '%s'%s}\n", i, origin, settings)
	}
	path := filepath.Join(b.dir, fmt.Sprintf("inventory-%s-%d-%d.yaml", f.scheme, f.n, f.dead))
	return path, os.WriteFile(path, []byte(out.String()), 0o600)
}

// scan runs refmatrix over the fleet, with its default reports.
func (b *bench) scan(f fleet, args ...string) sample {
	path, err := b.inventory(f)
	if err != nil {
		return sample{Err: err}
	}
	args = append([]string{"scan", "-q", "-i", path, "-o", filepath.Join(b.dir, "reports"), "--probe", "basic", "--fail-on", "never", "--concurrency", fmt.Sprint(b.inFlight)}, args...)
	return b.run(b.refmatrix, args...)
}

// scanBefore is scan by the earlier build.
func (b *bench) scanBefore(f fleet, args ...string) sample {
	earlier := *b
	earlier.refmatrix = b.before
	return earlier.scan(f, args...)
}

// bare runs the floor over the fleet.
func (b *bench) bare(f fleet) sample {
	path := filepath.Join(b.dir, "origins")
	if err := os.WriteFile(path, []byte(strings.Join(f.origins(), "\n")+"\n"), 0o600); err != nil {
		return sample{Err: err}
	}
	self, err := os.Executable()
	if err != nil {
		return sample{Err: err}
	}
	return b.run(self, "floor", path, fmt.Sprint(b.inFlight))
}

// interleave runs each of runs in turn, rounds times, and returns the median of
// each by wall time.
func interleave(rounds int, runs ...func() sample) ([]sample, error) {
	all := make([][]sample, len(runs))
	for range rounds {
		for i, one := range runs {
			s := one()
			if s.Err != nil {
				return nil, s.Err
			}
			all[i] = append(all[i], s)
		}
	}
	out := make([]sample, len(runs))
	for i, samples := range all {
		out[i] = sample{
			Wall: median(samples, func(s sample) int64 { return int64(s.Wall) }), CPU: median(samples, func(s sample) int64 { return int64(s.CPU) }),
			RSS: int64(median(samples, func(s sample) int64 { return s.RSS })), Requests: int64(median(samples, func(s sample) int64 { return s.Requests })),
		}
	}
	return out, nil
}

func median(samples []sample, of func(sample) int64) time.Duration {
	var values []int64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return time.Duration(values[len(values)/2])
}

func (s sample) String() string {
	return fmt.Sprintf("%8.2f s wall %8.2f s CPU %6d requests %7.1f MB", s.Wall.Seconds(), s.CPU.Seconds(), s.Requests, megabytes(s.RSS))
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

func cpuModel() string {
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}

var errNoRow = errors.New("no row was shown")
