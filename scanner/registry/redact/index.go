package redact

import (
	"math"
	"slices"
)

// headLen is how many bytes of a longer secret are looked for. What a text repeats behind
// them is found from there, so that a long token costs as much as a short one, and is
// also found where it was cut or its end was altered.
const headLen = 64

// pattern is what is looked for: a secret, or the head of all secrets that begin with it.
type pattern struct {
	text    string
	shorter *pattern // the longest of the others that this one begins with; nil = none

	// Of the secrets that the text is only the head of: those whose rest is one word
	// are counted, because they end where the word ends, and of others the rest is kept.
	words int
	rests []string
}

// secret is one secret of an index.
type secret struct {
	pattern   *pattern
	count     int  // how often it was added by add and not removed
	permanent bool // added by keep
}

// index finds patterns in the time of a look-up and a binary search, however many there
// are and however alike: each is found by its first window, 8 bytes long, or 4 bytes if the
// secret is shorter than 8.
type index struct {
	secrets map[string]*secret
	heads   map[string]*pattern // of the secrets over headLen
	long    windows
	short   windows
	lengths [headLen + 1]int // number of patterns by length
	least   int              // length of the shortest pattern; 0 = no pattern
}

// shortest returns the length of the shortest pattern, in bytes.
func (x *index) shortest() int {
	if x.least == 0 {
		return math.MaxInt
	}
	return x.least
}

func (x *index) isPermanent(text string) bool {
	known := x.secrets[text]
	return known != nil && known.permanent
}

// keep adds a secret for good.
func (x *index) keep(text string) { x.secret(text).permanent = true }

// add adds a secret until it is removed as often.
func (x *index) add(text string) { x.secret(text).count++ }

// remove undoes one add.
func (x *index) remove(text string) {
	known := x.secrets[text]
	if known == nil || known.count == 0 {
		return
	}
	if known.count--; known.count > 0 || known.permanent {
		return
	}
	delete(x.secrets, text)
	if p := known.pattern; len(text) <= headLen || p.forget(text[headLen:]) {
		x.unlist(p)
		if len(text) > headLen {
			delete(x.heads, p.text)
		}
	}
}

// secret returns the secret with a text, which is listed if it is new.
func (x *index) secret(text string) *secret {
	if known := x.secrets[text]; known != nil {
		return known
	}
	if x.secrets == nil {
		x.secrets, x.heads = map[string]*secret{}, map[string]*pattern{}
	}
	var p *pattern
	if len(text) <= headLen {
		p = x.list(text)
	} else {
		if p = x.heads[text[:headLen]]; p == nil {
			p = x.list(text[:headLen])
			x.heads[p.text] = p
		}
		p.remember(text[headLen:])
	}
	one := &secret{pattern: p}
	x.secrets[text] = one
	return one
}

// remember adds the rest of a secret behind the head p.
func (p *pattern) remember(rest string) {
	if isWord(rest) {
		p.words++
		return
	}
	p.rests = append(p.rests, rest)
}

// forget removes the rest of a secret, and reports whether p is the head of none now.
func (p *pattern) forget(rest string) bool {
	if isWord(rest) {
		p.words--
	} else if i := slices.Index(p.rests, rest); i >= 0 {
		p.rests = slices.Delete(p.rests, i, i+1)
	}
	return p.words == 0 && len(p.rests) == 0
}

// list makes a new pattern and indexes it.
func (x *index) list(text string) *pattern {
	p := &pattern{text: text}
	if len(text) < longWindow {
		x.short.insert(p, shortWindow)
	} else {
		x.long.insert(p, longWindow)
	}
	x.lengths[len(text)]++
	x.measure()
	return p
}

// unlist undoes list.
func (x *index) unlist(p *pattern) {
	if len(p.text) < longWindow {
		x.short.remove(p, shortWindow)
	} else {
		x.long.remove(p, longWindow)
	}
	x.lengths[len(p.text)]--
	x.measure()
}

func (x *index) measure() {
	x.least = max(slices.IndexFunc(x.lengths[:], func(n int) bool { return n > 0 }), 0)
}

