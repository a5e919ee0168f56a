package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// spelling is one way to write a text so that it can be read again.
type spelling struct {
	name  string
	write func(string) string
}

// eachByte writes every byte of a text in a format.
func eachByte(format string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for i := range len(text) {
			fmt.Fprintf(&b, format, text[i])
		}
		return b.String()
	}
}

// eachRaw writes every byte of a text behind a mark.
func eachRaw(mark string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for i := range len(text) {
			b.WriteString(mark + text[i:i+1])
		}
		return b.String()
	}
}

func escapedBackslash(text string) string { return strings.ReplaceAll(text, `\`, `\\`) }

// eachCharacter writes every character of a text in a format.
func eachCharacter(format string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for _, r := range text {
			fmt.Fprintf(&b, format, r)
		}
		return b.String()
	}
}

// eachUnit writes the UTF-16 of a text in a format.
func eachUnit(format string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune(text)) {
			fmt.Fprintf(&b, format, unit)
		}
		return b.String()
	}
}

// mixed has every second letter of a text in upper case.
func mixed(write func(string) string) func(string) string {
	return func(text string) string {
		out := []byte(write(text))
		for i := 0; i < len(out); i += 2 {
			out[i] = strings.ToUpper(string(out[i : i+1]))[0]
		}
		return string(out)
	}
}

// chain writes a text in one way after another.
func chain(all ...func(string) string) func(string) string {
	return func(text string) string {
		for _, write := range all {
			text = write(text)
		}
		return text
	}
}

// around writes a text between two others.
func around(before, after string) func(string) string {
	return func(text string) string { return before + text + after }
}

func plain(text string) string { return text }

func inJSON(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return strings.Trim(string(encoded), `"`)
}

func quoted(text string) string {
	text = strconv.Quote(text)
	return text[1 : len(text)-1]
}

func quotedASCII(text string) string {
	text = strconv.QuoteToASCII(text)
	return text[1 : len(text)-1]
}

// named escapes for HTML as most languages but Go do.
var named = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;",
	"(", "&lpar;", "/", "&sol;", "%", "&percnt;", "+", "&plus;", ":", "&colon;", "ä", "&auml;", "\n", "&NewLine;").Replace

func dumped(separator string) func(string) string {
	return func(text string) string { return strings.Join(strings.Fields(eachByte("%02x ")(text)), separator) }
}

var (
	percent    = eachByte("%%%02x")
	stdBase64  = func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	urlBase64  = func(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }
	rawBase64  = func(text string) string { return base64.RawStdEncoding.EncodeToString([]byte(text)) }
	rawBase64U = func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	lowerHex   = func(text string) string { return hex.EncodeToString([]byte(text)) }
)

// wrapped breaks lines as MIME does.
func wrapped(text string) string {
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return b.String() + text
}

// unfolded makes one line of several, as net/http does with those of a header field.
var unfolded = strings.NewReplacer("\r\n", " ").Replace

