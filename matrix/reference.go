package matrix

import (
	"net/url"
	"regexp"
	"strings"
)

// commandHost is a host that no command takes for an option or a list of settings: a name or
// an IPv4 address, or an IPv6 address in brackets, and a port.
var commandHost = regexp.MustCompile(`^(?:[0-9A-Za-z][0-9A-Za-z._-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$`)

// NameableHost reports whether commands can name the registry at address: its URL is http or
// https and holds a host without a user. A matrix.json can come from anywhere, and a host that
// begins with "-" would be an option.
func NameableHost(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && commandHost.MatchString(u.Host)
}

// Reference returns host/repository@digest for command lines, not yet quoted for a shell. It
// returns false if digest is empty, or if clients cannot name the registry: they look for
// /v2/ at the root of a host alone.
func (r *Row) Reference(digest string) (string, bool) {
	u, err := url.Parse(r.URL)
	if err != nil || digest == "" || !NameableHost(r.URL) || strings.Trim(u.Path, "/") != "" {
		return "", false
	}
	repository, _, _ := strings.Cut(r.Image, "@")
	if colon := strings.LastIndex(repository, ":"); colon > strings.LastIndex(repository, "/") {
		repository = repository[:colon]
	}
	return u.Host + "/" + repository + "@" + digest, true
}
