package redact

import (
	"slices"
	"strings"
	"sync"
)

// How deep a text is decoded. Each decoding can be of any kind, in any order: JSON in a
// percent-encoded address in a page is three rounds of escapes, and a docker config in a
// Kubernetes Secret is base64 of JSON with base64 in it.
const (
	maxEscapes = 3 // percent-encoding, backslash escapes, HTML entities
	maxDense   = 2 // hexadecimal, base64
	maxDepth   = maxEscapes + maxDense
)

// hidden replaces a secret.
const hidden = "***"

// span is a part of a text, in bytes. to is not in it.
type span struct{ from, to int32 }

// view is a text, or what it decodes to.
type view struct {
	text   []byte
	at     []span // of each byte, where it comes from; nil for the text itself
	binary bool   // it was hexadecimal or base64, and need not be text
	last   span   // of text, that was found last
}

func (v *view) reset() { *v = view{text: v.text[:0], at: v.at[:0]} }

// origin returns where the bytes from i to before j come from.
func (v *view) origin(i, j int) span {
	if v.at == nil {
		return span{int32(i), int32(j)}
	}
	return span{v.at[i].from, v.at[j-1].to}
}

func (v *view) add(b byte, origin span) {
	v.text = append(v.text, b)
	v.at = append(v.at, origin)
}

// level is the memory for one depth of decoding.
type level struct {
	view   view
	digits []byte // values of the digits of a run of hexadecimal or base64
	places []span // where they come from
}

// search looks for secrets in one text.
type search struct {
	own, shared *index
	shortest    int // length of the shortest secret of both
	root        view
	levels      [maxDepth]level
	found       []span // in the text

	// A number from 0x80 to 0xff in an escape is a byte to some writers and a character to
	// others, so that a text with one is decoded in both ways.
	high bool // the text has one
	swap bool // it is taken for the less usual one of both

	escape []byte   // what an escape stands for
	seen   []uint64 // hashes of views
}

// searches keeps the memory of searches, which are many and short.
var searches = sync.Pool{New: func() any { return new(search) }}

// maxKept bounds the memory that a search keeps for the next one, in bytes of each text.
const maxKept = 64 << 10

func (s *search) release() {
	s.own, s.shared = nil, nil
	for i := range s.levels {
		if l := &s.levels[i]; cap(l.view.text) > maxKept || cap(l.digits) > maxKept {
			*l = level{}
		}
	}
	if cap(s.root.text) > maxKept || cap(s.found) > maxKept {
		s.root, s.found = view{}, nil
	}
	searches.Put(s)
}

// redact returns text without the secrets of both indexes.
func (s *search) redact(text string, own, shared *index, shortest int) string {
	s.own, s.shared, s.shortest, s.found = own, shared, shortest, s.found[:0]
	s.root.text, s.root.last = append(s.root.text[:0], text...), span{}
	s.seen, s.high, s.swap = s.seen[:0], false, false
	s.look(&s.root, maxEscapes, maxDense)
	if s.high {
		s.seen, s.swap = s.seen[:0], true
		s.look(&s.root, maxEscapes, maxDense)
	}
	if len(s.found) == 0 {
		return text
	}
	slices.SortFunc(s.found, func(a, b span) int { return int(a.from) - int(b.from) })
	var b strings.Builder
	end := int32(0) // of what was written or hidden
	for i, one := range s.found {
		if i == 0 || one.from > end {
			b.WriteString(text[end:one.from])
			b.WriteString(hidden)
		}
		end = max(end, one.to)
	}
	b.WriteString(text[end:])
	return b.String()
}

// look finds the secrets in v and in all that it decodes to, in as many rounds of escapes
// and dense encodings as are left.
func (s *search) look(v *view, escapes, dense int) {
	met := s.match(v)
	switch {
	case escapes == 0, met&escapeClass == 0:
	case v.binary:
		s.unescapeText(v, met, escapes, dense)
	default:
		s.unescape(v, met, escapes, dense)
	}
	if dense > 0 {
		s.hex(v, escapes, dense)
		s.base64(v, escapes, dense)
	}
}