// spellings hold for any bytes.
var spellings = []spelling{
	{"plain", plain},
	{"query", url.QueryEscape},
	{"path", url.PathEscape},
	{"query in lower case", func(text string) string { return lowerPercent(url.QueryEscape(text)) }},
	{"percent, every byte", percent},
	{"percent, upper case", eachByte("%%%02X")},
	{"percent, mixed case", mixed(percent)},
	{"percent, every second byte", everySecond(eachByte("%%%02X"))},
	{"percent, twice", chain(percent, url.QueryEscape)},
	{"percent, three times", chain(url.QueryEscape, url.QueryEscape, url.PathEscape)},
	{"quoted", quoted},
	{"quoted twice", chain(quoted, quoted)},
	{"quoted as ASCII", quotedASCII},
	{`\x`, eachByte(`\x%02x`)},
	{`\x in upper case`, eachByte(`\x%02X`)},
	{`\u00`, eachByte(`\u%04x`)},
	{`\u00 in upper case`, eachByte(`\u%04X`)},
	{`\u{}`, eachByte(`\u{%x}`)},
	{"quoted pairs", eachRaw(`\`)},
	{"quoted pairs in JSON", chain(eachRaw(`\`), escapedBackslash)},
	{"quoted pairs in percent", chain(eachRaw(`\`), percent)},
	{"octal", eachByte(`\%03o`)},
	{"HTML", html.EscapeString},
	{"HTML by name", named},
	{"decimal entities", eachByte("&#%d;")},
	{"hex entities", eachByte("&#x%x;")},
	{"hex entities in upper case", eachByte("&#X%02X;")},
	{"decimal entities with zeros", eachByte("&#%07d;")},
	{"hex entities with zeros", eachByte("&#x%07x;")},
	{"entities without semicolon", eachByte("&#%d")},
	{"hex", lowerHex},
	{"hex in upper case", eachByte("%02X")},
	{"hex in mixed case", mixed(lowerHex)},
	{"a digest", chain(lowerHex, around("sha256:", ""))},
	{"hex after a digit", chain(lowerHex, around("a", ""))},
	{"hex with colons", dumped(":")},
	{"hex with spaces", dumped(" ")},
	{"hex with dashes", dumped("-")},
	{"hex with slashes", dumped("/")},
	{"hex with bars", dumped("|")},
	{"hex in quotes", chain(dumped(`", "`), around(`["`, `"]`))},
	{"hex with marks in upper case", eachByte("0X%02X|")},
	{"quoted-printable", eachByte("=%02X")},
	{"escapes of LDAP", eachByte(`\%02x`)},
	{"hex with marks", chain(dumped(", 0x"), around("[]byte{0x", "}"))},
	{"base64", stdBase64},
	{"URL base64", urlBase64},
	{"unpadded base64", rawBase64},
	{"unpadded URL base64", rawBase64U},
	{"base64 of x:", chain(around("x:", ""), stdBase64)},
	{"base64 of xx:", chain(around("xx:", ""), stdBase64)},
	{"base64 of xxx:", chain(around("xxx:", ""), stdBase64)},
	{"base64 with more", chain(around("robot:", "\n\n"), rawBase64U)},
	{"base64 behind a path", chain(stdBase64, around("/v2/a", ""))},
	{"base64 in lines", chain(around(strings.Repeat("a", 40), ""), stdBase64, wrapped)},
	{"base64 in lines of a header", chain(around(strings.Repeat("a", 50), ""), stdBase64, wrapped, unfolded)},
	{"base64 in lines, as JSON", chain(around(strings.Repeat("a", 40), ""), stdBase64, wrapped, inJSON)},
	{"base64 in a query", chain(stdBase64, url.QueryEscape)},
	{"base64, every byte in percent", chain(stdBase64, percent)},
	{"base64 of quoted", chain(quoted, around(`{"password":"`, `"}`), stdBase64)},
	{"base64 of base64", chain(around("u:", ""), stdBase64, around(`{"auth":"`, `"}`), stdBase64)},
	{"base64 of hex", chain(lowerHex, rawBase64)},
	{"hex of base64", chain(stdBase64, lowerHex)},
	{"HTML of quoted in percent", chain(quoted, html.EscapeString, percent)},
	{"quoted percent in HTML", chain(url.QueryEscape, quoted, named)},
	{"entities of percent", chain(percent, eachByte("&#%d;"))},
}

// textSpellings hold for text in UTF-8 only.
var textSpellings = []spelling{
	{"JSON", inJSON},
	{"JSON as ASCII", eachUnit(`\u%04x`)},
	{"JSON with slashes", func(text string) string { return strings.ReplaceAll(inJSON(text), "/", `\/`) }},
	{"base64 of JSON", chain(inJSON, around(`{"p":"`, `"}`), stdBase64)},
	{"JSON of a query", chain(url.QueryEscape, inJSON)},
	{"percent of JSON", chain(inJSON, url.QueryEscape)},
	{"percent of base64 of JSON", chain(inJSON, around(`{"p":"`, `"}`), stdBase64, url.QueryEscape)},
	{`\u{} of characters`, eachCharacter(`\u{%x}`)},
	{`\U`, eachCharacter(`\U%08x`)},
	{"decimal entities of characters", eachCharacter("&#%d;")},
	{"hex entities of characters", eachCharacter("&#x%x;")},
	{"escape() of JavaScript", eachUnit("%%u%04X")},
}

// lowerPercent has the hex digits of percent-encoding in lower case.
func lowerPercent(text string) string {
	parts := strings.Split(text, "%")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToLower(parts[i][:2]) + parts[i][2:]
	}
	return strings.Join(parts, "%")
}

// everySecond writes every second byte of a text, and percent signs.
func everySecond(write func(string) string) func(string) string {
	return func(text string) string {
		var b strings.Builder
		for i := range len(text) {
			if i%2 == 0 || text[i] == '%' {
				b.WriteString(write(text[i : i+1]))
			} else {
				b.WriteByte(text[i])
			}
		}
		return b.String()
	}
}
