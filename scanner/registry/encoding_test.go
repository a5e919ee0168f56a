package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// zipped is a gzip stream of one member.
func zipped(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(plain)
	_ = w.Close()
	return out.Bytes()
}

// encoded is an answer to a GET with a body in a content encoding.
type encoded struct {
	status   int
	encoding []string // lines of Content-Encoding
	body     io.Reader
	readOn   bool
}

// read reads the answer in a row of its own, which may take 10 s.
func (e encoded) read(t *testing.T) (got *answer, share int64, err error) {
	t.Helper()
	pool := NewPool(Options{})
	defer pool.Close()
	target := &url.URL{Scheme: "https", Host: "a.example"}
	s := pool.Client(inventory.Registry{URL: target, Timeout: 10 * time.Second}).NewSession()
	ctx, clock := startClock(context.Background(), 10*time.Second)
	out := outgoing{method: http.MethodGet, url: target, maxBody: MaxIndex}
	if e.readOn {
		out.readOn = func([]byte) bool { return true }
	}
	body := &ending{Reader: e.body, ctx: ctx}
	resp := &http.Response{
		StatusCode:    max(e.status, http.StatusOK),
		Header:        http.Header{"Content-Encoding": e.encoding},
		ContentLength: unknown,
		Body:          body,
	}
	got, _, err = s.read(ctx, clock, resp, &out)
	if _, late := clock.stop(); late != nil && err != nil {
		late.client, err = s.client, late
	}
	share = inMemory(pool)
	s.Close()
	if left := inMemory(pool); left != 0 {
		t.Errorf("%d bytes are not given back", left)
	}
	if !body.closed {
		t.Error("the body is not closed")
	}
	return got, share, err
}

// ending is a body that fails when its request ends.
type ending struct {
	io.Reader
	ctx    context.Context
	closed bool
}

func (e *ending) Read(into []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.Reader.Read(into)
}

func (e *ending) Close() error { e.closed = true; return nil }

