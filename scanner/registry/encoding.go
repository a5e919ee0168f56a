package registry

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"refmatrix/matrix"
)

// acceptedEncoding is the content encoding that requests accept, as net/http asks for it:
// clients that are built on it send the header with all methods but HEAD.
const acceptedEncoding = "gzip"

// decode returns a reader of what the body of an answer holds, and how long that is, -1 if
// it is not known. A body under gzip is decoded, requested or not: a CDN may send it to
// everybody. release has to be called when the body was read.
func decode(resp *http.Response) (content io.Reader, length int64, release func()) {
	switch encoding := contentEncoding(resp.Header); encoding {
	case "":
		return resp.Body, resp.ContentLength, func() {}
	case "gzip", "x-gzip": // which are the same (RFC 9110, section 8.4.1.3)
		body := gzipBodies.Get().(*gzipBody)
		body.start(resp.Body)
		return body, -1, body.release
	default:
		return &unreadable{resp.Body, encoding}, -1, func() {}
	}
}

// contentEncoding returns the encodings that a body is in, in lower case and in the order
// in which they were applied; "" if it is in none.
func contentEncoding(header http.Header) string {
	lines := header["Content-Encoding"]
	if len(lines) == 0 {
		return ""
	}
	var encodings []string
	for one := range strings.SplitSeq(strings.ToLower(strings.Join(lines, ",")), ",") {
		if one = strings.TrimSpace(one); one != "" && one != "identity" {
			encodings = append(encodings, one)
		}
	}
	return strings.Join(encodings, ", ")
}

// unreadable is a body in an encoding that is not decoded. Only an empty one can be read.
type unreadable struct {
	source   io.Reader
	encoding string
}

// Read implements io.Reader.
func (u *unreadable) Read([]byte) (int, error) {
	if _, err := io.ReadFull(u.source, make([]byte, 1)); err != nil {
		return 0, err
	}
	return 0, &refusal{matrix.Protocol, fmt.Sprintf("the body has the content encoding %q, which was not requested", u.encoding)}
}

// maxHollow is how many bytes longer than what it holds a gzip stream may be. What does not
// compress grows by 5 bytes in 64 KiB (RFC 1951, section 3.2.4), but empty blocks and members
// can follow each other for ever, and cost more time than others.
const maxHollow = 64 << 10

// errHollow is a gzip stream that is longer than it may be. What was decoded before is not
// lost.
var errHollow = &refusal{
	kind: matrix.Protocol,
	text: fmt.Sprintf("the gzip stream of the body is over %d bytes longer than what it holds", maxHollow),
}

// wire reads the bytes of a body as they are sent.
type wire struct {
	source io.Reader
	left   int   // bytes that may be read until more of the body is decoded
	err    error // what ended it
}

// Read implements io.Reader.
func (w *wire) Read(into []byte) (n int, err error) {
	if w.left <= 0 {
		err = errHollow
	} else {
		n, err = w.source.Read(into[:min(len(into), w.left)])
		w.left -= n
	}
	if err != nil {
		w.err = err
	}
	return n, err
}

// gzipBodies are decoders for reuse: each takes about 50 KB.
var gzipBodies = sync.Pool{New: func() any { return &gzipBody{buffer: bufio.NewReader(nil)} }}

// gzipBody decodes a body under gzip (RFC 1952), of one member or of several.
type gzipBody struct {
	wire    wire
	buffer  *bufio.Reader // of wire
	decoder gzip.Reader
	begun   bool // the header was read
}

func (g *gzipBody) start(source io.Reader) {
	g.wire = wire{source: source, left: maxHollow}
	g.buffer.Reset(&g.wire)
	g.begun = false
}

func (g *gzipBody) release() {
	g.wire = wire{}
	gzipBodies.Put(g)
}

// Read implements io.Reader. The error is io.EOF, that of the wire, or a refusal.
func (g *gzipBody) Read(into []byte) (int, error) {
	if !g.begun {
		if _, err := g.buffer.Peek(1); err != nil { // io.EOF: the body is empty
			return 0, err
		}
		if err := g.decoder.Reset(g.buffer); err != nil {
			return 0, g.fault(err, "the body has the content encoding gzip, but is not gzip")
		}
		g.begun = true
	}
	n, err := g.decoder.Read(into)
	g.wire.left += n
	if err != nil && err != io.EOF {
		err = g.fault(err, "data that is not gzip follows the gzip stream of the body")
	}
	return n, err
}

// fault returns what is wrong if the decoder failed. noHeader is the text if it did so
// because no member begins where one has to.
func (g *gzipBody) fault(err error, noHeader string) error {
	text := "the gzip stream of the body is damaged"
	switch {
	case g.wire.err != nil && g.wire.err != io.EOF:
		return g.wire.err
	case errors.Is(err, gzip.ErrHeader):
		text = noHeader
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = "the gzip stream of the body ends early"
	}
	return &refusal{matrix.Protocol, text}
}
