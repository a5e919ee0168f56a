package redact

// class says what a byte can be part of.
type class uint8

const (
	percentSign class = 1 << iota
	backslash
	ampersand
	hexClass    // a hex digit, or what is written between the bytes of a hex dump
	base64Class // a base64 digit, or what lines are broken by
	wordClass   // what tokens are made of (RFC 6750, section 2.1)

	escapeClass = percentSign | backslash | ampersand
)

// notDigit is the value of a byte that is not a digit.
const notDigit = 0xff

// Tables over all bytes.
var (
	classes      [256]class
	hexDigits    [256]byte // value of a hex digit, in any case
	base64Digits [256]byte // value of a base64 digit, of both alphabets (RFC 4648, sections 4 and 5)

	// folded has each byte as it is compared. A plus sign is a space, because forms write
	// spaces so (WHATWG URL, section 5.2), also where nothing else has to be encoded.
	folded [256]byte
)

func init() {
	for i := range 256 {
		hexDigits[i], base64Digits[i], folded[i] = notDigit, notDigit, byte(i)
	}
	folded['+'] = ' '
	set := func(bytes string, c class) {
		for i := range len(bytes) {
			classes[bytes[i]] |= c
		}
	}
	const upper, lower, decimal = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789"
	for i := range len(decimal) {
		hexDigits[decimal[i]] = byte(i)
	}
	for i := range 6 {
		hexDigits[upper[i]], hexDigits[lower[i]] = byte(10+i), byte(10+i)
	}
	for _, alphabet := range []string{upper + lower + decimal + "+/", upper + lower + decimal + "-_"} {
		for i := range len(alphabet) {
			base64Digits[alphabet[i]] = byte(i)
		}
		set(alphabet, base64Class)
	}
	set("%", percentSign)
	set(`\`, backslash)
	set("&", ampersand)
	set("0123456789abcdefABCDEF"+hexGaps+"xX", hexClass)
	set(base64Gaps, base64Class)
	set(upper+lower+decimal+"-._~+/=", wordClass)
}

const (
	// hexGaps are the characters that are written between the bytes of a hex dump, or before
	// each: =41 is quoted-printable (RFC 2045, section 6.7). Those that escapes have are not
	// here, or else a text of escapes would be one long run in each view of it.
	hexGaps = " :-.,_+|/='\"\t\r\n"

	// base64Gaps are line breaks, which decoders skip (RFC 2045, section 6.8), and what is
	// left of them when net/http makes one line of a header field of several.
	base64Gaps = "\r\n\t "
)

// isWord reports whether text has only characters that tokens are made of.
func isWord(text string) bool {
	for i := range len(text) {
		if classes[text[i]]&wordClass == 0 {
			return false
		}
	}
	return true
}
