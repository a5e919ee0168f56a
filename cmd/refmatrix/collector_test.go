package main

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// unset removes a variable of the environment until the test ends.
func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "")
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}

// percent returns the GOGC that holds now.
func percent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
}

// TestGOGCHolds: who sets GOGC has it. It runs again in a process of its own, since
// the pace of TestPaceFollowsLiveHeap lasts as long as the process.
func TestGOGCHolds(t *testing.T) {
	if os.Getenv("GOGC") != "123" {
		again := exec.Command(os.Args[0], "-test.run=^TestGOGCHolds$")
		again.Env = append(os.Environ(), "GOGC=123")
		if output, err := again.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	paceCollector()
	for range 5 {
		runtime.GC()
	}
	if got := percent(); got != 123 {
		t.Errorf("GOGC is %d", got)
	}
}

// TestPaceFollowsLiveHeap: each collection sets how far the heap may grow by what
// it found alive, and so does the one after it.
func TestPaceFollowsLiveHeap(t *testing.T) {
	unset(t, "GOGC")
	paceCollector()
	untilPercent(t, "little lives", func(p int) bool { return p > 2*percentOfLive })
	kept := make([]byte, 256<<20)
	untilPercent(t, "256 MiB live", func(p int) bool { return p == percentOfLive })
	runtime.KeepAlive(kept)
	untilPercent(t, "little lives again", func(p int) bool { return p > 2*percentOfLive })
}

// untilPercent collects until GOGC is as wanted. The cleanup that sets it runs some
// time after a collection.
func untilPercent(t *testing.T, when string, wanted func(int) bool) {
	t.Helper()
	for range 1000 {
		runtime.GC()
		if wanted(percent()) {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%s: GOGC stays %d", when, percent())
}

// TestGCPercent: the heap grows to live + live*GOGC/100, or to 4 MiB*GOGC/100 if
// that is more (go.dev/doc/gc-guide, runtime.heapMinimum).
func TestGCPercent(t *testing.T) {
	for _, test := range []struct{ live, goal int }{ // MiB
		{0, 16},
		{2, 16},
		{8, 24},
		{16, 32},
		{40, 56},
		{200, 280},
		{1000, 1400},
	} {
		p := gcPercent(uint64(test.live) << 20)
		if goal := max(test.live+test.live*p/100, 4*p/100); goal != test.goal {
			t.Errorf("%d MiB live: GOGC=%d, and the heap grows to %d MiB, want %d", test.live, p, goal, test.goal)
		}
	}
}

// TestLimitMemory: nine tenths of the limit, unless GOMEMLIMIT is set.
func TestLimitMemory(t *testing.T) {
	unset(t, "GOMEMLIMIT")
	unset(t, "AUTOMEMLIMIT")
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	limitMemory(memlimit.Limit(1000 << 20))
	if got := debug.SetMemoryLimit(-1); got != 900<<20 {
		t.Errorf("the limit is %d", got)
	}
	limitMemory(func() (uint64, error) { return 0, memlimit.ErrNoLimit })
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("without a limit it is %d", got)
	}
	debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitMemory(memlimit.Limit(1000 << 20))
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("GOMEMLIMIT is set, and the limit is %d", got)
	}
}