// level returns the memory for what is decoded with so many rounds left.
func (s *search) level(escapes, dense int) *level { return &s.levels[maxDepth-escapes-dense] }

// match finds the secrets in the bytes of v. It returns the classes of all of them.
func (s *search) match(v *view) class {
	var met class
	var window uint64 // the last eight bytes, the last of all in the upper bits
	long, longFilter, longShift := &s.own.long, s.own.long.filter, s.own.long.shift&63
	shared, sharedFilter, sharedShift := &s.shared.long, s.shared.long.filter, s.shared.long.shift&63
	short := &s.own.short
	hasShort := len(short.candidates) > 0
	for i, b := range v.text {
		met |= classes[b]
		window = window>>8 | uint64(folded[b])<<56
		hash := window * multiplier
		if bit := hash >> longShift; bit/64 < uint64(len(longFilter)) && longFilter[bit/64]>>(bit%64)&1 != 0 {
			s.verify(v, long, window, i+1-longWindow)
		}
		if bit := hash >> sharedShift; bit/64 < uint64(len(sharedFilter)) && sharedFilter[bit/64]>>(bit%64)&1 != 0 {
			s.verify(v, shared, window, i+1-longWindow)
		}
		if hasShort {
			half := window >> 32 << 32 // the last four
			if bit := half * multiplier >> (short.shift & 63); short.filter[bit/64]>>(bit%64)&1 != 0 {
				s.verify(v, short, half, i+1-shortWindow)
			}
		}
	}
	return met
}

// verify hides the longest pattern that v has at from, where a window of it is. The others
// there are the begin of that one.
func (s *search) verify(v *view, in *windows, window uint64, from int) {
	sorted := in.candidates[window]
	if len(sorted) == 0 || from < 0 {
		return
	}
	at, common := position(sorted, v.text[from:])
	if at == 0 {
		return
	}
	p := sorted[at-1].prefix(common)
	if p == nil {
		return
	}
	to := from + len(p.text)
	isHead := p.words > 0 || len(p.rests) > 0
	if !isHead && from >= int(v.last.from) && to < int(v.last.to) { // hidden already
		return
	}
	end := to
	// Heads that differ in spaces and plus signs only are as long and found together.
	for ; p != nil && len(p.text) == to-from; p = p.shorter {
		if p.words > 0 || len(p.rests) > 0 {
			end = max(end, p.end(v, to))
		}
	}
	s.hide(v, from, end)
}

// commonPrefix returns how many bytes two texts begin with both, a plus sign being a space.
func commonPrefix[T string | []byte](text T, secret string) int {
	n := min(len(text), len(secret))
	for i := range n {
		if folded[text[i]] != folded[secret[i]] {
			return i
		}
	}
	return n
}

// maxRests bounds how many secrets with one head are compared with a text. With more, all
// that is behind the head is hidden: that costs a registry its own texts only, unless one
// account has more keys that begin alike than any service allows.
const maxRests = 64

// end returns the end of a secret whose head ends at head: behind all that the text
// repeats of it, and behind the rest of the word, which may be a token that was altered.
func (p *pattern) end(v *view, head int) int {
	if len(p.rests) > maxRests {
		return len(v.text)
	}
	// What is hidden already is not compared again, or else a text that repeats the head
	// would take quadratic time.
	skip := 0
	if int(v.last.from) <= head {
		skip = max(int(v.last.to)-head, 0)
	}
	end := head + skip
	for _, rest := range p.rests {
		if skip < len(rest) {
			end = max(end, head+skip+commonPrefix(v.text[head+skip:], rest[skip:]))
		}
	}
	for end < len(v.text) && classes[v.text[end]]&wordClass != 0 {
		end++
	}
	return end
}

// hide notes that v has a secret from one byte to before another.
func (s *search) hide(v *view, from, to int) {
	v.last = span{int32(from), int32(to)}
	one := v.origin(from, to)
	if n := len(s.found); n > 0 && s.found[n-1].from <= one.from && one.from <= s.found[n-1].to {
		s.found[n-1].to = max(s.found[n-1].to, one.to)
		return
	}
	s.found = append(s.found, one)
}
