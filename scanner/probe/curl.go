package probe

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// Curl gives, for each of the rows of one registry, the shell commands that
// repeat its exchanges. Credentials stand as $VARIABLES, and a comment says
// what they have to hold: nothing secret is in the result.
func Curl(entry inventory.Registry, rows []matrix.Row) [][]string {
	c := &curl{entry: entry, tokens: map[string]grant{}}
	out := make([][]string, len(rows))
	// Twice, for the rows of a repository share a token that any of them may have
	// fetched: the first time finds it.
	for range 2 {
		for i := range rows {
			out[i] = c.row(&rows[i])
		}
	}
	return out
}

// curl words the exchanges of one registry.
type curl struct {
	entry  inventory.Registry
	tokens map[string]grant // by scope
}

// grant is how the token of a scope was come by.
type grant struct{ command, account string }

// script repeats the exchanges of one row.
type script struct {
	*curl
	repository string
	scope      string            // of the last request, which the token is for
	challenge  map[string]string // of the last 401
	chain      *url.URL          // the token request that was redirected, nil where none was
	fetched    string            // the scope of which $TOKEN is set, "" for none
	account    string            // the variables that hold the credentials, in words
	commands   []string          // each once
}

func (c *curl) row(row *matrix.Row) []string {
	image, _ := inventory.ParseImage(row.Image)
	s := &script{curl: c, repository: image.Repository}
	for i := range row.Exchanges {
		s.add(&row.Exchanges[i], row.Exchanges[i+1:])
	}
	if s.account == "" {
		return s.commands
	}
	return append([]string{
		"# set " + s.account + ", from " + c.source(),
		"# the shell expands them into curl's arguments, which others on the machine may see",
	}, s.commands...)
}

// source says where the credentials of the registry are.
func (c *curl) source() string {
	switch a := c.entry.Auth; {
	case a.Helper != "":
		return "docker-credential-" + a.Helper
	case a.Username != "" || a.Token != "" || a.IdentityToken != "":
		return "auth: of the inventory"
	}
	return "the docker config"
}

// add words one exchange; those that follow tell whether it was asked again.
func (s *script) add(x *matrix.Exchange, following []matrix.Exchange) {
	if challenge, ok := registry.ParseBearer(x.Headers["Www-Authenticate"]); ok {
		s.challenge = challenge
	}
	if x.Step != "token" {
		s.scope = s.scopeOf(x.Step)
	}
	target, err := url.Parse(x.URL)
	switch {
	case err != nil:
	case isCut(target):
		s.print("# " + target.Host + " was asked at an address of which values are left out here: take it from the Location or Link of the answer before")
	case x.Step == "token":
		s.fetch(x, target)
	case x.Method != http.MethodGet && x.Method != http.MethodHead:
		// Writing is not for copying and pasting.
	case x.Status == http.StatusUnauthorized && askedAgain(x, following):
		// The same request follows with what the challenge asked for.
	default:
		s.print("curl -sS" + verb(x) + s.tls(target) + s.sign(x, target, s.entry.URL) + acceptOption(x.Step) + " " + quote(x.URL))
	}
}

// scopeOf is the scope of a step's token: the write probe's own, or the image's.
func (s *script) scopeOf(step string) string {
	if s.entry.WriteProbe != nil && (step == "clean-up" || strings.HasPrefix(step, "push-")) {
		return push(s.entry.WriteProbe.Repository)
	}
	return pull(s.repository)
}

// isCut reports whether a report left values of the address out.
func isCut(address *url.URL) bool {
	for _, values := range address.Query() {
		if values[0] == "..." {
			return true
		}
	}
	return false
}

func askedAgain(x *matrix.Exchange, following []matrix.Exchange) bool {
	for i := range following {
		if next := &following[i]; next.Step != "token" {
			return next.Auth != "" && next.Method == x.Method && next.URL == x.URL
		}
	}
	return false
}

func verb(x *matrix.Exchange) string {
	if x.Method == http.MethodHead {
		return " -I"
	}
	return " -i"
}

// fetch words a token request. Its answer goes into $TOKEN, unless it is a
// redirect, whose end is asked without what signed its beginning once it left
// that origin.
func (s *script) fetch(x *matrix.Exchange, target *url.URL) {
	began := s.chain
	if began == nil {
		began = target
	}
	options := s.tls(target) + s.sign(x, target, began)
	if x.Method == http.MethodPost {
		options += s.form(target, began)
	}
	if x.Status >= 300 && x.Status < 400 {
		s.chain = began
		s.print("curl -sS -i" + options + " " + quote(x.URL))
		return
	}
	s.chain = nil
	command := "TOKEN=$(curl -sS" + options + " " + quote(x.URL) + " | jq -r '.access_token // .token')"
	if x.Status == http.StatusOK {
		s.tokens[s.scope], s.fetched = grant{command, s.account}, s.scope
	}
	s.print(command)
}

// sign is the option that signs a request that was signed, as long as target
// is of the origin that the credentials were for.
func (s *script) sign(x *matrix.Exchange, target, owner *url.URL) string {
	switch {
	case x.Auth == "" || !registry.SameOrigin(target, owner):
		return ""
	case x.Auth == "basic":
		s.account = "REGISTRY_USERNAME and REGISTRY_PASSWORD"
		return ` -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"`
	case s.fetched != s.scope:
		if had, ok := s.tokens[s.scope]; ok {
			s.print(had.command)
			s.fetched, s.account = s.scope, had.account
		}
	}
	if s.fetched == s.scope {
		return ` -H "Authorization: Bearer $TOKEN"`
	}
	s.account = "REGISTRY_TOKEN"
	return ` -H "Authorization: Bearer $REGISTRY_TOKEN"`
}

// form is the body that trades a refresh token for an access token
// (distribution, "Token Authentication with OAuth2").
func (s *script) form(target, owner *url.URL) string {
	options := " -d grant_type=refresh_token -d client_id=refmatrix" +
		" --data-urlencode " + quote("service="+s.challenge["service"]) + " --data-urlencode " + quote("scope="+s.scope)
	if registry.SameOrigin(target, owner) {
		s.account = "REGISTRY_IDENTITY_TOKEN"
		options += ` --data-urlencode "refresh_token=$REGISTRY_IDENTITY_TOKEN"`
	}
	return options
}

// tls are the options of the inventory's tls: for an https target.
func (c *curl) tls(target *url.URL) string {
	if target.Scheme != "https" {
		return ""
	}
	options := ""
	if c.entry.TLS.InsecureSkipVerify {
		options = " -k"
	}
	for _, file := range []struct{ option, path string }{
		{"--cacert", c.entry.TLS.CAFile}, {"--cert", c.entry.TLS.CertFile}, {"--key", c.entry.TLS.KeyFile},
	} {
		if file.path != "" {
			options += " " + file.option + " " + quote(file.path)
		}
	}
	return options
}

func (s *script) print(command string) {
	for _, printed := range s.commands {
		if printed == command {
			return
		}
	}
	s.commands = append(s.commands, command)
}

// acceptOption is the Accept header that step was sent with.
func acceptOption(step string) string {
	types := []string{verdict.IndexMediaType}
	switch step {
	case "resolve", "tag-schema", "cosign-tag", "push-blob", "clean-up":
		types = manifestTypes
	case "product":
		types = []string{"application/json"}
	}
	var b strings.Builder
	for _, one := range types {
		fmt.Fprintf(&b, " -H 'Accept: %s'", one)
	}
	return b.String()
}

// quote makes a word of the POSIX shell of any text.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