// Lengths of the windows, in bytes.
const (
	longWindow  = 8
	shortWindow = minOwn
)

// windows maps the first windows of patterns of one length class to the patterns.
type windows struct {
	candidates map[uint64][]*pattern // sorted by their folded text
	filter     []uint64              // a bit for the hash of each window: most windows of a text have none
	shift      uint                  // of a hash, to the number of its bit
	stale      int                   // number of windows that were removed, whose bit may still be set
}

// bitsPerWindow keeps the share of windows that pass the filter by chance at 3 %. A
// look-up in the map takes ten times as long as the filter.
const bitsPerWindow = 32

// multiplier spreads a window over the upper bits of a product (Fibonacci hashing,
// Knuth, The Art of Computer Programming, volume 3, section 6.4).
const multiplier = 0x9E3779B97F4A7C15

func (w *windows) insert(p *pattern, width int) {
	if w.candidates == nil {
		w.candidates = map[uint64][]*pattern{}
	}
	key := windowAt(p.text, width)
	sorted := w.candidates[key]
	at, common := position(sorted, p.text)
	if at > 0 {
		p.shorter = sorted[at-1].prefix(common)
	}
	sorted = slices.Insert(sorted, at, p)
	w.candidates[key] = sorted
	for _, longer := range beginningWith(p, sorted[at+1:]) {
		if longer.shorter == p.shorter {
			longer.shorter = p
		}
	}
	if len(sorted) > 1 {
		return
	}
	if (len(w.candidates)+w.stale)*bitsPerWindow > len(w.filter)*64 {
		w.rebuild()
		return
	}
	w.mark(key)
}

func (w *windows) remove(p *pattern, width int) {
	key := windowAt(p.text, width)
	sorted := w.candidates[key]
	at := slices.Index(sorted, p)
	if at < 0 {
		return
	}
	for _, longer := range beginningWith(p, sorted[at+1:]) {
		if longer.shorter == p {
			longer.shorter = p.shorter
		}
	}
	if sorted = slices.Delete(sorted, at, at+1); len(sorted) > 0 {
		w.candidates[key] = sorted
		return
	}
	delete(w.candidates, key)
	w.stale++
}

// position returns how many of the sorted patterns are not after text, and how many bytes
// the last of these has in common with the begin of text.
func position[T string | []byte](sorted []*pattern, text T) (at, common int) {
	after := len(sorted)
	for at < after {
		middle := int(uint(at+after) >> 1)
		p := sorted[middle]
		n := commonPrefix(text, p.text)
		if n == len(p.text) || n < len(text) && folded[p.text[n]] < folded[text[n]] {
			at, common = middle+1, n
		} else {
			after = middle
		}
	}
	return at, common
}

// prefix returns the longest of p and the patterns that it begins with which has at most
// so many bytes, or nil.
func (p *pattern) prefix(most int) *pattern {
	for p != nil && len(p.text) > most {
		p = p.shorter
	}
	return p
}

// beginningWith returns the first ones of sorted that begin with p.
func beginningWith(p *pattern, sorted []*pattern) []*pattern {
	n := 0
	for n < len(sorted) && commonPrefix(sorted[n].text, p.text) == len(p.text) {
		n++
	}
	return sorted[:n]
}

// rebuild makes the filter again, twice as large as it has to be.
func (w *windows) rebuild() {
	bits := uint(6)
	for 1<<bits < 2*bitsPerWindow*len(w.candidates) {
		bits++
	}
	w.filter, w.shift, w.stale = make([]uint64, 1<<(bits-6)), 64-bits, 0
	for key := range w.candidates {
		w.mark(key)
	}
}

func (w *windows) mark(key uint64) {
	bit := key * multiplier >> w.shift
	w.filter[bit/64] |= 1 << (bit % 64)
}

// windowAt returns the first width bytes of text as match reads them: the last byte is
// the most significant, and a plus sign is a space.
func windowAt(text string, width int) uint64 {
	var window uint64
	for i := range width {
		window = window>>8 | uint64(folded[text[i]])<<56
	}
	return window
}
