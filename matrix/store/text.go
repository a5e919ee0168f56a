package store

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// maxMatrix bounds a matrix.json that is read, in bytes of its text.
const maxMatrix = 1 << 30

// gzipMagic is how a gzip file begins (RFC 1952, section 2.3.1).
const gzipMagic = "\x1f\x8b"

// text is the text of a matrix.json, which was stored plain or under gzip. Its errors say
// what is wrong with the file.
type text struct {
	from io.Reader
	most int64 // bytes that are read; one more is an error
	read int64

	value, valueEnd int64 // bytes that a value may have, and where it would have more; 0 for no bound
}

// newText returns the text that r holds. The first bytes decide whether it is under gzip
// and not a name, because a pipe has none. The bound holds for what was decompressed, so
// that a small file cannot fill the memory.
func newText(r io.Reader, most int64) (*text, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	t := &text{from: buffered, most: most}
	// An error of Peek comes back with the first read.
	if magic, _ := buffered.Peek(len(gzipMagic)); string(magic) == gzipMagic {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, unread(err)
		}
		t.from = z
	}
	return t, nil
}

// beginValue bounds what is read until it is called again: a value of the JSON may have most
// bytes. What the decoder has read ahead of the value is not counted.
func (t *text) beginValue(most int64) { t.value, t.valueEnd = most, t.read+most }

// Read implements io.Reader.
func (t *text) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	switch t.read += int64(n); {
	case t.read > t.most:
		return 0, fmt.Errorf("is over %d bytes: no matrix.json is", t.most)
	case t.value > 0 && t.read > t.valueEnd:
		return 0, fmt.Errorf("holds a value over %d bytes: no matrix.json does", t.value)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, unread(err)
	}
	return n, err
}

// unread returns the error of a file that err kept from being read whole.
func unread(err error) error { return fmt.Errorf("cannot be read to its end: %w", err) }
