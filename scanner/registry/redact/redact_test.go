package redact

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// opaque returns n characters that tokens are made of, the same for a seed.
func opaque(seed uint64, n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	random := rand.New(rand.NewPCG(seed, 0))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(out)
}

// keyFile is a password of 2 KB with line breaks and quotes, as that of a service account
// of Google.
var keyFile = "{\n  \"type\": \"service_account\",\n  \"project_id\": \"my-project\",\n  \"private_key\": \"" +
	strings.ReplaceAll(opaque(3, 1700), "_", "+/\n") + "\",\n  \"client_id\": \"1\"\n}\n"

var secretsOfAllKinds = []string{
	"s3cr", "2kQ9", "8hX2kQ9v", "canary-pass-1234", "canary-pass-12345", "canary-pass-123456",
	"pä/ss w+rd?&:", `pä"ss<\\w+'rd>`, "with several spaces", "ключ-от-всего", "🔑 key 🔑", "tab\tbell\aline\nend\x7f",
	"\x00\x01\xfe\xff\x80 bytes", "100%41 & &amp; \\x41", "++++ ++++", "zzzzzzzzzzzz", "eyJhbGciOi.eyJzdWIi.c2ln-_",
	"eyJhbGciOiJSUzI1NiJ9." + opaque(1, 1700) + "." + opaque(2, 342), opaque(4, 16<<10), keyFile,
}

// TestSpellings: a secret is hidden in whatever way a server writes it.
func TestSpellings(t *testing.T) {
	for _, secret := range secretsOfAllKinds {
		set := NewShared().NewSet()
		set.AddAccount(secret)
		all := spellings
		if utf8.ValidString(secret) {
			all = append(all[:len(all):len(all)], textSpellings...)
		}
		for _, one := range all {
			written := one.write(secret)
			texts := []string{"<" + written + ">", written, "ends with " + written, written + " begins"}
			if len(secret) > 1000 {
				texts = texts[:1]
			}
			for _, text := range texts {
				got := set.Redact(text)
				if limit := len(text) - len(written) + slack(one); !strings.Contains(got, hidden) || len(got) > limit {
					t.Errorf("%.40q as %s: %.200q, which is longer than %d", secret, one.name, got, limit)
				}
			}
		}
	}
}

// slack is how long what is left of a spelling may be: what is written around the secret
// stays, and the digits that belong to it alone.
func slack(one spelling) int {
	if strings.Contains(one.name, "lines") {
		return 72
	}
	return len(hidden) + len(one.write("\x01")) + 2
}

// TestShort: four characters are a secret, fewer would turn words into stars.
func TestShort(t *testing.T) {
	for secret, want := range map[string]string{"s3cr": "it is ***", "s3c": "it is s3c", "": "it is "} {
		set := NewShared().NewSet()
		set.AddAccount(secret)
		set.AddToken(secret)
		if got := set.Redact("it is " + secret); got != want {
			t.Errorf("%s: %q, want %q", secret, got, want)
		}
	}
}

