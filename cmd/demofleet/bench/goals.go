package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// againstFloor compares a scan of 1,000 registries with the bare client.
func (b *bench) againstFloor() error {
	f := b.plain(min(1000, b.most))
	got, err := interleave(b.rounds, func() sample { return b.bare(f) }, func() sample { return b.scan(f) })
	if err != nil {
		return err
	}
	bare, scan := got[0], got[1]
	b.say("%d registries\n  floor      %s\n  refmatrix  %s", f.n, bare, scan)
	limit := time.Duration(2*f.n/b.inFlight) * b.latency
	b.say("  R*k*L/c    %8.2f s wall", limit.Seconds())
	wall, cpu := scan.Wall.Seconds()/bare.Wall.Seconds(), scan.CPU.Seconds()/bare.CPU.Seconds()
	b.say("  refmatrix takes %.3f x the floor's wall time and %.2f x its CPU\n", wall, cpu)
	b.goal(wall <= 1.05, "wall at most 1.05 x floor", "%.3f", wall)
	b.goal(megabytes(scan.RSS) < 60, "peak RSS under 60 MB at 1,000 registries", "%.1f MB", megabytes(scan.RSS))
	b.goal(scan.Requests == int64(2*f.n), "2 requests for an anonymous image", "%.2f", float64(scan.Requests)/float64(f.n))
	return nil
}

// requests counts those of images behind a token challenge, and of many images in one
// registry.
func (b *bench) requests() error {
	f := fleet{n: 200, scheme: "http", port: b.ports.Bearer, images: "team/app:1, team/app:2, team/app:3"}
	s := b.scan(f)
	if s.Err != nil {
		return s.Err
	}
	b.goal(s.Requests == int64(f.n*(4+2+2)), "4 requests for the first image behind a token, 2 for a further one", "%.2f for three", float64(s.Requests)/float64(f.n))
	return b.unlinked()
}

// firstRow measures when the first row is there, and the start of the command.
func (b *bench) firstRow() error {
	path, err := b.inventory(b.plain(min(1000, b.most)))
	if err != nil {
		return err
	}
	cmd := exec.Command(b.refmatrix, "scan", "-v", "-i", path, "-o", filepath.Join(b.dir, "reports"), "--probe", "basic", "--fail-on", "never", "--progress", "none")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	first := time.Duration(0)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if first == 0 && strings.Contains(lines.Text(), "team/app") {
			first = time.Since(began)
		}
	}
	if err := cmd.Wait(); err != nil {
		return err
	}
	if first == 0 {
		return errNoRow
	}
	sequence := 2 * b.latency
	b.goal(first <= sequence+60*time.Millisecond, fmt.Sprintf("first row within one sequence of requests (%d ms) and the start", sequence.Milliseconds()), "%d ms", first.Milliseconds())
	got, err := interleave(9, func() sample { return b.run(b.refmatrix, "version") })
	if err != nil {
		return err
	}
	b.goal(got[0].Wall < 20*time.Millisecond, "starts within 20 ms", "%.1f ms", float64(got[0].Wall.Microseconds())/1000)
	return nil
}

// peer is another client that asks for the referrers of one image.
type peer struct {
	name    string
	program string
	script  string // for xargs, $1 the registry's host
}

var peerTools = []peer{
	{"oras discover", "oras", `oras discover --plain-http "$1/team/app:latest"`},
	{"regctl artifact list", "regctl", `regctl --host "reg=$1,tls=disabled" artifact list "$1/team/app:latest"`},
	{"curl", "curl", `d=$(curl -sI "http://$1/v2/team/app/manifests/latest" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p') && curl -sf "http://$1/v2/team/app/referrers/$d"`},
}

// peers compares with what else is installed, run by xargs -P.
func (b *bench) peers() error {
	f := b.plain(min(300, b.most))
	hosts := filepath.Join(b.dir, "hosts")
	text := strings.ReplaceAll(strings.Join(f.origins(), "\n"), "http://", "")
	if err := os.WriteFile(hosts, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	b.say("%d registries, other clients under xargs -P %d", f.n, b.inFlight)
	runs, names := []func() sample{func() sample { return b.scan(f) }}, []string{"refmatrix"}
	for _, p := range peerTools {
		if _, err := exec.LookPath(p.program); err != nil {
			b.say("  %-20s is not installed", p.name)
			continue
		}
		names = append(names, p.name)
		runs = append(runs, func() sample {
			return b.run("xargs", "-a", hosts, "-P", fmt.Sprint(b.inFlight), "-I{}", "sh", "-c", p.script+" >/dev/null", "sh", "{}")
		})
	}
	got, err := interleave(b.rounds, runs...)
	if err != nil {
		return err
	}
	fastest, leanest := time.Duration(0), time.Duration(0)
	for i, s := range got {
		b.say("  %-20s %s", names[i], s)
		if i > 0 && (fastest == 0 || s.Wall < fastest) {
			fastest = s.Wall
		}
		if i > 0 && (leanest == 0 || s.CPU < leanest) {
			leanest = s.CPU
		}
	}
	if fastest > 0 {
		b.say("  the fastest other client takes %.1f x refmatrix's wall time, the leanest %.1f x its CPU",
			fastest.Seconds()/got[0].Wall.Seconds(), leanest.Seconds()/got[0].CPU.Seconds())
	}
	b.say("")
	return nil
}

// memory measures the largest fleet behind TLS.
func (b *bench) memory() error {
	f := fleet{n: b.most, scheme: "https", port: b.ports.TLS}
	s := b.scan(f)
	if s.Err != nil {
		return s.Err
	}
	b.say("%d registries behind TLS\n  refmatrix  %s\n", f.n, s)
	b.goal(megabytes(s.RSS) < 200, fmt.Sprintf("peak RSS under 200 MB at %d registries behind TLS", f.n), "%.1f MB", megabytes(s.RSS))
	return nil
}

// dead measures what black-holed registries cost the others.
func (b *bench) dead() error {
	alive := b.plain(b.most - b.most/20)
	some := b.plain(b.most)
	some.dead, some.dead0 = b.most/20, b.ports.Dead
	got, err := interleave(1, func() sample { return b.scan(alive) }, func() sample { return b.scan(some) })
	if err != nil {
		return err
	}
	const timeout = 5 * time.Second // of the inventory
	b.say("%d registries, then with %d more that answer nothing\n  without    %s\n  with       %s\n", alive.n, some.dead, got[0], got[1])
	allowed := time.Duration(1.2*float64(got[0].Wall)) + timeout
	b.goal(got[1].Wall <= allowed, "5 % dead cost at most 1.2 x and one timeout", "%.1f s of %.1f s", got[1].Wall.Seconds(), allowed.Seconds())
	return nil
}

// growth is one size of fleet.
type growth struct {
	n           int
	scan, floor sample
}

func (b *bench) growth() error {
	b.say("growth")
	for n := 10; n <= b.most; n *= 10 {
		f := b.plain(n)
		got, err := interleave(1, func() sample { return b.bare(f) }, func() sample { return b.scan(f) })
		if err != nil {
			return err
		}
		b.growths = append(b.growths, growth{n, got[1], got[0]})
		b.say("  %6d floor      %s\n         refmatrix  %s", n, got[0], got[1])
	}
	return nil
}
