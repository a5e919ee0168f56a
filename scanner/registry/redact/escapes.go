package redact

import (
	"hash/maphash"
	"html"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoder undoes one kind of escapes.
type decoder struct {
	mark class // of the byte that an escape begins with

	// read decodes the escape at the begin of text and returns how many bytes it has; 0 if
	// it is not an escape. The bytes that it stands for are appended to out.
	read func(text, out []byte, swap bool) (decoded []byte, n int)

	last bool // it comes after all other escapes, which keeps the number of views small
}

var decoders = []decoder{
	{percentSign, readPercent, false},
	{backslash, readBackslash, false},
	{backslash, readQuotedPair, true},
	{ampersand, readEntity, false},
}

// unescape looks at what v decodes to by each decoder whose mark was met.
func (s *search) unescape(v *view, met class, escapes, dense int) {
	child := &s.level(escapes, dense).view
	for _, d := range decoders {
		switch {
		case met&d.mark == 0, d.last && s.swap, !s.decode(v, child, d), !s.isNew(child, escapes, dense):
		case d.last:
			s.look(child, 0, dense)
		default:
			s.look(child, escapes-1, dense)
		}
	}
}

// decode makes child what v decodes to, and reports whether v has an escape at all.
func (s *search) decode(v, child *view, d decoder) bool {
	child.reset()
	changed := false
	for i := 0; i < len(v.text); {
		n := 0
		if classes[v.text[i]]&d.mark != 0 {
			s.escape, n = d.read(v.text[i:], s.escape[:0], s.swap)
		}
		if n == 0 {
			child.add(v.text[i], v.origin(i, i+1))
			i++
			continue
		}
		origin := v.origin(i, i+n)
		for _, b := range s.escape {
			child.add(b, origin)
		}
		s.high = s.high || isHigh(s.escape)
		changed = true
		i += n
	}
	return changed
}

// isNew reports whether no other decoders led to the same view, and notes it.
// Without that a text with all kinds of escapes would be looked at twice as often.
func (s *search) isNew(v *view, escapes, dense int) bool {
	hash := maphash.Bytes(hashSeed, v.text) ^ uint64(escapes<<8|dense)
	for _, at := range v.at {
		hash = (hash ^ uint64(at.from)<<32 ^ uint64(at.to)) * multiplier
	}
	if slices.Contains(s.seen, hash) {
		return false
	}
	s.seen = append(s.seen, hash)
	return true
}

// hashSeed keeps servers from choosing texts with the same hash.
var hashSeed = maphash.MakeSeed()

// isHigh reports whether text is one byte over 0x7f or one character from 0x80 to 0xff.
func isHigh(text []byte) bool {
	if len(text) == 1 {
		return text[0] >= utf8.RuneSelf
	}
	return len(text) == 2 && (text[0] == 0xc2 || text[0] == 0xc3)
}

// appendNumber appends what a number in an escape stands for: a byte, or else a character
// in UTF-8. A character is one that is given by its number, up to 0xff, if asByte.
func appendNumber(out []byte, number rune, asByte bool) []byte {
	if asByte && number <= 0xff {
		return append(out, byte(number))
	}
	return utf8.AppendRune(out, number)
}

// readNumber reads digits of base at the begin of text, at most most of them. n is how many
// there are. The value is -1 if it is beyond all characters.
func readNumber(text []byte, base rune, most int) (value rune, n int) {
	for n < len(text) && n < most {
		digit := rune(hexDigits[text[n]])
		if digit >= base {
			break
		}
		if value >= 0 {
			value = value*base + digit
		}
		if value > utf8.MaxRune {
			value = -1
		}
		n++
	}
	return value, n
}

// readPercent reads %41, and %u0041 as escape() of JavaScript writes it (ECMA-262, annex
// B.2.1).
func readPercent(text, out []byte, swap bool) ([]byte, int) {
	if value, n := readNumber(text[1:], 16, 2); n == 2 {
		return append(out, byte(value)), 3
	}
	if len(text) > 1 && text[1]|0x20 == 'u' {
		if value, n := readUnits(text[2:], "%u"); n > 0 {
			return appendNumber(out, value, swap), 2 + n
		}
	}
	return out, 0
}

// readUnits reads four hex digits, and a second mark with four more if both are the halves
// of one character in UTF-16.
func readUnits(text []byte, mark string) (value rune, n int) {
	value, n = readNumber(text, 16, 4)
	if n < 4 {
		return 0, 0
	}
	if utf16.IsSurrogate(value) && strings.HasPrefix(string(text[4:min(len(text), 6)]), mark) {
		second, m := readNumber(text[6:], 16, 4)
		if both := utf16.DecodeRune(value, second); m == 4 && both != utf8.RuneError {
			return both, 10
		}
	}
	return value, 4
}

// controls are the letters of escapes for control characters, in JSON, C, Go, JavaScript
// and the shell.
var controls = map[byte]byte{
	'a': '\a', 'b': '\b', 'e': 0x1b, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
}

// readBackslash reads \x41, \u0041 with a second one where there are two halves, \u{41},
// \U00000041, \101, \n and the like. Before any other character a backslash only quotes.
func readBackslash(text, out []byte, swap bool) ([]byte, int) {
	if len(text) < 2 {
		return out, 0
	}
	switch c := text[1]; c {
	case 'x':
		if value, n := readNumber(text[2:], 16, 2); n > 0 {
			return appendNumber(out, value, !swap), 2 + n
		}
	case 'u', 'U':
		if value, n := readUnicode(text); n > 0 {
			return appendNumber(out, value, swap), n
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		value, n := readNumber(text[1:], 8, 3)
		return appendNumber(out, value&0xff, !swap), 1 + n
	default:
		if control, ok := controls[c]; ok {
			return append(out, control), 2
		}
	}
	return append(out, text[1]), 2
}

// readQuotedPair reads \n as an n: in the quoted strings of header fields a backslash only
// quotes, whatever follows it (RFC 9110, section 5.6.4).
func readQuotedPair(text, out []byte, _ bool) ([]byte, int) {
	if len(text) < 2 {
		return out, 0
	}
	return append(out, text[1]), 2
}

// readUnicode reads \u0041, \u{41} or \U00000041. n is 0 if text begins otherwise.
func readUnicode(text []byte) (value rune, n int) {
	switch {
	case text[1] == 'U':
		if value, n = readNumber(text[2:], 16, 8); n == 8 && value >= 0 {
			return value, 10
		}
	case len(text) > 2 && text[2] == '{':
		value, n = readNumber(text[3:], 16, len(text))
		if n > 0 && value >= 0 && 3+n < len(text) && text[3+n] == '}' {
			return value, 4 + n
		}
	default:
		if value, n = readUnits(text[2:], `\u`); n > 0 {
			return value, 2 + n
		}
	}
	return 0, 0
}

// longestEntity is the length of the longest name of an entity, in bytes, with the marks
// around it (HTML, "Named character references": CounterClockwiseContourIntegral).
const longestEntity = 33

// readEntity reads &#65;, &#x41; and names as &lt;, also without the semicolon.
func readEntity(text, out []byte, swap bool) ([]byte, int) {
	if len(text) > 1 && text[1] == '#' {
		return readNumeric(text, out, swap)
	}
	n := 1
	for n < len(text) && n < longestEntity && isAlphanumeric(text[n]) {
		n++
	}
	if n == 1 {
		return out, 0
	}
	if n < len(text) && text[n] == ';' {
		n++
	}
	// The name may be only the first part of these letters. What comes behind it is taken
	// as part of the entity then, which hides at most a few letters too many.
	name := string(text[:n])
	decoded := html.UnescapeString(name)
	if decoded == name {
		return out, 0
	}
	return append(out, decoded...), n
}

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// readNumeric reads an entity that begins with &#.
func readNumeric(text, out []byte, swap bool) ([]byte, int) {
	begin, base := 2, rune(10)
	if len(text) > 2 && text[2]|0x20 == 'x' {
		begin, base = 3, 16
	}
	value, n := readNumber(text[begin:], base, len(text))
	if n == 0 || value < 0 {
		return out, 0
	}
	n += begin
	if n < len(text) && text[n] == ';' {
		n++
	}
	return appendNumber(out, value, swap), n
}
