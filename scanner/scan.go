// Package scanner is the engine: an inventory and options go in, rows come
// out as they finish, and the matrix of all of them at the end.
package scanner

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/probe"
	"refmatrix/scanner/registry"
)

// DefaultConcurrency is how many images are probed at once unless Options say.
const DefaultConcurrency = 64

// Options say how a scan is run. The zero value probes 64 images at once, at
// standard depth, without a limit over all registries.
type Options struct {
	Tool        matrix.Tool
	Concurrency int           // images probed at once, those that only wait not counted
	Rate        float64       // requests per second over everything; 0 = unlimited
	Timeout     time.Duration // of one request; 0 = as the inventory says
	Deadline    time.Duration // of the whole scan; 0 = none
	Probe       probe.Options
	Bodies      bool        // exchanges have the beginning of error bodies
	Shard       string      // "I/N" if the inventory is one shard, noted in the matrix
	Selection   []string    // the flags that chose a part of the inventory, noted in the matrix
	Progress    func(Event) // called as rows start and finish, one call at a time; nil = none
}

// Event is what happened to one image: its probe began, or its row is there.
type Event struct {
	Registry string
	Image    string
	Row      *matrix.Row // nil if the probe began
	Last     bool        // no image of this registry is left
}

// Scan probes every image of inv. It always returns a matrix: if ctx or the
// deadline ends it early, that of the rows measured until then, with Complete
// false. Rows stand in the inventory's order. The error is a *matrix.Panicked or nil:
// a panic is our bug and says nothing of a registry, so that it ends the scan and
// becomes no row.
func Scan(ctx context.Context, inv *inventory.Inventory, options Options) (*matrix.Matrix, error) {
	if options.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, options.Deadline)
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if options.Probe.Depth == "" {
		options.Probe.Depth = probe.Standard
	}
	limit := options.Concurrency
	if limit <= 0 {
		limit = DefaultConcurrency
	}
	working, waiting, idle := fileBudget(limit)
	pool := registry.NewPool(registry.Options{
		UserAgent: options.Tool.Name + "/" + options.Tool.Version,
		Rate:      options.Rate,
		Timeout:   options.Timeout,
		IdleConns: idle,
		Bodies:    options.Bodies,
	})
	defer pool.Close()
	pool.AddSecrets(inv.Whole)
	began := time.Now()
	m := &matrix.Matrix{
		Schema:    matrix.Schema,
		Tool:      options.Tool,
		Shard:     options.Shard,
		Selection: options.Selection,
		Started:   began.UTC(),
	}
	s := &scan{options: options, pool: pool, queue: newQueue(ctx, inv.Registries), stop: stop}
	s.work(ctx, newGate(working, waiting))
	// By the monotonic clock: the system's may have been set meanwhile.
	m.Finished = m.Started.Add(time.Since(began))
	rows, complete := s.queue.rows()
	m.SetRows(rows)
	m.Complete = complete
	if bug := (*matrix.Panicked)(nil); errors.As(context.Cause(ctx), &bug) {
		m.Complete = false
		return m, bug
	}
	return m, nil
}

// scan is one run of the engine.
type scan struct {
	options Options
	pool    *registry.Pool
	queue   *queue
	stop    context.CancelCauseFunc

	mu sync.Mutex // serialises Progress
}

// work runs every image of the queue and waits for their ends.
func (s *scan) work(ctx context.Context, places *gate) {
	var workers errgroup.Group
	for job := s.queue.next(); job != nil; job = s.queue.next() {
		turn := job.target.open(s.pool).Begin(job.image) // in the inventory's order
		place := places.enter()
		workers.Go(func() error {
			defer place.leave()
			s.run(registry.WithWorker(ctx, place), job, turn)
			return nil
		})
	}
	_ = workers.Wait() // workers store rows and return no error
}

// run probes one image and stores its row.
func (s *scan) run(ctx context.Context, j *job, turn *probe.Turn) {
	defer s.queue.done(j)
	defer func() {
		if bug := matrix.FromPanic(recover()); bug != nil {
			s.stop(bug)
		}
	}()
	entry := j.target.entry
	s.report(Event{Registry: entry.Name, Image: j.image.String()})
	client := turn.Client()
	session := client.NewSession()
	defer session.Close()
	options := s.options.Probe
	options.Links = options.Links || len(entry.Require) > 0
	outcome, err := turn.Probe(ctx, session, options)
	if err != nil {
		return // the scan ended: an image that was not measured has no row
	}
	row := verdict.NewRow(verdict.Target{
		Registry: entry.Name,
		URL:      entry.URL.String(),
		Image:    j.image.String(),
		Labels:   entry.Labels,
		Expect:   entry.Expect,
		Require:  entry.Require,
		Clean:    client.Clean,
	}, &outcome.Observation)
	row.Exchanges = outcome.Exchanges
	if outcome.Omitted != (matrix.Omitted{}) {
		row.Omitted = &outcome.Omitted
	}
	row.Requests = outcome.Requests
	row.DurationMS = registry.Milliseconds(outcome.Duration)
	row.Bound()
	last := s.queue.store(j, &row)
	if last {
		j.target.close()
	}
	s.report(Event{Registry: entry.Name, Image: row.Image, Row: &row, Last: last})
}

func (s *scan) report(e Event) {
	if s.options.Progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Progress(e)
}
