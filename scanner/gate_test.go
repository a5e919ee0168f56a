package scanner

import (
	"testing"
	"testing/synctest"
)

// TestGate: what the places for work and for waiting come to, whatever order
// rows wait, go on and end in.
func TestGate(t *testing.T) {
	idle := func(p *place) { p.Idle() }
	busy := func(p *place) { p.Busy() }
	leave := func(p *place) { p.leave() }
	for _, test := range []struct {
		name          string
		waiting       int // places for rows that wait
		steps         []func(*place)
		free, waiters int // places left of the two kinds, where one row of two works
	}{
		{"works", 2, nil, 1, 2},
		{"is over", 2, []func(*place){leave}, 2, 2},
		{"waits", 2, []func(*place){idle}, 2, 1},
		{"waits where nobody may", 0, []func(*place){idle}, 1, 0},
		{"waited where nobody may", 0, []func(*place){idle, busy}, 1, 0},
		{"waited", 2, []func(*place){idle, busy}, 1, 2},
		{"waits for what waits itself", 2, []func(*place){idle, idle}, 2, 1},
		{"waits for what waited itself", 2, []func(*place){idle, idle, busy}, 2, 1},
		{"waited for what waited itself", 2, []func(*place){idle, idle, busy, busy}, 1, 2},
		{"waits again", 2, []func(*place){idle, busy, idle}, 2, 1},
		{"is over while it waits", 2, []func(*place){idle, leave}, 2, 2},
		{"is over, and a dial of it ends", 2, []func(*place){idle, leave, busy}, 2, 2},
		{"is over, and a dial of it takes long", 2, []func(*place){leave, idle}, 2, 2},
		{"is over, and a dial of it took long", 2, []func(*place){leave, idle, busy}, 2, 2},
	} {
		g := newGate(2, test.waiting)
		p := g.enter()
		for _, step := range test.steps {
			step(p)
		}
		if g.free != test.free || g.waiting != test.waiters {
			t.Errorf("a row that %s leaves %d places for work and %d to wait, want %d and %d", test.name, g.free, g.waiting, test.free, test.waiters)
		}
	}
}

// TestGateHolds: a row begins when there is a place for it, also after more had
// gone on than there are places.
func TestGateHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 1)
		waited := g.enter()
		waited.Idle()
		second := g.enter()
		waited.Busy() // at once, though the place is taken
		entered := make(chan *place, 1)
		go func() { entered <- g.enter() }()
		for _, over := range []*place{second, waited} {
			synctest.Wait()
			if len(entered) > 0 {
				t.Error("two rows work in one place")
			}
			over.leave()
		}
		(<-entered).leave()
		if g.free != 1 || g.waiting != 1 {
			t.Errorf("%d and %d places are left, want all of both", g.free, g.waiting)
		}
	})
}
