package registry

import (
	"maps"
	"strings"
	"sync"

	"refmatrix/matrix/verdict"
)

// evidence is what a registry's own answers have shown of its product, to whichever row.
// It has one header of each of verdict.SignHeaders and one challenge, and so does not grow
// with the answers.
type evidence struct {
	mu             sync.Mutex
	headers        map[string]verdict.Text // the first sign of each name
	realm, service verdict.Text            // of the first Bearer challenge
	unsigned       bool                    // that challenge came to an unsigned request
	endpoint       string                  // of the product, that was requested
	version        verdict.Text            // in its answer
}

// maxSign is the length of the longest header or parameter that is kept, in bytes.
const maxSign = 4 << 10

// Evidence returns what the registry has shown of its product so far.
func (c *Client) Evidence() verdict.Evidence {
	e := &c.evidence
	e.mu.Lock()
	defer e.mu.Unlock()
	return verdict.Evidence{
		Host:     c.entry.URL.Hostname(),
		Headers:  maps.Clone(e.headers),
		Realm:    e.realm,
		Service:  e.service,
		Endpoint: e.endpoint,
		Version:  e.version,
	}
}

// keepSigns keeps the signs in an answer of the registry's own origin.
func (c *Client) keepSigns(out *outgoing, got *answer) {
	e := &c.evidence
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range signHeaders {
		value := got.header.Get(name)
		if _, known := e.headers[name]; known || len(value) > maxSign || !verdict.IsSign(name, value) {
			continue
		}
		if e.headers == nil {
			e.headers = map[string]verdict.Text{}
		}
		e.headers[name] = c.kept(value)
	}
	// To a signed request, a registry may name another challenge than to an unsigned one
	// (Harbor, nvcr.io).
	unsigned := out.authorization == ""
	if e.realm.Raw != "" && (e.unsigned || !unsigned) {
		return
	}
	met := c.usable(got)
	if met == nil || !met.isToken() || len(met.parameters["realm"])+len(met.parameters["service"]) > maxSign {
		return
	}
	e.realm, e.service, e.unsigned = c.kept(met.parameters["realm"]), c.kept(met.parameters["service"]), unsigned
}

// KeepVersion keeps the version that an endpoint of the product has, as verdict.ReadVersion
// returns it.
func (c *Client) KeepVersion(endpoint, version string) {
	e := &c.evidence
	e.mu.Lock()
	defer e.mu.Unlock()
	e.endpoint, e.version = endpoint, c.kept(version)
}

// kept returns a text of the wire as it is kept beyond its row.
func (c *Client) kept(raw string) verdict.Text {
	return verdict.Text{Raw: strings.Clone(raw), Redacted: strings.Clone(c.secrets.Redact(raw))}
}

// redactEvidence takes out of the evidence the tokens of a row, which may have been issued
// after it came, before they are forgotten.
func (c *Client) redactEvidence() {
	e := &c.evidence
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, text := range e.headers {
		text.Redacted = c.secrets.Redact(text.Redacted)
		e.headers[name] = text
	}
	for _, text := range []*verdict.Text{&e.realm, &e.service, &e.version} {
		text.Redacted = c.secrets.Redact(text.Redacted)
	}
}
