package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"maps"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// Bounds on what is kept of one list, which may be of many pages. All descriptors are
// counted, each digest once. Beyond maxDigests that is not known any more, and each
// descriptor counts.
const (
	maxDescriptors = 1000
	maxKept        = 256 << 10 // bytes of the names in them
	maxDigests     = 20_000    // that are told apart
)

// manifests reads the key manifests of an index: an array, or null, which some
// registries send for an empty one.
type manifests struct {
	there  bool
	valid  bool
	index  verdict.Index
	listed digests
}

// UnmarshalJSON takes the bytes of the value, which encoding/json has found to be valid
// JSON. It never fails: what it cannot read is not valid.
func (m *manifests) UnmarshalJSON(raw []byte) error {
	*m = manifests{there: true}
	switch raw[0] {
	case 'n':
		m.valid, m.index.Null = true, true
	case '[':
		m.valid = m.read(raw)
	}
	return nil
}

// read reads descriptors until there are more than a list is compared of. The rest is
// counted. It reports whether all that it read are objects as the specification has
// them (image specification, descriptor.md).
func (m *manifests) read(array []byte) bool {
	n, ok := 0, true
	names := newKeptNames()
	eachElement(array, func(element []byte) bool {
		n++
		m.listed.cut = n > maxDigests
		switch {
		case !m.listed.cut:
			ok = m.add(element, names)
		case m.index.Total > 0:
			m.index.Total++
		default: // as all that were read
			m.index.Invalid++
		}
		return ok
	})
	return ok
}

// add adds one descriptor. What no client could use is counted alone: without a valid
// digest, or with a type longer than types are. So is what is not a descriptor, such as
// null. Of several descriptors with the same digest the first counts.
func (m *manifests) add(element []byte, names *keptNames) bool {
	var d struct {
		MediaType    name  `json:"mediaType"`
		Digest       name  `json:"digest"`
		Size         int64 `json:"size"`
		ArtifactType name  `json:"artifactType"`
	}
	if json.Unmarshal(element, &d) != nil {
		return false
	}
	if !isDigest(string(d.Digest)) || len(d.MediaType) > maxName || len(d.ArtifactType) > maxName {
		m.index.Invalid++
		return true
	}
	if !m.listed.add(string(d.Digest)) {
		return true
	}
	m.index.Total++
	if len(m.index.Descriptors) < maxDescriptors && !names.full() {
		m.index.Descriptors = append(m.index.Descriptors, matrix.Descriptor{
			Digest:       names.keep(string(d.Digest)),
			MediaType:    names.keep(string(d.MediaType)),
			ArtifactType: names.keep(string(d.ArtifactType)),
			Size:         d.Size,
		})
	}
	return true
}

// beginsIndex reports whether a JSON text that begins so may be an index.
func beginsIndex(begins []byte) bool { return readBegin(begins).valid }

// readBegin reads the descriptors that a JSON text begins with which goes on after it.
// They are valid if the text may be an index: its manifests begin, those that are there
// whole are objects, and no errors come before them.
func readBegin(begins []byte) (m manifests) {
	_, _ = registry.EachKey(begins, func(key string, value *json.Decoder) (enough bool) {
		if key == "manifests" {
			opening, err := value.Token()
			m.there, m.valid = true, err == nil && opening == json.Delim('[')
			names := newKeptNames()
			var element json.RawMessage
			for n := 0; m.valid && n < maxDigests && value.More() && value.Decode(&element) == nil; n++ {
				m.valid = m.add(element, names)
			}
		}
		return key == "manifests" || key == "errors"
	})
	m.listed.cut = true
	return m
}

// name is a string of a descriptor. One that is longer than names are is not decoded: it
// is tooLong instead.
type name string

var tooLong = name(strings.Repeat("x", maxName+1))

