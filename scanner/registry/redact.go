package registry

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// minSecret is the length from which a secret is looked for: shorter ones
// would turn ordinary words into stars and still be guessable.
const minSecret = 4

// redactor replaces the secrets of one registry in what comes back from the
// wire: a server can echo what it was sent, in any header or body.
type redactor struct {
	mu      sync.RWMutex
	secrets map[string]bool
}

// add takes secrets in all the forms a server could echo.
func (r *redactor) add(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		r.mu.RLock()
		known := r.secrets[secret]
		r.mu.RUnlock()
		if known {
			continue
		}
		r.mu.Lock()
		if r.secrets == nil {
			r.secrets = map[string]bool{}
		}
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		} {
			r.secrets[form] = true
		}
		// "user:password" travels as one base64 word; its parts are secrets too.
		if decoded, err := base64.StdEncoding.DecodeString(secret); err == nil {
			if _, password, ok := strings.Cut(string(decoded), ":"); ok && len(password) >= minSecret {
				r.secrets[string(decoded)] = true
				r.secrets[password] = true
			}
		}
		r.mu.Unlock()
	}
}

// redact replaces every known secret in text.
func (r *redactor) redact(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for secret := range r.secrets {
		if strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// Bounds on one string of an exchange, in runes. An address is evidence and is
// asked again by hand, so it is bounded where servers refuse it anyway.
const (
	maxText = 300
	maxURL  = 4 << 10
)

// printable escapes what a terminal or a page could take for more than text:
// control characters, bidirectional overrides, invalid UTF-8. It cuts text
// after most runes.
func printable(text string, most int) string {
	clean := len(text) <= most
	for i := 0; clean && i < len(text); i++ {
		clean = text[i] >= ' ' && text[i] < 0x7f
	}
	if clean {
		return text
	}
	var b strings.Builder
	n := 0
	for i, r := range text {
		if n++; n > most {
			b.WriteString("...")
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