// TestNeighbours: secrets that touch, overlap or begin with another are hidden whole, and
// nothing else is.
func TestNeighbours(t *testing.T) {
	set := NewShared().NewSet()
	set.AddAccount("registry", "registry-s3cr3t", "registry-s3cr3t-XYZ", "abcdefgh", "efghijkl", "1234", "4567")
	for text, want := range map[string]string{
		"Server: registry-s3cr3t-XYZ, registry-s3cr3t, registry": "Server: ***, ***, ***",
		"registryabcdefgh":            "***",
		"registry abcdefgh":           "*** ***",
		"<abcdefghijkl>":              "<***>",
		"12345678":                    "***8",
		"0123 567 " + "abcdefg":       "0123 567 abcdefg",
		"registry%72egistry":          "***",
		"a registry b %61bcdefgh c":   "a *** b *** c",
		"a=1&b=%31%32%33%34&c=ab%63d": "a=1&b=***&c=ab%63d",
	} {
		if got := set.Redact(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestUnchanged: text without a secret stays, although it holds digests, addresses, types
// and escapes.
func TestUnchanged(t *testing.T) {
	set := NewShared().NewSet()
	set.AddAccount("2kQ9", "s3cr", "canary-8hX2kQ9v", "correct horse battery staple")
	for i := range 500 {
		set.AddToken(opaque(uint64(100+i), 900))
	}
	random := rand.New(rand.NewPCG(7, 7))
	texts := []string{
		"", "a", "https://registry.example.com/v2/library/nginx/manifests/latest", "application/vnd.oci.image.index.v1+json",
		"100% of it, \\o/ & more: %zz \\q &; &#; &#x; &#xffffffffff; %u12 \\u{ \\U0011ffff \\ud83d", "%", `\`, "&", "%2", `\x`, `\u`, "&#", "&#x",
		`{"schemaVersion":2,"mediaType":"application\/vnd.oci.image.index.v1+json","manifests":[]}`, "\xff\xfe\x00",
		`Bearer realm="https://auth.example.com/token?a=1&amp;b=2",service="registry.example.com",scope="repository:a/b:pull"`,
	}
	for range 2000 {
		texts = append(texts, fmt.Sprintf("sha256:%016x%016x%016x%016x", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64()))
	}
	for _, text := range texts {
		if got := set.Redact(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestOtherEntries: the secrets of accounts are hidden in the texts of every entry from 12
// bytes on, tokens in those of their own.
func TestOtherEntries(t *testing.T) {
	shared := NewShared()
	one, other := shared.NewSet(), shared.NewSet()
	token := opaque(5, 900)
	one.AddAccount("elevenbytes", "twelve-bytes")
	shared.AddAccount("of-nobody!!", stdBase64("robot:of-nobody-yet"))
	one.AddToken("application/vnd.oci.image.index.v1+json")
	one.AddToken(token)
	for _, test := range []struct{ text, one, other string }{
		{"elevenbytes", "***", "elevenbytes"},
		{"twelve-bytes", "***", "***"},
		{"dHdlbHZlLWJ5dGVz", "***", "***"},
		{"of-nobody!!", "of-nobody!!", "of-nobody!!"},
		{"of-nobody-yet", "***", "***"},
		{"application/vnd.oci.image.index.v1+json", "***", "application/vnd.oci.image.index.v1+json"},
		{token, "***", token},
	} {
		if got := one.Redact(test.text); got != test.one {
			t.Errorf("its own set: %q became %q", test.text, got)
		}
		if got := other.Redact(test.text); got != test.other {
			t.Errorf("another set: %q became %q", test.text, got)
		}
		if got := shared.NewSet().Redact(test.text); got != test.other {
			t.Errorf("a later set: %q became %q", test.text, got)
		}
	}
}

// TestBasic: of the credentials of the Basic scheme the account and the password are
// hidden too.
func TestBasic(t *testing.T) {
	shared := NewShared()
	set := shared.NewSet()
	set.AddAccount(stdBase64("robot:canary-8hX2kQ9v"))
	for _, set := range []*Set{set, shared.NewSet()} {
		for text, want := range map[string]string{
			"a " + stdBase64("robot:canary-8hX2kQ9v"): "a ***",
			"a robot:canary-8hX2kQ9v":                 "a ***",
			"a canary-8hX2kQ9v":                       "a ***",
			"a robot":                                 "a robot",
		} {
			if got := set.Redact(text); got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
}

// TestLatin1: a password with other letters than those of ASCII is hidden where a server takes
// its UTF-8 for ISO 8859-1, as one does that reads headers so, or writes that.
func TestLatin1(t *testing.T) {
	set := NewShared().NewSet()
	set.AddAccount(stdBase64("robot:Käse-8hX2"), "ключ", "äöü§", "äöü")
	for text, want := range map[string]string{
		"<Käse-8hX2>":                            "<***>",
		"<K\u00c3\u00a4se-8hX2>":                 "<***>",
		"<K\xe4se-8hX2>":                         "<***>",
		"<robot:K\xe4se-8hX2>":                   "<***>",
		"<" + stdBase64("K\xe4se-8hX2") + ">":    "<***>",
		"<K%E4se-8hX2>":                          "<***>",
		"<" + readAsLatin1("ключ") + ">":         "<***>",
		"<\xe4\xf6\xfc\xa7>":                     "<***>",
		"<\xe4\xf6\xfc>":                         "<\xe4\xf6\xfc>",
		"<\u00c3\u00a4\u00c3\u00b6\u00c3\u00bc>": "<***>",
	} {
		if got := set.Redact(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestAlteredTokens: a token that was cut, or whose end was altered, is hidden whole, and
// so is what a text repeats of a secret of several words.
func TestAlteredTokens(t *testing.T) {
	set := NewShared().NewSet()
	token := opaque(6, 2000)
	set.AddToken(token)
	set.AddAccount(keyFile)
	for text, want := range map[string]string{
		"<" + token[:64] + ">":                      "<***>",
		"<" + token[:1000] + ">":                    "<***>",
		"<" + token[:1000] + token[1001:] + ".x>":   "<***>",
		"<" + token[:63] + ">":                      "<" + token[:63] + ">",
		"<" + keyFile[:300] + "\x00 end>":           "<***\x00 end>",
		"<" + keyFile + "\x00 end>":                 "<***\x00 end>",
		stdBase64(token[:1002]):                     "***",
		"a=" + inJSON(keyFile) + `", "b": "c"`:      `a=***", "b": "c"`,
		strings.Repeat(token[:64], 3) + " and this": "*** and this",
	} {
		if got := set.Redact(text); got != want {
			t.Errorf("%.80q: %.80q, want %.80q", text, got, want)
		}
	}
}

// TestManyOfOneHead: secrets that begin alike are all found, however many.
func TestManyOfOneHead(t *testing.T) {
	set := NewShared().NewSet()
	head := strings.Repeat("a", 64)
	for i := range maxRests + 2 {
		set.AddToken(fmt.Sprintf("%s? %03d and more", head, i))
		for j := range i + 1 {
			text := fmt.Sprintf("<%s? %03d and more", head, j)
			if got := set.Redact(text); got != "<***" {
				t.Fatalf("of %d secrets number %d: %q", i+1, j, got)
			}
		}
	}
}

// TestRemove: a token is hidden until it was removed as often as it was added, and what
// is also an account's secret stays hidden.
func TestRemove(t *testing.T) {
	set := NewShared().NewSet()
	tokens := []string{"a-token", "a-longer-token-of-one-word", opaque(8, 64), opaque(8, 900), opaque(8, 901), opaque(8, 64) + "? and words", opaque(8, 64) + "? or words"}
	set.AddAccount("canary-8hX2kQ9v")
	set.AddToken("canary-8hX2kQ9v")
	for range 50 {
		for _, token := range tokens {
			set.RemoveToken(token) // which does nothing
			set.AddToken(token)
			set.AddToken(token)
			set.RemoveToken(token)
		}
		for i, token := range tokens {
			if got := set.Redact("<" + token + ">"); got != "<***>" {
				t.Fatalf("a token that is still in use: %q", got)
			}
			set.RemoveToken(token)
			if got := set.Redact("<" + token + ">"); i < 2 && got == "<***>" || i == len(tokens)-1 && got != "<"+token+">" {
				t.Fatalf("a token that was removed: %q", got)
			}
		}
		for _, token := range tokens {
			if got := set.Redact("<" + token + ">"); got != "<"+token+">" {
				t.Fatalf("a token that was removed: %q", got)
			}
		}
	}
	set.RemoveToken("canary-8hX2kQ9v")
	set.RemoveToken("canary-8hX2kQ9v")
	if got := set.Redact("canary-8hX2kQ9v"); got != hidden {
		t.Errorf("the password: %q", got)
	}
	if x := &set.index; len(x.secrets) != 1 || len(x.heads) != 0 || len(x.long.candidates) != 1 || len(x.short.candidates) != 0 || x.least != 15 {
		t.Errorf("what is left: %+v", x)
	}
}

// TestAtOnce: sets are used by many goroutines.
func TestAtOnce(t *testing.T) {
	shared := NewShared()
	var done sync.WaitGroup
	for i := range 8 {
		done.Go(func() {
			set := shared.NewSet()
			for j := range 50 {
				secret := fmt.Sprintf("password-%d-%d-%s", i, j, opaque(9, 80))
				set.AddAccount(secret)
				set.AddToken(opaque(uint64(j), 80))
				if got := set.Redact(" " + percent(secret) + " "); got != " *** " {
					t.Errorf("%q", got)
				}
				set.RemoveToken(opaque(uint64(j), 80))
			}
		})
	}
	done.Wait()
}