// UnmarshalJSON takes a string or null.
func (n *name) UnmarshalJSON(raw []byte) error {
	const longest = len(`"`) + maxName*len(`\u0000`) + len(`"`)
	if raw[0] == '"' && len(raw) > longest {
		*n = tooLong
		return nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	*n = name(text)
	return err
}

// isDigest reports whether text is a digest, of whatever algorithm (image
// specification, "Digests").
func isDigest(text string) bool {
	_, err := digest.Parse(text)
	return len(text) <= maxName && (err == nil || errors.Is(err, digest.ErrDigestUnsupported))
}

// keptNames are the names kept of a list. A list has many of few, so each is kept once.
type keptNames struct {
	known map[string]string
	bytes int
}

func newKeptNames() *keptNames { return &keptNames{known: map[string]string{}} }

// keep returns text as it is kept.
func (k *keptNames) keep(text string) string {
	if known, ok := k.known[text]; ok {
		return known
	}
	k.known[text] = text
	k.bytes += len(text)
	return text
}

// full reports whether no more names are kept.
func (k *keptNames) full() bool { return k.bytes > maxKept }

// eachElement calls yield with the elements of an array, until it returns false. The
// array is valid JSON, so that brackets and quotes are all there is to look at. No
// element is copied.
func eachElement(array []byte, yield func(element []byte) bool) {
	depth, start := 0, 1
	for at := 0; at < len(array); at++ {
		switch array[at] {
		case '"':
			at = endOfString(array, at)
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
		default:
			continue
		}
		separates := array[at] == ',' && depth == 1 || depth == 0
		if !separates {
			continue
		}
		element := bytes.TrimSpace(array[start:at])
		start = at + 1
		if len(element) > 0 && !yield(element) {
			return
		}
	}
}

// endOfString returns the index of the quote that ends the string which begins at
// start.
func endOfString(text []byte, start int) int {
	for at := start + 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at
		}
	}
	return len(text) - 1
}

// digests are those of one list, each once: the names of the first of them, and hashes of
// all that were read, which are maxDigests at the most.
type digests struct {
	first  []string
	hashes map[uint64]struct{}
	cut    bool // there are more, which were not read
}

// seed makes hashes that no registry can foresee.
var seed = maphash.MakeSeed()

// add adds one digest and reports whether it is new.
func (d *digests) add(one string) (isNew bool) {
	if d.contain(one) {
		return false
	}
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	if len(d.first) < maxDescriptors {
		d.first = append(d.first, one)
	}
	d.hashes[maphash.String(seed, one)] = struct{}{}
	return true
}

// addAll adds the digests of the next page if there is room for all of them, and returns
// how many of them are not new.
func (d *digests) addAll(page digests) (known int) {
	for hash := range page.hashes {
		if _, ok := d.hashes[hash]; ok {
			known++
		}
	}
	if d.cut || page.cut || len(d.hashes)+len(page.hashes)-known > maxDigests {
		d.cut = true
		return known
	}
	if d.hashes == nil {
		d.hashes = map[uint64]struct{}{}
	}
	for _, one := range page.first {
		d.add(one)
	}
	maps.Copy(d.hashes, page.hashes)
	return known
}

// full reports whether there may be digests that are not in d.
func (d *digests) full() bool { return d.cut || len(d.hashes) >= maxDigests }

func (d *digests) contain(one string) bool {
	_, ok := d.hashes[maphash.String(seed, one)]
	return ok
}

// fingerprint distinguishes lists without their digests. It is zero for a list that is empty or
// was not read whole.
type fingerprint struct {
	digests int
	sum     uint64 // of the hashes, in whatever order
}

func (d *digests) fingerprint() (f fingerprint) {
	if d.full() {
		return f
	}
	f.digests = len(d.hashes)
	for hash := range d.hashes {
		f.sum += hash
	}
	return f
}

// equal reports whether both lists are of the same digests, at least one, and were read
// whole.
func (f fingerprint) equal(other fingerprint) bool { return f.digests > 0 && f == other }

// without returns how many of the digests are not in other, and those of them that are
// known by name, most at the most.
func (d *digests) without(other digests, most int) (first []string, n int) {
	for hash := range d.hashes {
		if _, ok := other.hashes[hash]; !ok {
			n++
		}
	}
	for _, one := range d.first {
		if len(first) < most && !other.contain(one) {
			first = append(first, one)
		}
	}
	return first, n
}
