package registry

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/registry/redact"
)

// TestTokensKept: of the tokens of a registry the newest are kept, and what they take is
// bounded.
func TestTokensKept(t *testing.T) {
	as := newAuthorizations(redact.NewShared().NewSet())
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

// TestTokensAreForgotten: a token is redacted while a row uses it or it is kept for the
// next one, and costs nothing afterwards.
func TestTokensAreForgotten(t *testing.T) {
	s := sessionOf(t, 0, time.Second, 0)
	c := s.client
	token := func(i int) string { return fmt.Sprintf("token-%d-%s", i, strings.Repeat("x", 15<<10)) }
	isHidden := func(i int) bool { return !strings.Contains(c.Clean(token(i)), "token") }
	s.holdTokens([]byte(`{"token":"` + token(1) + `","access_token":"` + token(2) + `","refresh_token":7} and more`))
	c.authorizations.keep(authorizationKey{scope: "1"}, &authorization{header: "Bearer " + token(1)})
	if !isHidden(1) || !isHidden(2) || isHidden(3) {
		t.Error("the tokens of a row are not all that is hidden")
	}
	s.Close()
	if !isHidden(1) || isHidden(2) {
		t.Error("the token that is kept is not all that is hidden")
	}
	for i := range 20 {
		c.authorizations.keep(authorizationKey{scope: fmt.Sprint("next ", i)}, &authorization{header: "Bearer " + token(100+i)})
	}
	if isHidden(1) || !isHidden(119) {
		t.Error("the tokens that are kept are not all that is hidden")
	}
}
