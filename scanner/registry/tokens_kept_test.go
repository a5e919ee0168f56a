package registry

import (
	"fmt"
	"strings"
	"testing"
)

// TestTokensKept: of the tokens of a registry the newest are kept, and what they take is
// bounded.
func TestTokensKept(t *testing.T) {
	as := newAuthorizations()
	key := func(i int) authorizationKey { return authorizationKey{scope: fmt.Sprintf("repository:%d:pull", i)} }
	learn := func(i, size int) {
		f := &flight{in: as, key: key(i), over: key(i)}
		f.lead()
		f.finish(&authorization{header: strings.Repeat("x", size), challenge: &challenge{scheme: bearer}})
	}
	held := func() (n, bytes int) {
		for _, one := range as.learned {
			n, bytes = n+1, bytes+len(one.header)
		}
		return n, bytes
	}
	for i := range 100 {
		learn(i, 1000)
	}
	if n, bytes := held(); n != 100 || bytes != 100_000 || as.bytes != bytes {
		t.Errorf("%d small tokens of %d bytes are kept, counted as %d", n, bytes, as.bytes)
	}
	for range 3 {
		learn(99, 2000) // renewed
	}
	for i := range 1000 {
		learn(100+i, 16<<10)
	}
	n, bytes := held()
	if n != 16 || bytes > maxTokens || as.bytes != bytes || len(as.tokens) != n {
		t.Errorf("%d large tokens of %d bytes are kept, counted as %d in %d", n, bytes, as.bytes, len(as.tokens))
	}
	if known, ok := as.known(key(1099)); !ok || known == nil {
		t.Error("the newest is not known")
	}
	if _, ok := as.known(key(1)); ok {
		t.Error("the oldest is known")
	}
}
