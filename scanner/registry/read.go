package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// Bounds on what is read of one answer, in bytes.
const (
	MaxIndex = 8 << 20  // an index or manifest
	MaxError = 64 << 10 // the body of any other answer
)

// maxHeaders bounds the header lines of one answer. They are bounded in bytes too, but a
// line of 4 bytes takes more than 100 in memory. Registries send about 20.
const maxHeaders = 500

// bodyStall is how long a body that has a share of the memory may deliver nothing. If
// other bodies wait for a share, it has to deliver freeBody in that time.
const bodyStall = 2 * time.Second

// bound is how many bytes of an answer's body may be read at first.
func (out *outgoing) bound(status int) int64 {
	if status == http.StatusOK {
		return max(out.maxBody, MaxError)
	}
	return MaxError
}

// readsOn reports whether a body that begins so and goes on beyond MaxError is read to
// maxBody: an index, under 404 too.
func (out *outgoing) readsOn(status int, begins []byte) bool {
	return status == http.StatusNotFound && out.readOn != nil && out.readOn(begins)
}

// read takes the answer to out into memory and returns how many bytes of the body
// were read. A body over its bound is cut. Of a 200 only how it begins is kept then,
// which shows what it is.
func (s *Session) read(ctx context.Context, clock *clock, resp *http.Response, out *outgoing) (*answer, int64, error) {
	defer resp.Body.Close()
	got := &answer{
		status: resp.StatusCode,
		header: resp.Header,
		url:    out.url,
	}
	if headerLines(resp.Header) > maxHeaders {
		return nil, 0, &refusal{matrix.Protocol, fmt.Sprintf("the answer is over the bound of %d headers", maxHeaders)}
	}
	if out.method == http.MethodHead {
		return got, 0, nil
	}
	limit := out.bound(resp.StatusCode)
	tooLarge := resp.StatusCode == http.StatusOK && resp.ContentLength > limit
	if tooLarge { // how it begins is all there is to wait for, and not for long
		limit = MaxError
		stalled := time.AfterFunc(bodyStall, func() { clock.expire(timedOut{after: bodyStall, stalled: true}) })
		defer stalled.Stop()
	}
	content, length, release := decode(resp)
	defer release()
	body := bodyReader{session: s, clock: clock, origin: address.OriginOf(out.url), source: content, length: length}
	err := body.read(ctx, limit)
	if err == nil && body.isOver(limit) && out.readsOn(resp.StatusCode, body.upTo(limit)) {
		s.release()
		limit = out.maxBody
		err = body.read(ctx, limit)
	}
	if err != nil && !tooLarge {
		s.release()
		return nil, int64(len(body.bytes)), fmt.Errorf("read the body: %w", err)
	}
	if body.isOver(limit) {
		if body.hollow && resp.StatusCode == http.StatusOK {
			s.release()
			return nil, int64(len(body.bytes)), errHollow
		}
		body.bytes, got.cut = body.upTo(limit), true
	}
	read := int64(len(body.bytes))
	if got.cut = got.cut || tooLarge; got.cut && resp.StatusCode == http.StatusOK {
		body.bytes = slices.Clone(body.bytes[:min(read, MaxError)])
		s.release()
	}
	got.body = body.bytes
	return got, read, nil
}

// overBound says that a body was not read beyond its bound.
func overBound(bound int64) string {
	return fmt.Sprintf("the body is over the bound of %d bytes that refmatrix reads", bound)
}

// headerLines returns the number of lines that a header was sent in.
func headerLines(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

// bodyReader reads one body into memory.
type bodyReader struct {
	session *Session
	clock   *clock
	origin  address.Origin // of the request
	source  io.Reader
	length  int64 // of what source delivers; -1 if it is not known
	bytes   []byte
	hollow  bool // the body goes on and on, and holds nothing

	since time.Time // the share was taken, or what was delivered since was last looked at
	fresh int       // bytes since then
}

// isOver reports whether the body goes on after limit bytes.
func (r *bodyReader) isOver(limit int64) bool { return r.hollow || int64(len(r.bytes)) > limit }

// upTo returns the first limit bytes of what was read.
func (r *bodyReader) upTo(limit int64) []byte { return r.bytes[:min(limit, int64(len(r.bytes)))] }

// read reads to the end of the body, or one byte beyond limit.
func (r *bodyReader) read(ctx context.Context, limit int64) error {
	for !r.isOver(limit) {
		if len(r.bytes) == cap(r.bytes) {
			if err := r.grow(ctx, limit); err != nil {
				return err
			}
		}
		n, err := r.next(r.bytes[len(r.bytes):min(int64(cap(r.bytes)), limit+1)])
		r.bytes = r.bytes[:len(r.bytes)+n]
		switch err {
		case nil:
		case io.EOF:
			return nil
		case errHollow:
			r.hollow = true
		default:
			return err
		}
	}
	return nil
}

// grow makes room for more of the body: what it may become, if that is known, or in a
// few steps. Beyond freeBody that takes a share of the memory, and the clock of the
// request stands still until there is one.
func (r *bodyReader) grow(ctx context.Context, limit int64) error {
	most := limit
	if r.length >= 0 {
		most = min(limit, r.length)
	}
	have := int64(len(r.bytes))
	room := max(4*have, 2<<10)
	switch {
	case have < freeBody:
		room = min(room, freeBody)
	case r.session.share == nil:
		r.clock.pause()
		release, err := r.session.client.pool.memory.reserve(ctx, r.origin, most)
		r.clock.resume()
		if err != nil {
			return err
		}
		r.session.share = release
		r.since, r.fresh = time.Now(), 0
	case have >= 1<<20:
		room = most
	}
	if r.length >= 0 && have >= freeBody {
		room = most
	}
	grown := make([]byte, have, max(min(room, most), have)+1) // and one byte to see that it ends
	copy(grown, r.bytes)
	r.bytes = grown
	return nil
}

// next reads what the source has.
func (r *bodyReader) next(into []byte) (int, error) {
	if r.session.share == nil {
		return r.source.Read(into)
	}
	stalled := func() { r.clock.expire(timedOut{after: bodyStall, stalled: true}) }
	timer := time.AfterFunc(bodyStall, stalled)
	n, err := r.source.Read(into)
	timer.Stop()
	r.fresh += n
	if time.Since(r.since) >= bodyStall {
		if r.fresh < freeBody && r.session.client.pool.memory.contested() {
			stalled()
		}
		r.since, r.fresh = time.Now(), 0
	}
	return n, err
}

// release gives back the share of the memory that the last body took. It comes before
// every wait for something other than the session's own answer: rows that wait for one
// row must not hold the memory that this one needs to go on.
func (s *Session) release() {
	if s.share != nil {
		s.share()
		s.share = nil
	}
}