// cutOff is the end of a connection in the middle of a body.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestEncodedBodies: gzip is decoded, however the header spells it. What is not gzip, or
// is in another encoding, is a fault that names it.
func TestEncodedBodies(t *testing.T) {
	plain := []byte(strings.Repeat("referrers ", 9_000))
	packed := zipped(plain)
	damaged := func(at int) []byte {
		out := slices.Clone(packed)
		out[at] ^= 0xff
		return out
	}
	for _, test := range []struct {
		name     string
		status   int
		encoding []string
		body     []byte
		cut      bool // the connection ends with the body
		want     []byte
		err      string
		reason   matrix.Reason
	}{
		{name: "no encoding", body: plain, want: plain},
		{name: "identity", encoding: []string{"identity"}, body: plain, want: plain},
		{name: "an empty header", encoding: []string{""}, body: plain, want: plain},
		{name: "gzip", encoding: []string{"gzip"}, body: packed, want: plain},
		{name: "in capitals", encoding: []string{" GZIP "}, body: packed, want: plain},
		{name: "x-gzip", encoding: []string{"x-gzip"}, body: packed, want: plain},
		{name: "gzip and identity", encoding: []string{"gzip, identity", ""}, body: packed, want: plain},
		{name: "an error body", status: 503, encoding: []string{"gzip"}, body: zipped(plain[:500]), want: plain[:500]},
		{name: "two members", encoding: []string{"gzip"}, body: slices.Concat(packed, packed), want: slices.Concat(plain, plain)},
		{name: "a large body", encoding: []string{"gzip"}, body: zipped(make([]byte, MaxIndex)), want: make([]byte, MaxIndex)},
		{name: "nothing", encoding: []string{"gzip"}},
		{name: "nothing, in two encodings", encoding: []string{"br", "gzip"}},
		{name: "nothing packed", encoding: []string{"gzip"}, body: zipped(nil)},
		{name: "gzip in gzip, announced once", encoding: []string{"gzip"}, body: zipped(packed), want: packed},

		{name: "not gzip", encoding: []string{"gzip"}, body: plain, err: "the body has the content encoding gzip, but is not gzip", reason: matrix.Protocol},
		{name: "one byte", encoding: []string{"gzip"}, body: []byte{0x1f}, err: "the gzip stream of the body ends early", reason: matrix.Protocol},
		{name: "truncated", encoding: []string{"gzip"}, body: packed[:len(packed)/2], err: "the gzip stream of the body ends early", reason: matrix.Protocol},
		{name: "without its checksum", encoding: []string{"gzip"}, body: packed[:len(packed)-4], err: "the gzip stream of the body ends early", reason: matrix.Protocol},
		{name: "truncated error body", status: 404, encoding: []string{"gzip"}, body: packed[:len(packed)/2], err: "the gzip stream of the body ends early", reason: matrix.Protocol},
		{name: "wrong checksum", encoding: []string{"gzip"}, body: damaged(len(packed) - 6), err: "the gzip stream of the body is damaged", reason: matrix.Protocol},
		{name: "wrong length", encoding: []string{"gzip"}, body: damaged(len(packed) - 1), err: "the gzip stream of the body is damaged", reason: matrix.Protocol},
		{name: "damaged", encoding: []string{"gzip"}, body: damaged(10), err: "the gzip stream of the body is damaged", reason: matrix.Protocol},
		{name: "data after it", encoding: []string{"gzip"}, body: slices.Concat(packed, plain), err: "data that is not gzip follows the gzip stream of the body", reason: matrix.Protocol},
		{name: "zeros after it", encoding: []string{"gzip"}, body: slices.Concat(packed, make([]byte, 512)), err: "data that is not gzip follows the gzip stream of the body", reason: matrix.Protocol},
		{name: "the connection ends", encoding: []string{"gzip"}, body: packed[:len(packed)/2], cut: true, err: "the connection ended in the middle of the answer", reason: matrix.Protocol},
		{name: "the connection ends in the header", encoding: []string{"gzip"}, body: packed[:4], cut: true, err: "the connection ended in the middle of the answer", reason: matrix.Protocol},
		{name: "br", encoding: []string{"br"}, body: plain, err: `the body has the content encoding "br", which was not requested`, reason: matrix.Protocol},
		{name: "zstd of an error body", status: 404, encoding: []string{"zstd"}, body: plain, err: `the body has the content encoding "zstd", which was not requested`, reason: matrix.Protocol},
		{name: "deflate", encoding: []string{"deflate"}, body: plain, err: `the body has the content encoding "deflate", which was not requested`, reason: matrix.Protocol},
		{name: "gzip twice", encoding: []string{"gzip, gzip"}, body: zipped(packed), err: `the body has the content encoding "gzip, gzip", which was not requested`, reason: matrix.Protocol},
		{name: "two encodings in two lines", encoding: []string{"gzip", "br"}, body: packed, err: `the body has the content encoding "gzip, br", which was not requested`, reason: matrix.Protocol},
	} {
		t.Run(test.name, func(t *testing.T) {
			wire := io.Reader(bytes.NewReader(test.body))
			if test.cut {
				wire = io.MultiReader(wire, cutOff{})
			}
			got, _, err := encoded{status: test.status, encoding: test.encoding, body: wire}.read(t)
			if test.err != "" {
				if err == nil || faultText(err) != test.err || classify(err) != test.reason || faultIsTransient(err) != test.cut {
					t.Fatalf("%v, want %s", err, test.err)
				}
				return
			}
			if err != nil || !bytes.Equal(got.body, test.want) || got.cut {
				t.Errorf("%d bytes, want %d; cut %t, %v", len(got.body), len(test.want), got.cut, err)
			}
		})
	}
}

// repeated is a stream that begins with head and repeats one piece, up to most bytes.
type repeated struct {
	head, piece []byte
	most        int
	read        int
}

