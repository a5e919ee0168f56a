package registry

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"refmatrix/scanner/registry/address"
)

// Bounds on the bodies that are in memory at the same time, in bytes. Bodies up to
// freeBody are not counted: they are many, and a registry's slots bound them.
const (
	maxBodies       = 64 << 20 // of the whole scan
	maxOriginBodies = 16 << 20 // of one origin
	freeBody        = 32 << 10
)

// memory is what the bodies of a scan may take, shared by all registries: none of them
// may cost the others their reports.
type memory struct {
	all     *semaphore.Weighted
	waiting atomic.Int32 // bodies that wait for a share

	mu      sync.Mutex
	origins map[address.Origin]*semaphore.Weighted
}

func newMemory() *memory {
	return &memory{
		all:     semaphore.NewWeighted(maxBodies),
		origins: map[address.Origin]*semaphore.Weighted{},
	}
}

// reserve waits until a body of origin may take size bytes, which are MaxIndex at the
// most. The origin's own bound comes first, so that its bodies do not wait in front of
// those of others. The share has to be given back by release, once.
func (m *memory) reserve(ctx context.Context, origin address.Origin, size int64) (release func(), err error) {
	m.waiting.Add(1)
	defer m.waiting.Add(-1)
	defer idleAfter(ctx, ownStall)()
	own := m.of(origin)
	if err := own.Acquire(ctx, size); err != nil {
		return nil, err
	}
	if err := m.all.Acquire(ctx, size); err != nil {
		own.Release(size)
		return nil, err
	}
	return func() {
		m.all.Release(size)
		own.Release(size)
	}, nil
}

// of returns the bound of one origin.
func (m *memory) of(origin address.Origin) *semaphore.Weighted {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, ok := m.origins[origin]
	if !ok {
		own = semaphore.NewWeighted(maxOriginBodies)
		m.origins[origin] = own
	}
	return own
}

// contested reports whether bodies wait for a share.
func (m *memory) contested() bool { return m.waiting.Load() > 0 }
