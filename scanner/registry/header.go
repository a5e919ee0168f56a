package registry

import "strings"

// headerReader reads the value of a header field from left to right by the parts
// that RFC 9110 builds fields of: tokens (section 5.6.2), quoted strings (section
// 5.6.4) and the separators between them. What stands in a quoted string is never
// taken for anything else.
type headerReader struct {
	text string
	at   int // index of the next byte
}

// done reports whether everything was read.
func (r *headerReader) done() bool { return r.at >= len(r.text) }

// skip skips every following byte that is in set.
func (r *headerReader) skip(set string) {
	for !r.done() && strings.IndexByte(set, r.text[r.at]) >= 0 {
		r.at++
	}
}

// accept skips the next byte if it is c, and reports whether it was.
func (r *headerReader) accept(c byte) bool {
	if r.done() || r.text[r.at] != c {
		return false
	}
	r.at++
	return true
}

// until returns the text before the next byte that is in set, or the rest.
func (r *headerReader) until(set string) string {
	start := r.at
	for !r.done() && strings.IndexByte(set, r.text[r.at]) < 0 {
		r.at++
	}
	return r.text[start:r.at]
}

// token returns the token that follows, or "" if none does.
func (r *headerReader) token() string {
	start := r.at
	for !r.done() && isTokenByte(r.text[r.at]) {
		r.at++
	}
	return r.text[start:r.at]
}

// isTokenByte reports whether c is a tchar.
func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// quoted returns the value of the quoted string that follows, its escapes undone.
// One that does not end has no value, and everything was read then.
func (r *headerReader) quoted() string {
	var b strings.Builder
	for r.at++; !r.done(); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return b.String()
		case c == '\\' && r.at+1 < len(r.text):
			r.at++
			b.WriteByte(r.text[r.at])
		default:
			b.WriteByte(c)
		}
	}
	return ""
}

// parameter returns the value behind a name: spaces around the equals sign are
// allowed (BWS). A value without quotes ends before a byte of set, because
// registries send URLs and scopes without quotes. ok is false if no equals sign
// follows.
func (r *headerReader) parameter(set string) (value string, ok bool) {
	start := r.at
	r.skip(" \t")
	if !r.accept('=') {
		r.at = start
		return "", false
	}
	r.skip(" \t")
	if !r.done() && r.text[r.at] == '"' {
		return r.quoted(), true
	}
	return r.until(set), true
}

// skipElement skips the rest of a list element, up to its comma. A comma
// in a quoted string does not end it.
func (r *headerReader) skipElement() {
	for !r.done() && r.text[r.at] != ',' {
		if r.text[r.at] == '"' {
			r.quoted()
			continue
		}
		r.at++
	}
}
