package redact

import "unicode/utf8"

// Hexadecimal and base64 write bytes without a mark where they begin, so that a run of
// digits is decoded from each place where a byte can begin in it: "user:password" in
// base64 is looked at in four ways, and one of them has the password.
//
// A secret as short as 4 bytes is looked for in these as well. All 32 bits of it have to
// be there, in a run of at least 6 digits, which a digest has by chance once in 70
// million; and what ordinary words decode to is hardly ever text.

// nextRun returns the next run of at least least bytes of a class, from byte i on. It
// looks at every byte of a run, and of the rest at one byte in least. from and to are
// equal if nothing is found.
func nextRun(text []byte, i, least int, of class) (from, to int) {
	for begin := i; i+least <= len(text); {
		last := i + least - 1
		if classes[text[last]]&of == 0 {
			i, begin = last+1, last+1
			continue
		}
		from = last
		for from > begin && classes[text[from-1]]&of != 0 {
			from--
		}
		to = last + 1
		for to < len(text) && classes[text[to]]&of != 0 {
			to++
		}
		if to-from >= least {
			return from, to
		}
		i, begin = to, to
	}
	return len(text), len(text)
}

// isLiteral reports whether the bytes from one to before another are characters of the
// text itself, in a view of it: what they decode to was looked at there.
func (v *view) isLiteral(from, to int) bool {
	if v.at == nil {
		return false
	}
	for _, at := range v.at[from:to] {
		if at.to-at.from != 1 {
			return false
		}
	}
	return true
}

// hex looks at what the hexadecimal in v decodes to.
func (s *search) hex(v *view, escapes, dense int) {
	least := 2 * s.shortest
	l := s.level(escapes, dense)
	for from, to := nextRun(v.text, 0, least, hexClass); from < to; from, to = nextRun(v.text, to, least, hexClass) {
		if v.isLiteral(from, to) {
			continue
		}
		l.digits, l.places = l.digits[:0], l.places[:0]
		for i := from; i < to; i++ {
			digit := hexDigits[v.text[i]]
			switch n := len(l.digits); {
			case digit != notDigit:
				l.digits, l.places = append(l.digits, digit), append(l.places, v.origin(i, i+1))
			case v.text[i]|0x20 == 'x' && n > 0 && v.text[i-1] == '0': // the mark 0x of a byte
				l.digits, l.places = l.digits[:n-1], l.places[:n-1]
			}
		}
		for phase := range 2 {
			l.view.reset()
			for i := phase; i+1 < len(l.digits); i += 2 {
				l.view.add(l.digits[i]<<4|l.digits[i+1], span{l.places[i].from, l.places[i+1].to})
			}
			s.lookDense(&l.view, escapes, dense)
		}
	}
}

// base64 looks at what the base64 in v decodes to.
func (s *search) base64(v *view, escapes, dense int) {
	least := (4*s.shortest + 2) / 3
	l := s.level(escapes, dense)
	for from, to := nextRun(v.text, 0, least, base64Class); from < to; from, to = nextRun(v.text, to, least, base64Class) {
		if v.isLiteral(from, to) {
			continue
		}
		l.digits, l.places = l.digits[:0], l.places[:0]
		for i := from; i < to; i++ {
			if digit := base64Digits[v.text[i]]; digit != notDigit {
				l.digits, l.places = append(l.digits, digit), append(l.places, v.origin(i, i+1))
			}
		}
		for phase := range 4 {
			l.decodeBase64(phase)
			s.lookDense(&l.view, escapes, dense)
		}
	}
}

// decodeBase64 makes the view of the digits from phase on, whole bytes only.
func (l *level) decodeBase64(phase int) {
	v := &l.view
	v.reset()
	i, n := phase, len(l.digits)
	for ; i+1 < n; i += 4 {
		d, at := l.digits[i:], l.places[i:]
		v.add(d[0]<<2|d[1]>>4, span{at[0].from, at[1].to})
		if i+2 < n {
			v.add(d[1]<<4|d[2]>>2, span{at[1].from, at[2].to})
		}
		if i+3 < n {
			v.add(d[2]<<6|d[3], span{at[2].from, at[3].to})
		}
	}
}

// lookDense looks at what a run decoded to.
func (s *search) lookDense(v *view, escapes, dense int) {
	if v.binary = true; len(v.text) >= s.shortest {
		s.look(v, escapes, dense-1)
	}
}

// unescapeText looks at what the parts of v that are text decode to. Most of what a run
// decodes to is not text, and has escapes by chance only.
func (s *search) unescapeText(v *view, met class, escapes, dense int) {
	for from, i := 0, 0; i <= len(v.text); {
		n := textLen(v.text[i:])
		if n > 0 {
			i += n
			continue
		}
		if i-from > s.shortest { // an escape is longer than what it stands for
			s.unescape(&view{text: v.text[from:i], at: v.at[from:i]}, met, escapes, dense)
		}
		i++
		from = i
	}
}

// textLen returns the length of the character that text begins with, in bytes. It is 0 if
// text is empty, or begins with a byte that JSON would not write as it is.
func textLen(text []byte) int {
	switch {
	case len(text) == 0:
		return 0
	case text[0] >= utf8.RuneSelf:
		if r, n := utf8.DecodeRune(text); r != utf8.RuneError {
			return n
		}
		return 0
	case text[0] >= ' ', text[0] == '\n', text[0] == '\r', text[0] == '\t':
		return 1
	}
	return 0
}
