package registry

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// maxRedirects bounds a chain; a longer one is taken for a loop.
const maxRedirects = 5

// checkRedirect is the one place that decides whether a redirect is followed.
// The auth client strips Authorization from any hop that leaves the origin
// before this is asked.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	next.Header.Del("Referer") // what was asked is nobody else's matter
	if first.Header.Get(stepHeader) == "" {
		return c.checkTokenRedirect(next, via)
	}
	if next.Method != first.Method { // a push would become a look at some page
		return http.ErrUseLastResponse
	}
	if err := c.admitHop(next, via); err != nil {
		return err
	}
	pinned := exchangeOf(next.Context()).request.Pinned
	if pinned != "" && !strings.Contains(next.URL.Path, pinned) {
		return http.ErrUseLastResponse
	}
	return nil
}

// checkTokenRedirect holds every hop of a token request to the rule of the
// realm itself.
func (c *Client) checkTokenRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return &refusal{matrix.TokenError, fmt.Sprintf("the token endpoint redirected more than %d times", maxRedirects)}
	}
	return c.admitRealm(next.URL.String())
}

// admitHop refuses loops, a step down from https to http, userinfo, and targets
// that are this machine, its link or a metadata service by their spelling; what a
// name resolves to is admitAddresses' to judge. A registry that is itself on
// loopback may redirect within it: nothing new is reached.
func (c *Client) admitHop(next *http.Request, via []*http.Request) error {
	refuse := func(why string) error {
		return &refusal{matrix.Redirect, fmt.Sprintf("redirect to %s %s", safeURL(next.URL), why)}
	}
	if len(via) > maxRedirects {
		return refuse(fmt.Sprintf("after %d others", maxRedirects))
	}
	for _, before := range via {
		if before.URL.String() == next.URL.String() {
			return refuse("comes back to where it was")
		}
	}
	from := via[len(via)-1].URL
	switch {
	case from.Scheme == "https" && next.URL.Scheme == "http":
		return refuse("steps down from https to http")
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return refuse("is neither https nor http")
	case next.URL.User != nil: // net/http would sign in with it
		return refuse("which carries userinfo")
	case address.OriginOf(next.URL) == c.origin:
		return nil
	}
	class, why := address.Forbidden(next.URL.Hostname())
	if why == "" || class == address.Loopback && c.onLoopback.Load() {
		return nil
	}
	return refuse("which " + why)
}

// locationOf is the target of a redirect as a report may show it.
func locationOf(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil {
		return safeText(resp.Header.Get("Location"))
	}
	return safeURL(target)
}

// keptQuery are the parameters that say what was asked; every other one of a
// recorded URL may be a signature or a token and is left out.
var keptQuery = map[string]bool{"artifactType": true, "scope": true, "service": true, "n": true, "last": true}

// safeURL words a URL without userinfo, fragment and unknown query values.
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

// safeText words a URL that may not parse.
func safeText(text string) string {
	if u, err := url.Parse(text); err == nil {
		return safeURL(u)
	}
	return "that is no URL"
}
