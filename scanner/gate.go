package scanner

import "sync"

// gate is a semaphore for rows that work. Rows that only wait free their place:
// an address that never answers then holds a connection attempt and no worker.
// How many may wait is bounded too, by the sockets they hold.
//
// A row that was idle resumes immediately, even if that exceeds the limit: the
// rows that hold places may be waiting for what it is about to learn, such as a
// token of their repository. New rows begin when there are places again.
type gate struct {
	mu      sync.Mutex
	changed sync.Cond
	free    int // places for rows that work; below 0 if rows that were idle exceed the limit
	waiting int // places for rows that wait
}

func newGate(working, waiting int) *gate {
	g := &gate{free: working, waiting: waiting}
	g.changed.L = &g.mu
	return g
}

// enter waits for a place and takes it.
func (g *gate) enter() *place {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.free <= 0 {
		g.changed.Wait()
	}
	g.free--
	return &place{gate: g}
}

// place is a row's place in the gate. It implements registry.Worker; calls nest,
// because what a row waits for may wait itself.
type place struct {
	gate  *gate
	waits int  // nested Idle calls
	freed bool // the place is free for another row
	left  bool // the row is over
}

// Idle frees the place for another row, if one more may wait.
func (p *place) Idle() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.waits++
	if p.freed || p.left || p.gate.waiting == 0 {
		return
	}
	p.freed = true
	p.gate.waiting--
	p.gate.release()
}

// Busy takes the place again when the last wait is over.
func (p *place) Busy() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.waits--
	if p.waits > 0 || !p.freed {
		return
	}
	p.freed = false
	p.gate.waiting++
	p.gate.free--
}

// leave frees what the row holds: it is over. A dial of it may still end later.
func (p *place) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.left = true
	if p.freed {
		p.freed = false
		p.gate.waiting++
		return
	}
	p.gate.release()
}

// release frees a place. The caller holds g.mu.
func (g *gate) release() {
	g.free++
	g.changed.Signal()
}
