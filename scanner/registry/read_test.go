package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry/address"
)

// piece is a part of a body, and how long it takes to come.
type piece struct {
	after time.Duration
	size  int
}

// delivery is a body that comes in pieces. It never ends if it hangs.
type delivery struct {
	ctx    context.Context
	pieces []piece
	hangs  bool
}

func (d *delivery) Read(into []byte) (int, error) {
	if len(d.pieces) == 0 && !d.hangs {
		return 0, io.EOF
	}
	after := time.Hour
	if len(d.pieces) > 0 {
		after = d.pieces[0].after
	}
	select {
	case <-time.After(after):
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	if len(d.pieces) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(len(into), d.pieces[0].size)
	copy(into, bytes.Repeat([]byte{'x'}, n))
	d.pieces[0].after = 0
	if d.pieces[0].size -= n; d.pieces[0].size == 0 {
		d.pieces = d.pieces[1:]
	}
	return n, nil
}

func (d *delivery) Close() error { return nil }

// reading is one body that is read in a row of its own.
type reading struct {
	session *Session
	body    *answer
	read    int64
	took    time.Duration
	err     error
}

// start reads a body of 200 to host in a new row of pool, with 10 s to do so. done is
// called when that is over.
func start(pool *Pool, host string, status int, length int64, d delivery, readOn func([]byte) bool) (r *reading, done chan struct{}) {
	target := &url.URL{Scheme: "https", Host: host}
	r = &reading{session: pool.Client(inventory.Registry{URL: target, Timeout: 10 * time.Second}).NewSession()}
	done = make(chan struct{})
	go func() {
		defer close(done)
		ctx, clock := startClock(context.Background(), 10*time.Second)
		d.ctx, d.pieces = ctx, slices.Clone(d.pieces)
		out := outgoing{method: http.MethodGet, url: target, maxBody: MaxIndex, readOn: readOn}
		resp := &http.Response{StatusCode: status, ContentLength: length, Body: &d}
		r.body, r.read, r.err = r.session.read(ctx, clock, resp, &out)
		var late *timedOut
		if r.took, late = clock.stop(); late != nil && r.err != nil {
			late.client = r.session.client
			r.err = late
		}
	}()
	return r, done
}

// inMemory is what the bodies of a scan take of the budget.
func inMemory(pool *Pool) int64 {
	free := int64(0)
	for step := int64(maxBodies); step > 0; step /= 2 {
		if pool.memory.all.TryAcquire(step) {
			free += step
		}
	}
	if free > 0 {
		pool.memory.all.Release(free)
	}
	return maxBodies - free
}

const unknown = -1 // Content-Length

// TestReadBody: what a body takes of the memory, and when it is ended.
func TestReadBody(t *testing.T) {
	all := func(size int) delivery { return delivery{pieces: []piece{{0, size}}} }
	dripping := delivery{pieces: append([]piece{{0, 40 << 10}}, bytesEach(time.Second, 100)...)}
	yes := func([]byte) bool { return true }
	for _, test := range []struct {
		name      string
		status    int
		length    int64
		body      delivery
		readOn    func([]byte) bool
		contested bool // another body waits for memory
		read      int64
		share     int64
		cut       bool
		err       string
		took      time.Duration
	}{
		{name: "empty", status: 200, length: 0, body: delivery{}},
		{name: "small", status: 200, length: 400, body: all(400), read: 400},
		{name: "small, of unknown length", status: 200, length: unknown, body: all(400), read: 400},
		{name: "as large as is free", status: 200, length: 32 << 10, body: all(32 << 10), read: 32 << 10},
		{name: "one byte larger", status: 200, length: 32<<10 + 1, body: all(32<<10 + 1), read: 32<<10 + 1, share: 32<<10 + 1},
		{name: "large", status: 200, length: 300 << 10, body: all(300 << 10), read: 300 << 10, share: 300 << 10},
		{name: "large, of unknown length", status: 200, length: unknown, body: all(300 << 10), read: 300 << 10, share: MaxIndex},
		{name: "at its bound", status: 200, length: unknown, body: all(MaxIndex), read: MaxIndex, share: MaxIndex},
		{name: "over its bound", status: 200, length: unknown, body: all(MaxIndex + 1), read: MaxIndex, cut: true},
		{name: "over its bound, as announced", status: 200, length: MaxIndex + 1, body: all(MaxIndex + 1), read: MaxError, cut: true},
		{name: "over its bound, as announced, and it ends early", status: 200, length: MaxIndex + 1, body: delivery{}, cut: true},
		{name: "over its bound, as announced, and it stops", status: 200, length: MaxIndex + 1, body: delivery{pieces: []piece{{0, 1 << 10}}, hangs: true},
			read: 1 << 10, cut: true, took: 2 * time.Second},
		{name: "an error body is cut", status: 500, length: unknown, body: all(MaxIndex), read: MaxError, share: MaxError, cut: true},
		{name: "a 404 is cut", status: 404, length: MaxIndex, body: all(MaxIndex), read: MaxError, share: MaxError, cut: true},
		{name: "a 404 that is an index is read on", status: 404, length: MaxIndex, body: all(MaxIndex), readOn: yes, read: MaxIndex, share: MaxIndex},
		{name: "a 404 over the bound is cut too", status: 404, length: unknown, body: all(MaxIndex + 1), readOn: yes, read: MaxIndex, share: MaxIndex, cut: true},
		{name: "a 400 is not read on", status: 400, length: MaxIndex, body: all(MaxIndex), readOn: yes, read: MaxError, share: MaxError, cut: true},
		{name: "it ends early", status: 200, length: 300 << 10, body: delivery{pieces: []piece{{0, 100 << 10}}, hangs: true},
			read: 100 << 10, err: "the body of the answer stopped for 2s", took: 2 * time.Second},
		{name: "it stops before it takes a share", status: 200, length: 300 << 10, body: delivery{pieces: []piece{{0, 1 << 10}}, hangs: true},
			read: 1 << 10, err: "no connection within 10s (timeout: 10s)", took: 10 * time.Second},
		{name: "slow, and nobody waits", status: 200, length: 300 << 10, body: dripping, read: 40<<10 + 9, err: "no connection within 10s (timeout: 10s)", took: 10 * time.Second},
		{name: "slow, while others wait", status: 200, length: 300 << 10, body: dripping, contested: true,
			read: 40<<10 + 2, err: "the body of the answer stopped for 2s", took: 2 * time.Second},
		{name: "with pauses", status: 200, length: 300 << 10, body: delivery{pieces: []piece{{0, 100 << 10}, {1900 * time.Millisecond, 100 << 10}, {1900 * time.Millisecond, 100 << 10}}},
			contested: true, read: 300 << 10, share: 300 << 10, took: 3800 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pool := NewPool(Options{})
				defer pool.Close()
				if test.contested {
					pool.memory.waiting.Add(1)
				}
				r, done := start(pool, "a.example", test.status, test.length, test.body, test.readOn)
				<-done
				if r.read != test.read && r.err == nil || inMemory(pool) != test.share {
					t.Errorf("%d bytes are read, want %d; %d are taken, want %d", r.read, test.read, inMemory(pool), test.share)
				}
				if r.err == nil && (r.body.cut != test.cut || test.cut && test.status == http.StatusOK && len(r.body.body) > MaxError) {
					t.Errorf("it is cut: %t, and %d bytes of it are kept", r.body.cut, len(r.body.body))
				}
				if text := fmt.Sprint(r.err); test.err == "" && r.err != nil || !strings.Contains(text, test.err) {
					t.Errorf("the error is %s, want %q", text, test.err)
				}
				if r.took != test.took {
					t.Errorf("it took %s, want %s", r.took, test.took)
				}
				r.session.Close()
				if left := inMemory(pool); left != 0 {
					t.Errorf("%d bytes are not given back", left)
				}
			})
		})
	}
}

