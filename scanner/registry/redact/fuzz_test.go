package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// encoders write any bytes, each as one kind of encoding.
var encoders = []struct {
	dense bool
	write func(string) string
}{
	{false, url.QueryEscape},
	{false, url.PathEscape},
	{false, percent},
	{false, mixed(percent)},
	{false, everySecond(percent)},
	{false, quoted},
	{false, quotedASCII},
	{false, eachByte(`\x%02X`)},
	{false, eachByte(`\u%04x`)},
	{false, eachByte(`\%03o`)},
	{false, html.EscapeString},
	{false, named},
	{false, eachByte("&#%d;")},
	{false, eachByte("&#x%X;")},
	{true, stdBase64},
	{true, rawBase64U},
	{true, lowerHex},
	{true, dumped(":")},
}

// encoded returns text as encoded by the encoders with these numbers, as far as Redact
// promises to decode it. Within hexadecimal and base64 that is what is text.
func encoded(text string, numbers []byte) string {
	escapes, dense := 0, 0
	for _, number := range numbers {
		one := encoders[int(number)%len(encoders)]
		if one.dense {
			dense++
		} else {
			escapes++
		}
		if escapes > maxEscapes || dense > maxDense || one.dense && escapes > 0 && !isText(text) {
			return text
		}
		text = one.write(text)
	}
	return text
}

func isText(text string) bool {
	for i := 0; i < len(text); {
		n := textLen([]byte(text[i:]))
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

var (
	hexRun    = regexp.MustCompile(`[0-9A-Fa-f]{2,}`)
	base64Run = regexp.MustCompile(`[0-9A-Za-z+/]{4,}`)
)

// decodings returns what text is to the decoders of the standard library.
func decodings(text string) []string {
	out := []string{text, html.UnescapeString(text)}
	add := func(decoded string, err error) {
		if err == nil {
			out = append(out, decoded)
		}
	}
	add(url.QueryUnescape(text))
	add(url.PathUnescape(text))
	add(strconv.Unquote(`"` + text + `"`))
	var fromJSON string
	err := json.Unmarshal([]byte(`"`+text+`"`), &fromJSON)
	add(fromJSON, err)
	for _, run := range hexRun.FindAllString(text, -1) {
		for _, run := range []string{run, run[1:]} {
			decoded, err := hex.DecodeString(run[:len(run)/2*2])
			add(string(decoded), err)
		}
	}
	for _, run := range base64Run.FindAllString(strings.NewReplacer("-", "+", "_", "/").Replace(text), -1) {
		for phase := range 4 {
			decoded, err := base64.RawStdEncoding.DecodeString(run[phase : phase+(len(run)-phase)/4*4])
			add(string(decoded), err)
		}
	}
	return out
}

// FuzzRedact: no decoder of the standard library finds a secret in what is left of a text,
// in whatever encodings the text has it, and a text without one stays as it is.
func FuzzRedact(f *testing.F) {
	for i := range encoders {
		f.Add("pä\"ss <w+rd>'\\&%41", "before ", " after", []byte{byte(i)})
		f.Add("2kQ9", "user:", "", []byte{byte(i), byte(i + 5)})
		f.Add(opaque(1, 100), "Bearer ", ",", []byte{byte(i), byte(i + 7), 2})
	}
	f.Add("\x00\xff\xfe\x80", "", "", []byte{8, 0})
	f.Add(strings.Repeat("a", 65), "%", `\`, []byte{})
	f.Fuzz(func(t *testing.T, secret, before, after string, numbers []byte) {
		if len(secret) < minOwn || len(secret) > 4096 || len(before)+len(after) > 4096 || len(numbers) > maxDepth {
			return
		}
		if strings.ContainsAny(secret, "*\uFFFD") { // in what is left too, because Redact or a decoder wrote it
			return
		}
		text := encoded(before+secret+after, numbers)
		set := NewShared().NewSet()
		set.AddToken(secret)
		left := set.Redact(text)
		if !strings.Contains(left, hidden) {
			t.Fatalf("%q is not found in %q", secret, text)
		}
		for _, part := range strings.Split(left, hidden) {
			for _, decoded := range decodings(part) {
				if strings.Contains(decoded, secret) {
					t.Fatalf("%q is left of %q, as %q", secret, text, part)
				}
			}
		}
		other := NewShared().NewSet()
		other.AddAccount("canary-8hX2kQ9v-of-another", "2kQ9-s3cr-8hX2")
		if got := other.Redact(text); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}
