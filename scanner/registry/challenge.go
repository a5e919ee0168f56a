package registry

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// challenge is one challenge of a WWW-Authenticate header (RFC 9110, section
// 11.6.1).
type challenge struct {
	scheme     string            // in lower case
	parameters map[string]string // by name in lower case; of two with one name the first
	unsigned   bool              // it came to a request that nobody had signed
}

// parseChallenges reads the challenges of one header field as registries send
// them: scheme and parameter names in any case, values quoted or not, parameters
// with a comma between them or only a space, several challenges in one field. A
// scheme stands at the start or behind a comma; anything else that is not a
// parameter is skipped.
func parseChallenges(field string) []challenge {
	var challenges []challenge
	r := headerReader{text: field}
	for start := true; !r.done(); {
		before := r.at
		r.skip(" \t,")
		start = start || strings.Contains(field[before:r.at], ",")
		if r.done() {
			break
		}
		name := strings.ToLower(r.token())
		if value, ok := r.parameter(" \t,"); ok {
			if n := len(challenges); n > 0 && name != "" {
				challenges[n-1].add(name, value)
			}
		} else if name != "" && start && r.endOfWord() {
			challenges = append(challenges, challenge{scheme: name})
		} else {
			r.skipWord()
		}
		start = false
	}
	return challenges
}

// add stores a parameter, unless the challenge has it already.
func (c *challenge) add(name, value string) {
	if c.parameters == nil {
		c.parameters = map[string]string{}
	}
	if _, twice := c.parameters[name]; !twice {
		c.parameters[name] = value
	}
}

// endOfWord reports whether a space, a comma or the end follows.
func (r *headerReader) endOfWord() bool {
	return r.done() || strings.IndexByte(" \t,", r.text[r.at]) >= 0
}

// skipWord skips what is neither a token nor a parameter: a quoted string,
// or everything up to the next space or comma.
func (r *headerReader) skipWord() {
	if !r.done() && r.text[r.at] == '"' {
		r.quoted()
		return
	}
	r.until(" \t,\"")
}

// ParseBearer returns the parameters of the first Bearer challenge that has a
// realm, by their names in lower case. ok is false without one.
func ParseBearer(field string) (parameters map[string]string, ok bool) {
	for _, one := range parseChallenges(field) {
		if one.isToken() {
			return one.parameters, true
		}
	}
	return nil, false
}

// isToken reports whether the challenge wants a token and names where to get it.
func (c *challenge) isToken() bool { return c.scheme == bearer && c.parameters["realm"] != "" }

// The supported schemes.
const (
	basic  = "basic"  // RFC 7617
	bearer = "bearer" // distribution, "Token Authentication Specification"
)

// usable returns the challenge of an answer of the registry's own origin that can
// be met: the first Bearer with a realm, or else Basic. It is nil without one.
func (c *Client) usable(got *answer) *challenge {
	if !c.isOwn(got.url) {
		return nil
	}
	var found *challenge
	for _, field := range got.header.Values("Www-Authenticate") {
		for _, one := range parseChallenges(field) {
			switch {
			case one.isToken():
				return one.essence()
			case one.scheme == basic && found == nil:
				found = one.essence()
			}
		}
	}
	return found
}

// essence returns the challenge with nothing but what it is met with, in memory of its
// own, because it is kept with each token that it led to.
func (c *challenge) essence() *challenge {
	out := &challenge{scheme: strings.Clone(c.scheme)}
	for _, name := range []string{"realm", "service"} {
		if value, ok := c.parameters[name]; ok {
			out.add(name, strings.Clone(value))
		}
	}
	return out
}

// admit decides whether a challenge of the registry's own origin may be met with
// credentials. The error is a refusal.
func (c *Client) admit(met *challenge) error {
	if met.scheme == basic {
		return c.admitBasic()
	}
	return c.admitRealm(met.parameters["realm"])
}

// admitBasic refuses to send an account to the registry itself if auth.realms
// names only other hosts.
func (c *Client) admitBasic() error {
	if c.namesRealm(c.entry.URL) {
		return nil
	}
	return &refusal{matrix.AuthRefused, "the registry wants Basic, and its own host is not named under auth.realms"}
}

// namesRealm reports whether credentials may go to the host of u by auth.realms,
// which allows every host if it is not there.
func (c *Client) namesRealm(u *url.URL) bool {
	allowed := c.entry.Auth.Realms
	withPort := net.JoinHostPort(u.Hostname(), address.OriginOf(u).Port)
	return len(allowed) == 0 || containsFold(allowed, u.Hostname()) || containsFold(allowed, withPort)
}

// admitRealm decides whether a token may be requested at realm, which is where
// credentials would go. It has to be https, or the registry's own origin if that is
// http. It may not carry userinfo. If auth.realms names hosts, it has to be one of
// them. Unless it is the registry's own origin, address.Forbidden may have no reason
// against its host. A name that passes is looked up when the token request dials,
// and admitDial decides on its addresses.
func (c *Client) admitRealm(realm string) error {
	refuse := func(why string) error {
		return &refusal{matrix.AuthRefused, "the realm " + c.shownURL(realm) + " " + why}
	}
	target, err := url.Parse(realm)
	if err != nil || target.Host == "" {
		return &refusal{matrix.AuthRefused, "the realm of the challenge is not a URL"}
	}
	own := c.isOwn(target)
	switch {
	case target.User != nil:
		return &refusal{matrix.AuthRefused, "the realm of the challenge carries userinfo"}
	case target.Scheme != "https" && target.Scheme != "http":
		return refuse("is neither https nor http")
	case target.Scheme == "http" && !own:
		return refuse("is http and not the registry's own origin")
	case !c.namesRealm(target):
		return refuse("is not named under auth.realms")
	case own:
		return nil
	}
	if _, why := address.Forbidden(target.Hostname()); why != "" {
		return refuse(why)
	}
	return nil
}

// containsFold looks for a host, in any case (RFC 3986, section 3.2.2).
func containsFold(hosts []string, host string) bool {
	return slices.ContainsFunc(hosts, func(one string) bool { return strings.EqualFold(one, host) })
}
