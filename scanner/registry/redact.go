package registry

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"refmatrix/matrix"
)

// minSecret is the length from which a secret is looked for: shorter ones
// would turn ordinary words into stars and still be guessable.
const minSecret = 4

// redactor replaces the secrets of one registry in what comes back from the
// wire: a server can echo what it was sent, in any header or body.
type redactor struct {
	mu    sync.RWMutex
	known map[string]bool
	forms []string // of all secrets, the longest first, so that none hides the rest of another
}

// add takes secrets in all the forms a server could echo.
func (r *redactor) add(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		r.mu.RLock()
		known := r.known[secret]
		r.mu.RUnlock()
		if known {
			continue
		}
		r.mu.Lock()
		r.learn(formsOf(secret))
		// "user:password" travels as one base64 word; its parts are secrets too.
		if decoded, err := base64.StdEncoding.DecodeString(secret); err == nil {
			if _, password, ok := strings.Cut(string(decoded), ":"); ok && len(password) >= minSecret {
				r.learn(append(formsOf(password), string(decoded)))
			}
		}
		r.mu.Unlock()
	}
}

// learn puts forms in their places. r.mu is held.
func (r *redactor) learn(forms []string) {
	if r.known == nil {
		r.known = map[string]bool{}
	}
	for _, form := range forms {
		if r.known[form] {
			continue
		}
		r.known[form] = true
		at, _ := slices.BinarySearchFunc(r.forms, len(form), shorterThan)
		r.forms = slices.Insert(r.forms, at, form)
	}
}

// shorterThan orders forms by falling length.
func shorterThan(form string, length int) int { return length - len(form) }

// maxHex is the length up to which a secret is looked for in hexadecimal, which
// is for passwords: long tokens are many, and each form of them is kept.
const maxHex = 256

// formsOf lists what a secret can look like in a text.
func formsOf(secret string) []string {
	forms := []string{secret}
	for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		forms = append(forms, escaped, percent.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		forms = append(forms, alphabet.EncodeToString([]byte(secret)))
		for offset := range 3 {
			forms = append(forms, base64Core(alphabet, secret, offset))
		}
	}
	// As JSON, and in a page.
	plain, err := json.Marshal(secret)
	if err == nil {
		forms = append(forms, string(plain[1:len(plain)-1]))
	}
	quoted := strconv.Quote(secret)
	forms = append(forms, quoted[1:len(quoted)-1], html.EscapeString(secret), namedEntities.Replace(secret))
	if len(secret) <= maxHex {
		text := hex.EncodeToString([]byte(secret))
		forms = append(forms, text, strings.ToUpper(text))
	}
	return forms
}

// namedEntities escapes for HTML as most languages but Go do.
var namedEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

// base64Core returns the characters of a base64 text that are the secret's alone if
// it begins offset bytes after a multiple of three, whatever is around it: an
// account's name and a colon before, padding or more text behind.
func base64Core(alphabet *base64.Encoding, secret string, offset int) string {
	text := alphabet.WithPadding(base64.NoPadding).EncodeToString([]byte(strings.Repeat("x", offset) + secret))
	first := (offset*8 + 5) / 6
	end := (offset + len(secret)) * 8 / 6
	return text[first:end]
}

// redact replaces every known secret in text.
func (r *redactor) redact(text string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	fits, _ := slices.BinarySearchFunc(r.forms, len(text), shorterThan)
	for _, form := range r.forms[fits:] {
		if strings.Contains(text, form) {
			text = strings.ReplaceAll(text, form, "***")
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

// printable cuts text after most runes and makes it safe to print.
func printable(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			text = text[:i] + "..."
			break
		}
	}
	return matrix.Printable(text)
}
