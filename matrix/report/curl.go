package report

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Access is what the commands that repeat exchanges need to know of a registry
// beside the exchanges.
type Access struct {
	URL         *url.URL // of the registry
	Credentials string   // where the credentials are: "the docker config"

	InsecureSkipVerify        bool
	CAFile, CertFile, KeyFile string // "" if the inventory names none

	// The scanner's own rules, so that a command signs nothing that the scan
	// would not have signed.
	SameOrigin  func(a, b *url.URL) bool
	ParseBearer func(challenge string) (parameters map[string]string, ok bool)
}

// Curl returns, for each of the rows of one registry, the shell commands that
// repeat its exchanges. Credentials stand as $VARIABLES, and a comment says what
// these have to hold: nothing secret is in the result.
func Curl(access Access, rows []matrix.Row) [][]string {
	c := &curl{Access: access, tokens: map[string]grant{}}
	out := make([][]string, len(rows))
	// Twice, because the rows of a repository share a token that any of them may
	// have fetched: the first time finds it.
	for range 2 {
		for i := range rows {
			out[i] = c.row(&rows[i])
		}
	}
	return out
}

// curl writes the commands for one registry.
type curl struct {
	Access
	tokens map[string]grant // by scope
}

// grant is how the token of a scope was obtained.
type grant struct{ command, account string }

// script repeats the exchanges of one row.
type script struct {
	*curl
	scope     string            // of the last request, which the token is for
	challenge map[string]string // of the last 401
	chain     *url.URL          // the token request that was redirected, or nil
	fetched   string            // the scope whose token $TOKEN holds, "" for none
	account   string            // the variables that hold the credentials: "A and B"
	commands  []string          // each once
}

func (c *curl) row(row *matrix.Row) []string {
	s := &script{curl: c}
	for i := range row.Exchanges {
		s.add(&row.Exchanges[i], row.Exchanges[i+1:])
	}
	if s.account == "" {
		return s.commands
	}
	return append([]string{
		"# set " + s.account + ", from " + c.Credentials,
		"# the shell expands them into the arguments of curl, which others on the machine may see",
	}, s.commands...)
}

// add repeats one exchange, unless one of those that follow is the same request
// again.
func (s *script) add(x *matrix.Exchange, following []matrix.Exchange) {
	target, err := url.Parse(x.URL)
	if err != nil || !isRequestable(target) {
		return
	}
	if challenge, ok := s.ParseBearer(x.Headers["Www-Authenticate"]); ok && s.SameOrigin(target, s.URL) {
		s.challenge = challenge
	}
	s.scope = x.Scope
	switch {
	case isCut(x.URL, target):
		// zsh runs a comment that is pasted into it, so that a host is quoted here too.
		s.print("# " + matrix.ShellWord(target.Host) + " was asked at an address of which values are left out here: " +
			"take it from the Location or Link of the answer before")
	case x.Step == matrix.TokenStep:
		s.fetch(x, target)
	case x.Method != http.MethodGet && x.Method != http.MethodHead:
		// Writing is not for copying and pasting.
	case x.Status == http.StatusUnauthorized && repeated(x, following):
		// The same request follows, signed as the challenge wants.
	default:
		s.print(request(verb(x)+s.tls(target)+s.sign(x, target, s.URL)+acceptOption(x.Accept), target))
	}
}

// isRequestable reports whether curl requests address over HTTP. Of any other
// address it could read a file, and userinfo it would send as credentials.
func isRequestable(address *url.URL) bool {
	return (address.Scheme == "https" || address.Scheme == "http") && address.Host != "" && address.User == nil
}

// isCut reports whether a report left parts of the address out: secrets, values
// of its query, or its end.
func isCut(text string, address *url.URL) bool {
	if strings.Contains(text, "***") || strings.HasSuffix(text, "...") {
		return true
	}
	for _, values := range address.Query() {
		if slices.Contains(values, "...") {
			return true
		}
	}
	return false
}

// request is the command that requests target. -g keeps curl from reading
// brackets and braces as patterns of several addresses, and --path-as-is from
// taking dots out of a path.
func request(options string, target *url.URL) string {
	if dotSegment.MatchString(target.EscapedPath()) {
		options += " --path-as-is"
	}
	return "curl -gsS" + options + " " + matrix.ShellQuote(target.String())
}

// dotSegment is what a path segment may be that is removed as "." or ".." is
// (RFC 3986, section 5.2.4). Newer curls read %2e as a dot.
var dotSegment = regexp.MustCompile(`(?i)/(?:\.|%2e){1,2}(?:/|$)`)

func repeated(x *matrix.Exchange, following []matrix.Exchange) bool {
	for i := range following {
		if next := &following[i]; next.Step != matrix.TokenStep {
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

// tokenOf reads the token out of an answer. In a header a line break would begin
// another header, or another request.
const tokenOf = " | jq -r '.access_token // .token' | tr -d '[:cntrl:]'"

// fetch repeats a token request. Its answer goes into $TOKEN, unless it is a
// redirect. What follows a redirect is signed only as long as it stays on the
// origin of the first request.
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
		s.print(request(" -i"+options, target))
		return
	}
	s.chain = nil
	command := "TOKEN=$(" + request(options, target) + tokenOf + ")"
	if x.Status == http.StatusOK {
		s.tokens[s.scope], s.fetched = grant{command, s.account}, s.scope
	}
	s.print(command)
}

// sign is the option that signs a request that was signed, if target is on the
// origin that the credentials are for.
func (s *script) sign(x *matrix.Exchange, target, owner *url.URL) string {
	switch {
	case x.Auth == "" || !s.SameOrigin(target, owner):
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
		" --data-urlencode " + matrix.ShellQuote("service="+s.challenge["service"]) +
		" --data-urlencode " + matrix.ShellQuote("scope="+s.scope)
	if s.SameOrigin(target, owner) {
		s.account = "REGISTRY_IDENTITY_TOKEN"
		options += ` --data-urlencode "refresh_token=$REGISTRY_IDENTITY_TOKEN"`
	}
	return options
}

// tls are the options for the inventory's tls: if target is https. The scan
// trusts caFile wherever it is led. The rest is for the registry's own origin: the
// client certificate is its account there, and only its own certificate goes
// unchecked.
func (c *curl) tls(target *url.URL) string {
	if target.Scheme != "https" {
		return ""
	}
	own := c.SameOrigin(target, c.URL)
	options := ""
	if own && c.InsecureSkipVerify {
		options += " -k"
	}
	if c.CAFile != "" {
		options += " --cacert " + matrix.ShellQuote(c.CAFile)
	}
	if own && c.CertFile != "" {
		options += " --cert " + matrix.ShellQuote(certEscapes.Replace(c.CertFile))
	}
	if own && c.KeyFile != "" {
		options += " --key " + matrix.ShellQuote(c.KeyFile)
	}
	return options
}

// certEscapes are for --cert, which takes a password after a colon
// (curl(1), "--cert").
var certEscapes = strings.NewReplacer(`\`, `\\`, `:`, `\:`)

// print adds a command, each once and on one line.
func (s *script) print(command string) {
	command = matrix.Printable(command)
	if !slices.Contains(s.commands, command) {
		s.commands = append(s.commands, command)
	}
}

// acceptOption is the option for the Accept header, one line as the request had it.
func acceptOption(accept string) string {
	if accept == "" {
		return ""
	}
	return " -H " + matrix.ShellQuote("Accept: "+accept)
}
