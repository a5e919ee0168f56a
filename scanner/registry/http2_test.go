package registry

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// Frames of HTTP/2 (RFC 9113, section 6).
const (
	headersFrame  = 0x1
	resetFrame    = 0x3
	settingsFrame = 0x4
	goAwayFrame   = 0x7
)

func frame(kind byte, stream uint32, payload ...byte) []byte {
	head := []byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, 0}
	return append(binary.BigEndian.AppendUint32(head, stream), payload...)
}

func word(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func resetOf(code uint32) func(uint32) []byte {
	return func(stream uint32) []byte { return frame(resetFrame, stream, word(code)...) }
}

// goAwayOf ends the connection; last is the last stream that is answered.
func goAwayOf(last, code uint32, debug string) func(uint32) []byte {
	return func(uint32) []byte {
		return frame(goAwayFrame, 0, append(append(word(last), word(code)...), debug...)...)
	}
}

// http2Server answers each request with the frames that answer returns for its stream, and
// closes the connection then if closes is set. It counts the requests.
func http2Server(t *testing.T, answer func(stream uint32) []byte, closes bool) (address string, requests *atomic.Int32) {
	t.Helper()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	certificate := certified.TLS.Certificates[0]
	certified.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int32)
	var serving sync.WaitGroup
	serve := func(conn net.Conn) {
		defer conn.Close()
		_, _ = conn.Write(frame(settingsFrame, 0))
		if _, err := io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
			return
		}
		for head := make([]byte, 9); ; {
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
			if _, err := io.CopyN(io.Discard, conn, length); err != nil {
				return
			}
			if head[3] == headersFrame {
				requests.Add(1)
				_, _ = conn.Write(answer(binary.BigEndian.Uint32(head[5:])))
				if closes {
					return
				}
			}
		}
	}
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return "https://" + listener.Addr().String(), requests
}

// TestHTTP2Faults: a stream that is reset and a connection that is ended are faults of the
// connection, which are retried. What breaks the rules of HTTP/2 is one of the protocol.
func TestHTTP2Faults(t *testing.T) {
	begins := []byte{0x88} // ":status: 200" (RFC 7541, appendix A)
	for _, test := range []struct {
		name   string
		answer func(stream uint32) []byte
		closes bool
		kind   matrix.Reason
		text   string
		sent   int32 // requests on the wire, of two attempts
	}{
		{"INTERNAL_ERROR", resetOf(2), false, matrix.Connect, "the HTTP/2 stream was reset: INTERNAL_ERROR", 2},
		{"CANCEL", resetOf(8), false, matrix.Connect, "the HTTP/2 stream was reset: CANCEL", 2},
		{"ENHANCE_YOUR_CALM", resetOf(11), false, matrix.Connect, "the HTTP/2 stream was reset: ENHANCE_YOUR_CALM", 2},
		{"a code that is not defined", resetOf(77), false, matrix.Connect, "the HTTP/2 stream was reset: code 77", 2},
		{"REFUSED_STREAM", resetOf(7), false, matrix.Connect, "the HTTP/2 stream was reset twice: REFUSED_STREAM, PROTOCOL_ERROR or GOAWAY", 0},
		{"PROTOCOL_ERROR", resetOf(1), false, matrix.Connect, "the HTTP/2 stream was reset twice: REFUSED_STREAM, PROTOCOL_ERROR or GOAWAY", 0},
		{"in the body", func(stream uint32) []byte {
			whole := frame(headersFrame, stream, begins...)
			whole[4] = 4 // END_HEADERS
			return append(whole, resetOf(2)(stream)...)
		}, false, matrix.Connect, "the HTTP/2 stream was reset: INTERNAL_ERROR", 2},
		{"GOAWAY of the first stream", goAwayOf(0, 11, "calm down"), false, matrix.Connect, "the HTTP/2 connection was ended: ENHANCE_YOUR_CALM", 2},
		{"GOAWAY in the answer", goAwayOf(1, 2, " GOAWAY ErrCode=CANCEL"), true, matrix.Connect, "the HTTP/2 connection was ended: INTERNAL_ERROR", 2},
		{"an answer without a status", func(stream uint32) []byte {
			whole := frame(headersFrame, stream, 0x40, 1, 'a', 1, 'b')
			whole[4] = 5 // END_HEADERS, END_STREAM
			return whole
		}, false, matrix.Protocol, "the answer breaks the rules of HTTP/2", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address, requests := http2Server(t, test.answer, test.closes)
			target, _ := url.Parse(address)
			pool := NewPool(Options{})
			defer pool.Close()
			e := inventory.Registry{URL: target, Timeout: 20 * time.Second, Retries: 1, Concurrency: 1}
			e.TLS.InsecureSkipVerify = true
			c := pool.Client(e)
			var texts []string
			for range 2 {
				s := c.NewSession()
				resp, err := s.Do(t.Context(), Request{Step: "resolve", Method: http.MethodGet, URL: c.URL("a/manifests/b")})
				if err != nil || resp.Fault == nil {
					t.Fatalf("%+v, %v", resp, err)
				}
				if sent := requests.Swap(0); len(texts) == 0 && test.sent > 0 && sent != test.sent || sent > 6 {
					t.Errorf("%d requests are sent", sent)
				}
				if resp.Fault.Kind != test.kind || !strings.HasPrefix(resp.Fault.Text, test.text) {
					t.Errorf("%s: %s, want %s: %s", resp.Fault.Kind, resp.Fault.Text, test.kind, test.text)
				}
				texts = append(texts, resp.Fault.Text)
				c.pace.succeeded(true) // so that the second row has its retries too
			}
			if texts[0] != texts[1] {
				t.Errorf("the texts differ: %q", texts)
			}
		})
	}
}
