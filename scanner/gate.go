package scanner

import (
	"sync"
)

// gate lets a number of rows work at once. Rows that only wait give up their
// place: an address that answers nothing then holds a connection attempt and no
// worker. How many may wait so is bounded too, by the sockets they hold.
//
// A row that has waited goes on at once, also where every place is taken, and
// new rows begin when there are places again: the rows in the places may be
// waiting for what this one is about to learn, a token of their repository.
type gate struct {
	mu      sync.Mutex
	changed sync.Cond
	free    int // places for rows that work; below 0 where more work that had waited
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
// for what a row waits for may wait itself.
type place struct {
	gate  *gate
	waits int  // nested Idle calls
	given bool // the place was given up
	left  bool // the row is over
}

// Idle gives the place to another row, where there is room to wait.
func (p *place) Idle() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.waits++
	if p.given || p.left || p.gate.waiting == 0 {
		return
	}
	p.given = true
	p.gate.waiting--
	p.gate.give()
}

// Busy takes the place again when the last wait is over.
func (p *place) Busy() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.waits--
	if p.waits > 0 || !p.given {
		return
	}
	p.given = false
	p.gate.waiting++
	p.gate.free--
}

// leave gives everything back: the row is over. A dial of it may still end
// later.
func (p *place) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.left = true
	if p.given {
		p.given = false
		p.gate.waiting++
		return
	}
	p.gate.give()
}

// give frees a place. g.mu is held.
func (g *gate) give() {
	g.free++
	g.changed.Signal()
}
