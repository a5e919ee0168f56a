package hostile

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"sync"
)

// packed is a body under gzip.
func packed(plain content) content {
	return sync.OnceValue(func() []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(plain())
		_ = w.Close()
		return out.Bytes()
	})
}

// bomb is a gigabyte of zeros under gzip: 16 members of 64 MiB, 1 MiB on the wire.
var bomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.CopyN(w, zeros{}, 64<<20)
	_ = w.Close()
	return bytes.Repeat(out.Bytes(), 16)
})

// changed is what change makes of a body.
func changed(whole content, change func([]byte) []byte) content {
	return func() []byte { return change(bytes.Clone(whole())) }
}

func emptyList() []byte { return []byte(`{"schemaVersion":2,"manifests":[]}`) }

// gzipped is an answer whose header says that its body is gzip.
func gzipped(status int, body content) sending {
	header := http.Header{"Content-Encoding": {"gzip"}}
	if status != http.StatusOK {
		header["Content-Type"] = []string{"application/json"}
	}
	return sending{body: body, status: status, header: header}
}

// endlessly answers referrers with a gzip stream that begins with head and repeats piece.
func endlessly(head, piece []byte) starter {
	return listing(func(_ *server, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", indexType)
		w.Header().Set("Content-Encoding", "gzip")
		many := bytes.Repeat(piece, 1000)
		for _, err := w.Write(head); err == nil; {
			_, err = w.Write(many)
		}
	})
}

// Parts of a gzip stream that hold nothing.
var (
	emptyMember = packed(func() []byte { return nil })()
	openMember  = emptyMember[:10]            // its header alone
	emptyBlock  = []byte{0, 0, 0, 0xff, 0xff} // stored, and not the last one (RFC 1951, section 3.2.4)
	largePacked = packed(largeList)
	emptyPacked = packed(emptyList)
)

// encodings are registries that send gzip, right and wrong, or what was not requested.
var encodings = []behaviour{
	{name: "gzip: list", want: "referrers-empty", start: gzipped(200, emptyPacked).listed()},
	{name: "gzip: list of 7.9 MiB", want: "referrers-listed", start: gzipped(200, largePacked).listed()},
	{name: "gzip: list of 7.9 MiB under 404", want: "index-on-404", start: gzipped(404, largePacked).listed()},
	{name: "gzip: bomb as list", want: "too-large", start: gzipped(200, bomb).listed()},
	{name: "gzip: bomb as error body", want: "rejected", start: gzipped(400, bomb).listed()},
	{name: "gzip: bomb under 404", want: "not-found", start: gzipped(404, bomb).listed()},
	{name: "gzip: bomb as token", want: "token-error", start: gzipped(200, bomb).asToken()},
	{name: "gzip: empty members for ever", want: "protocol", start: endlessly(nil, emptyMember)},
	{name: "gzip: empty blocks for ever", want: "protocol", start: endlessly(openMember, emptyBlock)},
	{name: "gzip: stalls in the middle of 7.9 MiB", want: "timeout", start: sending{
		body:    largePacked,
		header:  http.Header{"Content-Encoding": {"gzip"}},
		pauseAt: 100 << 10,
	}.listed()},
	{name: "gzip: in gzip", want: "not-an-index", start: gzipped(200, packed(emptyPacked)).listed()},
	{name: "gzip: truncated", want: "protocol", start: gzipped(200, changed(emptyPacked, func(b []byte) []byte { return b[:len(b)/2] })).listed()},
	{name: "gzip: data after it", want: "protocol", start: gzipped(200, changed(emptyPacked, func(b []byte) []byte { return append(b, "more"...) })).listed()},
	{name: "gzip: wrong checksum", want: "protocol", start: gzipped(200, changed(emptyPacked, func(b []byte) []byte { b[len(b)-8] ^= 1; return b })).listed()},
	{name: "gzip: not gzip", want: "protocol", start: gzipped(200, emptyList).listed()},
	{name: "br, which was not requested", want: "protocol", start: sending{body: emptyList, header: http.Header{"Content-Encoding": {"br"}}}.listed()},
}