func (r *repeated) Read(into []byte) (int, error) {
	for n := range into {
		switch at := r.read - len(r.head); {
		case r.read >= r.most:
			return n, io.EOF
		case at < 0:
			into[n] = r.head[r.read]
		default:
			into[n] = r.piece[at%len(r.piece)]
		}
		r.read++
	}
	return len(into), nil
}

// deflated are pieces of a gzip stream that produce nothing.
var (
	emptyMember = zipped(nil)
	openMember  = emptyMember[:10]            // its header alone
	emptyBlock  = []byte{0, 0, 0, 0xff, 0xff} // stored, and not the last one (RFC 1951, section 3.2.4)
)

// TestBoundsOfEncodedBodies: what is decoded is bounded, and so is what the wire may have
// beside it, so that neither a bomb nor a stream that produces nothing costs more than a
// plain body of the bound.
func TestBoundsOfEncodedBodies(t *testing.T) {
	bomb := zipped(make([]byte, MaxIndex+1<<20))
	for _, test := range []struct {
		name        string
		status      int
		readOn      bool
		head, piece []byte
		wire        int // most bytes that may be read of the wire
		length      int // of what is kept
		share       int64
		over        bool
	}{
		{name: "a bomb as a list", head: bomb, wire: len(bomb), length: MaxError},
		{name: "a bomb as an error body", status: 500, head: bomb, wire: MaxError, length: MaxError, share: MaxError},
		{name: "a bomb as a 404", status: 404, head: bomb, wire: MaxError, length: MaxError, share: MaxError},
		{name: "a bomb as an index under 404", status: 404, readOn: true, head: bomb, wire: len(bomb), length: MaxIndex, share: MaxIndex},
		{name: "empty members for ever", piece: emptyMember, wire: maxHollow, over: true},
		{name: "empty members for ever, as an error body", status: 500, piece: emptyMember, wire: maxHollow},
		{name: "empty members for ever under 404", status: 404, readOn: true, piece: emptyMember, wire: maxHollow},
		{name: "empty blocks for ever", head: openMember, piece: emptyBlock, wire: maxHollow, over: true},
		{name: "empty blocks for ever, as an error body", status: 403, head: openMember, piece: emptyBlock, wire: maxHollow},
		{name: "empty blocks for ever under 404", status: 404, readOn: true, head: openMember, piece: emptyBlock, wire: maxHollow},
		{name: "one byte in each member", piece: zipped([]byte("x")), wire: maxHollow + 4<<10, over: true},
		{name: "a header for ever", head: []byte{0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0}, piece: []byte("x"), wire: 8 << 10, over: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			piece, most := test.piece, 1<<40
			if piece == nil {
				piece, most = []byte{0}, len(test.head)
			}
			wire := &repeated{head: test.head, piece: piece, most: most}
			got, share, err := encoded{status: test.status, encoding: []string{"gzip"}, body: wire, readOn: test.readOn}.read(t)
			if wire.read > test.wire {
				t.Errorf("%d bytes of the wire are read, over %d", wire.read, test.wire)
			}
			if share != test.share {
				t.Errorf("%d bytes of memory are taken, want %d", share, test.share)
			}
			switch {
			case test.over:
				if err == nil || classify(err) != matrix.Protocol {
					t.Errorf("%v, want a fault of the protocol", err)
				}
			case err != nil || len(got.body) != test.length || !got.cut:
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestEncodedBodiesThatStop: a body that has memory and produces nothing loses it as a
// plain one does, while bytes of the wire go on and on.
func TestEncodedBodiesThatStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write([]byte(strings.Repeat("0123456789", 10_000)))
		_ = w.Flush() // and the stream goes on
		wire := io.MultiReader(&out, &slowly{piece: emptyBlock})
		_, _, err := encoded{encoding: []string{"gzip"}, body: wire}.read(t)
		if err == nil || faultText(err) != "the body of the answer stopped for 2s" {
			t.Errorf("%v", err)
		}
	})
}

// slowly delivers a piece each tenth of a second.
type slowly struct{ piece []byte }

func (s *slowly) Read(into []byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return copy(into, s.piece), nil
}
