package registry

import (
	"fmt"
	"net/http"
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

// skipWord passes over what is neither a token nor a parameter: a quoted string,
// or everything up to the next space or comma.
func (r *headerReader) skipWord() {
	if !r.done() && r.text[r.at] == '"' {
		r.quoted()
		return
	}
	r.until(" \t,\"")
}

// ParseBearer returns the parameters of the first Bearer challenge that has a
// realm, by their names in lower case. ok is false if there is none.
func ParseBearer(field string) (parameters map[string]string, ok bool) {
	for _, one := range parseChallenges(field) {
		if one.scheme == "bearer" && one.parameters["realm"] != "" {
			return one.parameters, true
		}
	}
	return nil, false
}

// wordBearer writes a challenge the way the auth client reads it. Its scope is
// left out: the auth client would ask for it beside the step's own, which is
// all that the step needs, and it can be a placeholder (GHCR) or name another
// repository and more actions than are any of our business.
func wordBearer(parameters map[string]string) string {
	words := "Bearer realm=" + quoted(parameters["realm"])
	if service, ok := parameters["service"]; ok {
		words += ",service=" + quoted(service)
	}
	return words
}

// quoted writes a quoted-string (RFC 9110, section 5.6.4).
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// admitChallenge leaves in resp the one challenge that the auth client should
// answer, and none where none is usable: one of another origin than the
// registry's, a scheme nobody knows, a Bearer without realm. A realm that
// must not get the credentials is a refusal.
func (c *Client) admitChallenge(req *http.Request, resp *http.Response) error {
	challenges := resp.Header.Values("Www-Authenticate")
	resp.Header = resp.Header.Clone()
	resp.Header.Del("Www-Authenticate")
	if address.OriginOf(req.URL) != c.origin {
		return nil
	}
	for _, value := range challenges {
		bearer, ok := ParseBearer(value)
		if !ok {
			continue
		}
		if err := c.admitRealm(bearer["realm"]); err != nil {
			return err
		}
		c.lead.sawBearer()
		resp.Header.Set("Www-Authenticate", wordBearer(bearer))
		return nil
	}
	for _, value := range challenges {
		if slices.ContainsFunc(parseChallenges(value), func(one challenge) bool { return one.scheme == "basic" }) {
			resp.Header.Set("Www-Authenticate", "Basic")
			return nil
		}
	}
	return nil
}

// admitRealm says whether the token endpoint at realm may be asked, which is
// where credentials would go: https, or the registry's own origin where that
// is http; no userinfo; of the hosts named under auth.realms where there are
// any; and, unless it is the registry's own origin, no host that objection is
// against. A name that passes is looked up by the dial of the token request,
// where admitAddresses has the last word.
func (c *Client) admitRealm(realm string) error {
	refuse := func(why string) error {
		return &refusal{matrix.AuthRefused, fmt.Sprintf("the realm %s %s", safeText(realm), why)}
	}
	target, err := url.Parse(realm)
	if err != nil || target.Host == "" {
		return &refusal{matrix.AuthRefused, "the realm of the challenge is no URL"}
	}
	own := address.OriginOf(target) == c.origin
	allowed := c.entry.Auth.Realms
	switch {
	case target.User != nil:
		return &refusal{matrix.AuthRefused, "the realm of the challenge carries userinfo"}
	case target.Scheme != "https" && target.Scheme != "http":
		return refuse("is neither https nor http")
	case target.Scheme == "http" && !own:
		return refuse("is http and not the registry's own origin")
	case len(allowed) > 0 && !containsFold(allowed, target.Hostname()) && !containsFold(allowed, target.Host):
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
