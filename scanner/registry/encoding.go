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
// everybody. At most most bytes of it are read from the wire. release has to be called when
// the body was read.
func decode(resp *http.Response, most int64) (content io.Reader, length int64, release func()) {
	switch encoding := contentEncoding(resp.Header); encoding {
	case "":
		return resp.Body, resp.ContentLength, func() {}
	case "gzip", "x-gzip": // which are the same (RFC 9110, section 8.4.1.3)
		body := gzipBodies.Get().(*gzipBody)
		body.start(resp.Body, most)
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

// wire reads the bytes of a body as they are sent, up to a bound.
type wire struct {
	source io.Reader
	left   int64 // bytes that may still be read
	err    error // what ended it
}

// errOverWire is a body that is longer on the wire than it may be when it is decoded. What
// was decoded before is not lost.
var errOverWire = errors.New("the body is over its bound on the wire")

// Read implements io.Reader.
func (w *wire) Read(into []byte) (n int, err error) {
	if w.left <= 0 {
		err = errOverWire
	} else {
		n, err = w.source.Read(into[:min(int64(len(into)), w.left)])
		w.left -= int64(n)
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

func (g *gzipBody) start(source io.Reader, most int64) {
	g.wire = wire{source: source, left: most + 1} // and one byte to see that it ends
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
		if _, err := g.buffer.Peek(1); err != nil { // io.EOF: there is no body
			return 0, err
		}
		if err := g.decoder.Reset(g.buffer); err != nil {
			return 0, g.fault(err, "the body has the content encoding gzip, but is not gzip")
		}
		g.begun = true
	}
	n, err := g.decoder.Read(into)
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
