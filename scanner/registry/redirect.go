package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// maxRedirects bounds a chain; a longer one is taken for a loop.
const maxRedirects = 5

// admission judges the next hop of a chain, and may narrow its query. follow is
// false if the redirect itself is the answer; the error is a refusal.
type admission func(next *url.URL, via []*url.URL) (follow bool, err error)

// isRead reports whether a method only reads. No other one is ever redirected
// (RFC 9110, section 15.4: a client ought not to do that by itself).
func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// follow sends a request and follows the redirects of a GET or HEAD that admit lets
// it follow. What it is signed with goes to its first origin only, and not there
// either once the chain has left it. The answer is that of the end of the chain.
func (s *Session) follow(ctx context.Context, out outgoing, admit admission) (*answer, error) {
	first := address.OriginOf(out.url)
	for via := []*url.URL{out.url}; ; via = append(via, out.url) {
		got, err := s.send(ctx, out)
		if err != nil || !got.redirects() || !isRead(out.method) {
			return got, err
		}
		next, err := got.location()
		if err != nil {
			return nil, err
		}
		sent := next.String()
		if ok, err := admit(next, via); !ok || err != nil {
			return got, err
		}
		out.sent = Sent{URL: sent}
		next.Fragment, next.RawFragment = "", ""
		if out.url = next; address.OriginOf(next) != first {
			out.authorization = ""
		}
	}
}

// redirects reports whether an answer names another place to ask (RFC 9110,
// section 15.4).
func (a *answer) redirects() bool {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return a.header.Get("Location") != ""
	}
	return false
}

// location returns the target of a redirect, as it was sent: with what a request leaves out.
func (a *answer) location() (*url.URL, error) {
	next, err := a.url.Parse(a.header.Get("Location"))
	if err != nil { // the error repeats it, whatever it holds
		return nil, &refusal{matrix.Protocol, "the Location of the redirect is not a URL"}
	}
	return next, nil
}

// admitStep admits the hops of a request to the registry. A hop whose path lacks
// pinned is not followed.
func (c *Client) admitStep(pinned string) admission {
	return func(next *url.URL, via []*url.URL) (bool, error) {
		if err := c.admitHop(next, via); err != nil {
			return false, err
		}
		return strings.Contains(next.Path, pinned), nil
	}
}

// admitHop refuses loops, a step down from https to http, userinfo, and targets
// that are this machine, its link or a metadata service by their spelling; what a
// name resolves to is admitDial's to judge. A registry that is itself on loopback
// may redirect within it: nothing new is reached.
func (c *Client) admitHop(next *url.URL, via []*url.URL) error {
	refuse := func(why string) error {
		return &refusal{matrix.Redirect, fmt.Sprintf("redirect to %s %s", c.shownURL(next.String()), why)}
	}
	if len(via) > maxRedirects {
		return refuse(fmt.Sprintf("after %d others", maxRedirects))
	}
	for _, before := range via {
		if before.String() == withoutFragment(next) {
			return refuse("comes back to where it was")
		}
	}
	switch {
	case via[len(via)-1].Scheme == "https" && next.Scheme == "http":
		return refuse("steps down from https to http")
	case next.Scheme != "https" && next.Scheme != "http":
		return refuse("is neither https nor http")
	case next.User != nil: // a credential of the registry's choice
		return refuse("which carries userinfo")
	case c.isOwn(next):
		return nil
	}
	class, why := address.Forbidden(next.Hostname())
	if why == "" || class == address.Loopback && c.onLoopback() {
		return nil
	}
	return refuse("which " + why)
}

func withoutFragment(u *url.URL) string {
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String()
}

// shownLocation is the target of a redirect as a report may show it, "" if the
// answer names none.
func (c *Client) shownLocation(got *answer) string {
	if got.header.Get("Location") == "" {
		return ""
	}
	target, err := got.location()
	if err != nil {
		return notURL
	}
	return c.shownURL(target.String())
}

// shownPart is the part of an address that was sent as a report may show it. A part that
// was cut may have a secret cut too, which is only found in the whole.
func (c *Client) shownPart(sent Sent) string {
	if c.secrets.Redact(sent.From) != sent.From {
		return hidden
	}
	return c.secrets.Redact(sent.Part)
}

// hidden stands for what cannot be shown in part.
const hidden = "***"

// notURL stands for an address that cannot be read.
const notURL = "that is not a URL"

// shownURL is an address that a server sent as a report may show it. Its secrets are hidden
// before anything is left out or put in another order: a secret can have the characters
// that an address is taken apart at, such as & and #.
func (c *Client) shownURL(sent string) string {
	u, err := url.Parse(c.secrets.Redact(sent))
	if err != nil {
		return notURL
	}
	return c.secrets.Redact(safeURL(u))
}

// keptQuery are the parameters that say what was asked; every other one of a
// recorded URL may be a signature or a token and is left out.
var keptQuery = map[string]bool{"artifactType": true, "scope": true, "service": true, "n": true, "last": true}

// safeURL returns a URL as text, without userinfo, fragment and unknown query values.
func safeURL(u *url.URL) string {
	safe := *u
	safe.User, safe.Fragment, safe.RawFragment = nil, "", ""
	query := safe.Query()
	for key := range query {
		if !keptQuery[key] {
			query[key] = []string{"..."}
		}
	}
	safe.RawQuery = query.Encode()
	return safe.String()
}

// recordedURL returns the URL of a request as its exchange shows it.
func (c *Client) recordedURL(out *outgoing) string {
	whole := safeURL(out.url)
	if sent := out.sent.URL; sent != "" {
		if c.secrets.Redact(sent) != sent {
			return printable(c.shownURL(sent), maxURL)
		}
		before, after := whole, ""
		scope := "scope=" + url.QueryEscape(out.scope) // of the inventory's text, whoever names it
		if ours := strings.Index(whole, scope); ours >= 0 && out.step == tokenStep && out.scope != "" {
			before, after = whole[:ours], scope+c.secrets.Redact(whole[ours+len(scope):])
		}
		return printable(c.secrets.Redact(before)+after, maxURL)
	}
	place, query, _ := strings.Cut(whole, "?")
	if at := strings.LastIndex(place, out.sent.Part); out.sent.Part != "" && at >= 0 {
		end := at + len(out.sent.Part)
		place = place[:at] + c.shownPart(out.sent) + place[end:]
	}
	if query != "" {
		parameters := strings.Split(query, "&")
		for i, parameter := range parameters {
			name, value, _ := strings.Cut(parameter, "=")
			parameters[i] = name + "=" + c.secrets.Redact(value)
		}
		place += "?" + strings.Join(parameters, "&")
	}
	return printable(place, maxURL)
}
