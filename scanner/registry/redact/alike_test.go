package redact

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// ofLetters returns n random letters of a few, so that most texts begin alike.
func ofLetters(random *rand.Rand, letters string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = letters[random.IntN(len(letters))]
	}
	return string(out)
}

// covered returns text with a star for each byte that is part of a secret, a plus sign
// being a space.
func covered(text string, secrets map[string]bool) string {
	spaced := strings.ReplaceAll(text, "+", " ")
	out := []byte(text)
	for secret := range secrets {
		secret = strings.ReplaceAll(secret, "+", " ")
		for at := 0; at+len(secret) <= len(text); at++ {
			if spaced[at:at+len(secret)] == secret {
				copy(out[at:], strings.Repeat("*", len(secret)))
			}
		}
	}
	return string(out)
}

// TestAlike: of secrets that are parts and begins of each other, each is hidden as long as
// it is there, and nothing else is.
func TestAlike(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	set, secrets := NewShared().NewSet(), map[string]bool{}
	for range 3000 {
		one := ofLetters(random, "ab +", minOwn+random.IntN(8))
		if secrets[one] {
			delete(secrets, one)
			set.RemoveToken(one)
		} else if len(secrets) < 60 || random.IntN(3) > 0 {
			secrets[one] = true
			set.AddToken(one)
		}
		if len(secrets) > 90 {
			for other := range secrets {
				delete(secrets, other)
				set.RemoveToken(other)
				break
			}
		}
		text := ofLetters(random, "ab +", 60)
		want := covered(text, secrets)
		for strings.Contains(want, "****") { // each run is written as three
			want = strings.ReplaceAll(want, "****", "***")
		}
		if got := set.Redact(text); got != want {
			t.Fatalf("%q is %q, want %q: %v", text, got, want, secrets)
		}
	}
}

// TestHeadWithinAnother: a secret of several words is hidden to its end, although its
// head is a part of another one that ends before.
func TestHeadWithinAnother(t *testing.T) {
	head := opaque(1, 64)
	set := NewShared().NewSet()
	set.AddAccount("before:"+head+" and", head+" and several words")
	if got := set.Redact("<before:" + head + " and several words>"); got != "<***>" {
		t.Errorf("%q", got)
	}
}

// TestHeadsOfSpaces: two long secrets whose heads differ in a space and a plus sign are
// both hidden to their ends.
func TestHeadsOfSpaces(t *testing.T) {
	one, other := strings.Repeat("two words ", 7)+"? of one", strings.Repeat("two+words+", 7)+"? of another"
	set := NewShared().NewSet()
	for _, secret := range []string{one, other} {
		set.AddToken(secret)
	}
	for _, secret := range []string{one, other} {
		if got := set.Redact("<" + secret + ">"); got != "<***>" {
			t.Errorf("%q", got)
		}
	}
	set.RemoveToken(one)
	if got := set.Redact("<" + other + ">"); got != "<***>" {
		t.Errorf("after the other was removed: %q", got)
	}
}

// TestAlikeCost: thousands of tokens that are made of the same few windows cost a hostile
// text about as much as ones that have nothing in common.
func TestAlikeCost(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	alike, opaques := NewShared().NewSet(), NewShared().NewSet()
	for i := range 12000 {
		token := []byte(strings.Repeat("a", headLen))
		for at := random.IntN(8); at < len(token); at += 8 + random.IntN(8) {
			token[at] = 'b'
		}
		alike.AddToken(string(token))
		opaques.AddToken(opaque(uint64(i), headLen))
	}
	text := strings.Repeat("aaaaaaab", 8<<10)
	cost := func(set *Set) time.Duration {
		least := time.Hour
		for range 3 {
			began := time.Now()
			set.Redact(text)
			least = min(least, time.Since(began))
		}
		return least
	}
	if a, o := cost(alike), cost(opaques); a > 40*o {
		t.Errorf("%s, and %s with tokens that have nothing in common", a, o)
	} else {
		t.Logf("%s and %s", a, o)
	}
}
