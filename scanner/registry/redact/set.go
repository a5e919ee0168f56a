// Package redact hides secrets in text that a server sent: a server can repeat what it
// was sent, in any header or body and in any spelling.
//
// The text is decoded, instead of the secrets being spelled in every way that they could
// be written. A text is looked at as it is, and as what it decodes to: percent-encoding,
// backslash escapes, HTML entities, hexadecimal and base64, also several of them on top
// of each other. Each decoded byte knows which characters it comes from, so that what is
// found in a decoded text hides the characters of the text itself.
package redact

import (
	"encoding/base64"
	"strings"
	"sync"
)

// Lengths, in bytes, from which a secret is looked for.
const (
	// minOwn is that of the secrets of the entry itself. Shorter ones would turn
	// ordinary words into stars, and could still be guessed.
	minOwn = 4
	// minShared is that of the secrets of other entries, which are many and have no
	// business in this one's texts: a short one that is a word must not hide the word in
	// the rows of all registries.
	minShared = 12
)

// Shared is the secrets that all registries of a scan look for. Its methods may be called
// at once.
type Shared struct {
	mu    sync.RWMutex
	index index
}

// NewShared returns a Shared without secrets.
func NewShared() *Shared { return &Shared{} }

// AddAccount adds secrets of an account that no set has yet: every set looks for them from
// 12 bytes. What is base64 of "user:password" is decoded as Set.AddAccount does.
func (sh *Shared) AddAccount(secrets ...string) {
	for _, secret := range secrets {
		for _, one := range partsOf(secret) {
			sh.keep(one)
		}
	}
}

// keep adds a secret for good if it is long enough.
func (sh *Shared) keep(secret string) {
	if len(secret) < minShared {
		return
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.index.keep(secret)
}

// Set is the secrets of one registry entry. Its methods may be called at once.
type Set struct {
	shared *Shared
	mu     sync.RWMutex
	index  index
}

// NewSet returns a Set without secrets of its own, which looks for those of sh too.
func (sh *Shared) NewSet() *Set { return &Set{shared: sh} }

// AddAccount adds secrets of an account: a password, a token of the inventory, the
// credentials of the Basic scheme. The set looks for them from 4 bytes, and every set of
// the Shared from 12 bytes, for good. Shorter ones are ignored. Adding one again costs a
// look-up.
//
// A secret that is base64 of "user:password" adds both of what it decodes to: the whole,
// and the password. That is how docker's config and the Basic scheme write an account
// (RFC 7617, section 2).
func (s *Set) AddAccount(secrets ...string) {
	for _, secret := range secrets {
		if s.holds(secret) {
			continue
		}
		for _, one := range partsOf(secret) {
			s.keep(one)
		}
	}
}

// partsOf returns a secret, what it decodes to if it is base64 of "user:password", and all
// of them as servers write them that take UTF-8 for ISO 8859-1 or write the latter.
func partsOf(secret string) []string {
	parts := decodedParts(secret)
	for _, part := range parts {
		if asRead := readAsLatin1(part); asRead != part {
			parts = append(parts, asRead)
		}
		if written, ok := writtenAsLatin1(part); ok && written != part && len(written) >= minOwn {
			parts = append(parts, written)
		}
	}
	return parts
}

// readAsLatin1 returns text with each byte taken for a character of ISO 8859-1.
func readAsLatin1(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

// writtenAsLatin1 returns text in ISO 8859-1. ok is false if it has other characters.
func writtenAsLatin1(text string) (written string, ok bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		out = append(out, byte(r))
	}
	return string(out), true
}

// decodedParts returns a secret, and what it decodes to if it is base64 of "user:password".
func decodedParts(secret string) []string {
	decoded, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return []string{secret}
	}
	if _, password, ok := strings.Cut(string(decoded), ":"); ok && len(password) >= minOwn {
		return []string{secret, password, string(decoded)}
	}
	return []string{secret}
}

// holds reports whether a secret needs no adding, because it was added or is too short.
func (s *Set) holds(secret string) bool {
	if len(secret) < minOwn {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.isPermanent(secret)
}

// keep adds a secret for good, to the set and if it is long enough to all sets.
func (s *Set) keep(secret string) {
	s.mu.Lock()
	s.index.keep(secret)
	s.mu.Unlock()
	s.shared.keep(secret)
}

// AddToken adds a token that a token service issued. Only this set looks for it, from 4
// bytes: it is sent to the registry of the entry alone, and a hostile registry could
// choose a token made of words of the protocol to hide them in the rows of others.
func (s *Set) AddToken(token string) {
	if len(token) < minOwn {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.add(token)
}

// RemoveToken undoes one AddToken. The set looks for the token until all were undone.
func (s *Set) RemoveToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index.remove(token)
}

// Redact returns text with "***" for each secret of the set and of the Shared, in any
// spelling. Neighbours of a secret that share a character with it, as in base64, are
// hidden with it. The time is linear in the length of the text, however many the secrets.
func (s *Set) Redact(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.shared.mu.RLock()
	defer s.shared.mu.RUnlock()
	shortest := min(s.index.shortest(), s.shared.index.shortest())
	if len(text) < shortest { // every encoding is at least as long as the secret
		return text
	}
	search := searches.Get().(*search)
	defer search.release()
	return search.redact(text, &s.index, &s.shared.index, shortest)
}
