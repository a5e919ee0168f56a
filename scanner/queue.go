package scanner

import (
	"context"
	"sync"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
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
	ready      []*target // registries with an image to start and room for it
	targets    []*target
	unfinished int // images not yet handed out
}

// target is one registry of the scan.
type target struct {
	entry     inventory.Registry
	next      int // index of the next image to start
	busy      int
	firstDone bool // the first image is done
	ready     bool
	left      int // images without a row
	rows      []*matrix.Row

	once     sync.Once
	registry *probe.Registry
	product  *matrix.Product // of every row, when the last one is there
}

// job is one image to probe.
type job struct {
	target *target
	image  inventory.Image
	index  int
}

func newQueue(ctx context.Context, entries []inventory.Registry) *queue {
	q := &queue{ctx: ctx}
	q.changed.L = &q.mu
	for _, entry := range entries {
		t := &target{entry: entry, rows: make([]*matrix.Row, len(entry.Images)), left: len(entry.Images)}
		q.targets = append(q.targets, t)
		q.unfinished += len(entry.Images)
		q.offer(t)
	}
	context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	return q
}

// offer puts t at the end of the line if it has an image to start and room for
// it. The caller holds q.mu, except newQueue.
func (q *queue) offer(t *target) {
	room := 1
	if t.firstDone {
		room = max(t.entry.Concurrency, 1)
	}
	if t.ready || t.next >= len(t.entry.Images) || t.busy >= room {
		return
	}
	t.ready = true
	q.ready = append(q.ready, t)
}

// next waits for an image that may start, and returns nil if there is none left
// or the scan ended.
func (q *queue) next() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) == 0 && q.unfinished > 0 && q.ctx.Err() == nil {
		q.changed.Wait()
	}
	if q.unfinished == 0 || q.ctx.Err() != nil {
		return nil
	}
	t := q.ready[0]
	q.ready[0] = nil
	q.ready = q.ready[1:]
	j := &job{target: t, image: t.entry.Images[t.next], index: t.next}
	t.ready = false
	t.next++
	t.busy++
	q.unfinished--
	q.offer(t)
	return j
}

// done frees the room that j took.
func (q *queue) done(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.target.busy--
	j.target.firstDone = true
	q.offer(j.target)
	q.changed.Signal()
}

// store keeps the row of j and reports whether it was the registry's last.
func (q *queue) store(j *job, row *matrix.Row) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.target.rows[j.index] = row
	j.target.left--
	return j.target.left == 0
}

// rows returns what was measured in the inventory's order, and whether that is
// everything. Every row has the product that the registry has shown to any of them. Call it
// when no image is being probed.
func (q *queue) rows() (rows []matrix.Row, complete bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows, complete = []matrix.Row{}, true
	for _, t := range q.targets {
		t.close()
		for _, row := range t.rows {
			if row == nil {
				complete = false
				continue
			}
			whole := *row
			whole.Product = t.product
			whole.Bound()
			rows = append(rows, whole)
		}
	}
	return rows, complete
}

// open returns the registry, made when its first image starts.
func (t *target) open(pool *registry.Pool) *probe.Registry {
	t.once.Do(func() { t.registry = probe.NewRegistry(pool.Client(t.entry)) })
	return t.registry
}

// close keeps of the registry its product alone, because thousands of registries are not
// kept.
func (t *target) close() {
	if t.registry == nil {
		return
	}
	t.product = t.registry.Product()
	t.registry.Client().Close()
	t.registry = nil
}
