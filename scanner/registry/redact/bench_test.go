package redact

import (
	"fmt"
	"strings"
	"testing"
)

// exchange is what is redacted of one exchange with a registry.
var exchange = []string{
	"https://registry.example.com/v2/library/nginx/manifests/latest",
	"https://auth.example.com/token?scope=repository%3Alibrary%2Fnginx%3Apull&service=registry.example.com",
	"application/vnd.oci.image.index.v1+json",
	"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"registry/2.0",
	`Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:library/nginx:pull"`,
	"nginx/1.27.0",
	"</v2/library/nginx/referrers/sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08?last=1>; rel=\"next\"",
	"repository:library/nginx:pull",
	"application/json",
}

// inUse returns a set with three secrets of its own, beside entries secrets of others.
func inUse(entries int) *Set {
	shared := NewShared()
	for i := range entries {
		shared.NewSet().AddAccount(fmt.Sprintf("Company-%d-%s", i, opaque(uint64(i), 12)))
	}
	set := shared.NewSet()
	set.AddAccount("8hX2kQ9v-canary", opaque(1, 40), stdBase64("robot:8hX2kQ9v-canary"))
	return set
}

// BenchmarkURL: one short text, the usual case.
func BenchmarkURL(b *testing.B) {
	set := inUse(10000)
	b.ReportAllocs()
	for b.Loop() {
		set.Redact(exchange[0])
	}
}

// BenchmarkTokens: a token is added, three exchanges are redacted and the token is removed,
// beside so many others. The time is of one token.
func BenchmarkTokens(b *testing.B) {
	for _, n := range []int{500, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set := inUse(1000)
			for i := range n {
				set.AddToken(opaque(uint64(i), 2000))
			}
			token := opaque(uint64(n), 2000)
			b.ReportAllocs()
			for b.Loop() {
				set.AddToken(token)
				for range 3 {
					for _, text := range exchange {
						set.Redact(text)
					}
				}
				set.RemoveToken(token)
			}
		})
	}
}

// BenchmarkEntries: the set of an entry is made, its account is added and three exchanges
// are redacted, beside so many other entries. The time is of one entry.
func BenchmarkEntries(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			shared := inUse(n).shared
			b.ReportAllocs()
			for b.Loop() {
				set := shared.NewSet()
				set.AddAccount("8hX2kQ9v-canary", stdBase64("robot:8hX2kQ9v-canary"))
				for range 3 {
					for _, text := range exchange {
						set.Redact(text)
					}
				}
			}
		})
	}
}

// hostileTexts are 64 KiB each, chosen to cost much.
var hostileTexts = map[string]string{
	"window":     strings.Repeat("a", 64<<10),
	"sparse":     strings.Repeat("aaaaaaaaab", 64<<10/10),
	"percent":    strings.Repeat("%25", 64<<10/3),
	"percent25":  "%" + strings.Repeat("25", 32<<10),
	"base64":     opaque(1, 64<<10),
	"hex":        lowerHex(opaque(1, 32<<10)),
	"hexDump":    dumped(":")(opaque(1, 21<<10)),
	"base64x3":   stdBase64(stdBase64(opaque(1, 36<<10))),
	"entities":   strings.Repeat("&lt;", 16<<10),
	"ampersands": strings.Repeat("&", 64<<10),
	"names":      strings.Repeat("&a", 32<<10),
	"backslash":  strings.Repeat(`\`, 64<<10),
	"all":        strings.Repeat(`%2525&amp;amp;\\u00e9&#233;%e9`, 64<<10/30),
	"quoted":     strings.Repeat(`\%5cn&bsol;%255c\u005cx&#92;\xe9`, 64<<10/30),
	"hexInText":  strings.Repeat(`&percnt;&amp;%5c\\x2541414141&#92;5c %25QUFB=/`, 64<<10/43),
	"manyKinds":  strings.Repeat("%255c&amp;#37;AAAAAAAAAAAAAAAA%c3%A4YWFhYWFhYWFhYWFh\\\\\\xe9", 64<<10/58),
}

// hostileTokens are 2,000, many of which share every window.
func hostileTokens() []string {
	var tokens []string
	for i := range 57 {
		tokens = append(tokens, strings.Repeat("a", 8+i))
	}
	for i := 0; len(tokens) < 1000; i++ {
		token := []byte(strings.Repeat("a", 64))
		for at, n := 0, i; at < 64 && n > 0; at, n = at+9, n/3 {
			token[at+n%3] = 'b'
		}
		tokens = append(tokens, string(token))
	}
	for i := len(tokens); i < 2000; i++ {
		tokens = append(tokens, opaque(uint64(i), 900))
	}
	return tokens
}

// BenchmarkHostile: texts and tokens that a hostile registry chose.
func BenchmarkHostile(b *testing.B) {
	set := inUse(1000)
	for _, token := range hostileTokens() {
		set.AddToken(token)
	}
	set.AddAccount("s3cr")
	for name, text := range hostileTexts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				set.Redact(text)
			}
		})
	}
}
