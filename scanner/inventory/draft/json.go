package draft

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonImages returns the images that JSON documents name, one document after another: the
// value of every image key but those under status, and the text in an array that is the
// document. It reads token by token and keeps nothing else, because a list of pods may be
// hundreds of megabytes.
func jsonImages(r io.Reader) ([]string, error) {
	w := jsonWalk{decoder: json.NewDecoder(r)}
	for {
		token, err := w.decoder.Token()
		if errors.Is(err, io.EOF) {
			return w.images, nil
		}
		if err == nil {
			err = w.value(token, "", 0)
		}
		if err != nil {
			return nil, err
		}
	}
}

// maxNesting bounds the recursion, as encoding/json bounds its own.
const maxNesting = 10_000

// jsonWalk is a walk over JSON.
type jsonWalk struct {
	decoder *json.Decoder
	images  []string
	status  int // how many values of status the walk is in: what runs is in spec already
}

// value walks over the value that begins with token. key is its key if it is in an object,
// and depth counts the values that it is in.
func (w *jsonWalk) value(token json.Token, key string, depth int) error {
	if key == "status" {
		w.status++
		defer func() { w.status-- }()
	}
	switch token := token.(type) {
	case string:
		if isImageKey(key) && w.status == 0 {
			w.images = append(w.images, token)
		}
	case json.Delim:
		if depth == maxNesting {
			return fmt.Errorf("nested more than %d levels deep", maxNesting)
		}
		return w.content(token == '{', depth)
	}
	return nil
}

// content walks over the rest of an object or array.
func (w *jsonWalk) content(isObject bool, depth int) error {
	for {
		token, err := w.next()
		if err != nil {
			return err
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			return nil
		}
		key := ""
		if isObject {
			key, _ = token.(string) // the decoder takes no other key
			if token, err = w.next(); err != nil {
				return err
			}
		} else if text, ok := token.(string); ok && depth == 0 {
			w.images = append(w.images, text)
		}
		if err := w.value(token, key, depth+1); err != nil {
			return err
		}
	}
}

// next returns the next token within a value: the end of the input is not expected there.
func (w *jsonWalk) next() (json.Token, error) {
	token, err := w.decoder.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

// startKept keeps the start of what is read, so that it can be read in another way if it
// turns out not to be JSON.
type startKept struct {
	r    io.Reader
	kept []byte
	read int64
}

// maxKept bounds what is kept, in bytes: YAML that looks like JSON differs early.
const maxKept = 1 << 20

// over reports whether more was read than what is kept.
func (s *startKept) over() bool { return s.read > int64(len(s.kept)) }

// Read implements io.Reader. More than maxJSON bytes are an error.
func (s *startKept) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.kept = append(s.kept, p[:min(n, maxKept-len(s.kept))]...)
	if s.read += int64(n); s.read > maxJSON {
		return n, fmt.Errorf("it is over %d GiB: split it", maxJSON>>30)
	}
	return n, err
}
