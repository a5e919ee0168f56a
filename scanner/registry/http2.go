package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptrace"
	"regexp"

	"refmatrix/matrix"
)

// http2Fault is a stream or connection of HTTP/2 that was ended before its answer was.
// Another one may be answered.
type http2Fault struct{ text string }

func (f *http2Fault) Error() string { return f.text }

// errRefused ends a request whose stream was refused twice. net/http repeats such a request
// by itself, thousands of times if the connection ends too, and our rate does not hold it.
var errRefused = &http2Fault{"the HTTP/2 stream was reset twice: REFUSED_STREAM, PROTOCOL_ERROR or GOAWAY"}

// maxStreams is how many streams of HTTP/2 may be opened for one request: one more than
// the first, because a connection may end just when it is used again.
const maxStreams = 2

// isHTTP2 reports whether a connection speaks HTTP/2, on which each attempt of net/http
// to get a request answered is traced as a connection of its own.
func isHTTP2(info httptrace.GotConnInfo) bool {
	conn, ok := info.Conn.(*tls.Conn)
	return ok && conn.ConnectionState().NegotiatedProtocol == "h2"
}

// streamError has the fields of net/http's own error of one stream, which errors.As
// fills in by their names (net/http, h2_error.go).
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "" } // errors.As wants an error

// errorCodes are the codes that end a stream or connection (RFC 9113, section 7).
var errorCodes = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
	"INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

func (s streamError) code() string {
	if int64(s.Code) < int64(len(errorCodes)) {
		return errorCodes[s.Code]
	}
	return fmt.Sprintf("code %d", s.Code)
}

// goAway is net/http's text of a connection that the server ended with an error.
var goAway = regexp.MustCompile(`^http2: .*? GOAWAY .*?ErrCode[=:]([A-Z0-9_]+)`)

// blameHTTP2 returns err as what it is of HTTP/2, without the number of the stream, which
// differs from run to run, and without the text that a server may add. An error of
// another kind is unchanged.
func blameHTTP2(err error) error {
	var stream streamError
	if errors.As(err, &stream) {
		if stream.Cause != nil && stream.Cause.Error() == "received from peer" {
			return &http2Fault{"the HTTP/2 stream was reset: " + stream.code()}
		}
		return &refusal{matrix.Protocol, "the answer breaks the rules of HTTP/2: " + stream.code()}
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		text := cause.Error()
		if found := goAway.FindStringSubmatch(text); found != nil {
			return &http2Fault{"the HTTP/2 connection was ended: " + found[1]}
		}
		switch text {
		case "http2: Transport received Server's graceful shutdown GOAWAY":
			return &http2Fault{"the HTTP/2 connection was ended: NO_ERROR"}
		case "http2: client conn could not be established", "http2: client conn is closed", "http2: client conn not usable":
			return &http2Fault{"the HTTP/2 connection was ended"}
		}
	}
	return err
}
