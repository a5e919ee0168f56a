package scanner

import (
	"context"
	"sync"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// queue hands out images fairly: registries take turns, and none has more
// images under way than its own concurrency, so a slow or dead one holds a
// few workers and never all of them. The first image of a registry goes alone:
// it learns how to sign in and whether anybody is there, and the others
// profit, in the same way on every run.
type queue struct {
	ctx context.Context

	mu         sync.Mutex
	changed    sync.Cond
	ready      []*host // registries with an image to start and room for it
	hosts      []*host
	unfinished int // images not yet handed out
}

// host is one registry of the scan.
type host struct {
	entry inventory.Registry
	next  int // index of the next image to start
	busy  int
	met   bool // the first image is done
	ready bool
	left  int // images without a row
	rows  []*matrix.Row

	once sync.Once
	made *registry.Client
}

// job is one image to probe.
type job struct {
	registry *host
	image    inventory.Image
	index    int
}

func newQueue(ctx context.Context, entries []inventory.Registry) *queue {
	q := &queue{ctx: ctx}
	q.changed.L = &q.mu
	for _, entry := range entries {
		h := &host{entry: entry, rows: make([]*matrix.Row, len(entry.Images)), left: len(entry.Images)}
		q.hosts = append(q.hosts, h)
		q.unfinished += len(entry.Images)
		q.offer(h)
	}
	context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	return q
}

// offer puts h at the end of the line where it has an image to start and room
// for it. q.mu is held, but at the beginning.
func (q *queue) offer(h *host) {
	room := 1
	if h.met {
		room = max(h.entry.Concurrency, 1)
	}
	if h.ready || h.next >= len(h.entry.Images) || h.busy >= room {
		return
	}
	h.ready = true
	q.ready = append(q.ready, h)
}

// next waits for an image that may start; nil when there is none left or the
// scan was ended.
func (q *queue) next() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) == 0 && q.unfinished > 0 && q.ctx.Err() == nil {
		q.changed.Wait()
	}
	if q.unfinished == 0 || q.ctx.Err() != nil {
		return nil
	}
	h := q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	j := &job{registry: h, image: h.entry.Images[h.next], index: h.next}
	h.ready = false
	h.next++
	h.busy++
	q.unfinished--
	q.offer(h)
	return j
}

// done gives back the room that j took.
func (q *queue) done(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.registry.busy--
	j.registry.met = true
	q.offer(j.registry)
	q.changed.Signal()
}

// file keeps the row of j and reports whether it was the registry's last.
func (q *queue) file(j *job, row *matrix.Row) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.registry.rows[j.index] = row
	j.registry.left--
	return j.registry.left == 0
}

// rows gives what was measured in the inventory's order, and whether that is
// everything.
func (q *queue) rows() (rows []matrix.Row, complete bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows, complete = []matrix.Row{}, true
	for _, h := range q.hosts {
		for _, row := range h.rows {
			if row == nil {
				complete = false
				continue
			}
			rows = append(rows, *row)
		}
	}
	return rows, complete
}

// client makes the registry's client when its first image starts.
func (h *host) client(pool *registry.Pool) *registry.Client {
	h.once.Do(func() { h.made = pool.Client(h.entry) })
	return h.made
}
