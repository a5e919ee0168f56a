package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory has the collector keep the process within nine tenths of the memory
// that limit reports, unless GOMEMLIMIT says otherwise. Where no limit can be
// found, the process goes without one, as any other does.
func limitMemory(limit memlimit.Provider) {
	_, _ = memlimit.Set(memlimit.WithRatio(0.9), memlimit.WithProvider(limit))
}

// The heap grows by this many bytes between two collections, or by this part of
// what lives if that is more. By Go's default it doubles: a scan that keeps 3 MB
// then spends a quarter of its CPU on collections, and one that keeps 200 MB needs
// 400. More than this costs a small scan memory and spares it no CPU.
const (
	heapGrowth    = 16 << 20
	percentOfLive = 40

	// The runtime lets a heap grow to GOGC percent of this, however little lives
	// (runtime.heapMinimum).
	heapMinimum = 4 << 20
)

// paceCollector sets after each collection how far the heap may grow before the
// next, unless GOGC is set. The memory limit holds whatever is set here
// (runtime/debug.SetMemoryLimit).
func paceCollector() {
	if os.Getenv("GOGC") == "" {
		pace()
	}
}

// pace sets the percentage by what lives now, and leaves an object that nothing
// refers to: the next collection finds it and runs pace again.
func pace() {
	debug.SetGCPercent(gcPercent(collected()))
	// With a pointer in it, it is not put into one block with objects that live.
	runtime.AddCleanup(&struct{ _ *byte }{}, func(struct{}) { pace() }, struct{}{})
}

// gcPercent returns the GOGC with which the heap grows as wanted over base bytes.
func gcPercent(base uint64) int {
	return max(percentOfLive, int(heapGrowth*100/max(base, heapMinimum)))
}

// collected returns the bytes that GOGC is a percentage of: what lived at the last
// collection, the stacks and the globals (go.dev/doc/gc-guide).
func collected() (total uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/scan/stack:bytes"},
		{Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(samples)
	for _, sample := range samples {
		total += sample.Value.Uint64()
	}
	return total
}