// bytesEach returns n bytes, one each time.
func bytesEach(each time.Duration, n int) []piece {
	out := make([]piece, n)
	for i := range out {
		out[i] = piece{each, 1}
	}
	return out
}

// TestMemoryOfTheScan: bodies wait for each other, and that is not their time; one
// origin does not hold up another.
func TestMemoryOfTheScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := NewPool(Options{})
		defer pool.Close()
		whole := func() delivery { return delivery{pieces: []piece{{0, MaxIndex}}} }
		var held []*reading
		hold := func(host string) {
			r, done := start(pool, host, 200, unknown, whole(), nil)
			<-done
			if r.err != nil {
				t.Fatal(r.err)
			}
			held = append(held, r)
		}
		hold("greedy.example")
		hold("greedy.example")
		third, thirdDone := start(pool, "greedy.example", 200, unknown, whole(), nil)
		synctest.Wait()
		hold("other.example") // although the third one was there before
		for n := range 5 {
			hold(fmt.Sprintf("%d.example", n))
		}
		late, lateDone := start(pool, "late.example", 200, 100<<10, delivery{pieces: []piece{{0, 100 << 10}}}, nil)
		small, smallDone := start(pool, "small.example", 200, 32<<10, delivery{pieces: []piece{{0, 32 << 10}}}, nil)
		<-smallDone
		if small.err != nil || inMemory(pool) != maxBodies {
			t.Fatalf("%v, and %d bytes are taken", small.err, inMemory(pool))
		}
		time.Sleep(time.Hour)
		held[2].session.Close()
		<-lateDone
		if late.err != nil || late.took > 0 {
			t.Errorf("%v after %s", late.err, late.took)
		}
		held[0].session.Close()
		<-thirdDone
		if third.err != nil || third.took > 0 {
			t.Errorf("%v after %s", third.err, third.took)
		}
		for _, r := range append(held, third, late, small) {
			r.session.Close()
		}
		if left := inMemory(pool); left != 0 {
			t.Errorf("%d bytes are not given back", left)
		}
	})
}

// TestNoMemoryBeforeTheDeadline: a scan that ends ends those who wait.
func TestNoMemoryBeforeTheDeadline(t *testing.T) {
	m := newMemory()
	_ = m.all.Acquire(t.Context(), maxBodies)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.reserve(ctx, address.Origin{}, 1); !errors.Is(err, context.Canceled) || m.contested() {
		t.Errorf("%v, and somebody waits: %t", err, m.contested())
	}
}
