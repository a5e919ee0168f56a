package probe

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"refmatrix/matrix"
	"refmatrix/scanner/inventory"
)

// Curl gives the shell commands that repeat the exchanges of row that its
// verdict rests on. Credentials stand as $VARIABLES: nothing secret is in the
// result.
func Curl(entry inventory.Registry, row *matrix.Row) []string {
	c := curl{entry: entry, printed: map[string]bool{}}
	for _, x := range row.Exchanges {
		c.add(x)
	}
	return c.commands
}

// curl collects commands, each once.
type curl struct {
	entry    inventory.Registry
	auth     string // the option that signs in, once a challenge was seen
	printed  map[string]bool
	commands []string
}

func (c *curl) add(x matrix.Exchange) {
	target, err := url.Parse(x.URL)
	if err != nil {
		return
	}
	switch {
	case x.Step == "token":
		c.token(target)
		return
	case x.Status == http.StatusUnauthorized && strings.HasPrefix(strings.ToLower(x.Headers["Www-Authenticate"]), "basic") && c.entry.Auth.Username != "":
		c.auth = ` -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"`
	case x.Status == http.StatusUnauthorized && c.auth == "":
		return // the same request follows with what the challenge asked for
	case c.entry.Auth.Token != "":
		c.auth = ` -H "Authorization: Bearer $REGISTRY_TOKEN"`
	}
	auth := c.auth
	if target.Host != c.entry.URL.Host {
		auth = "" // credentials never follow a redirect off the origin
	}
	method := ""
	switch x.Method {
	case http.MethodGet:
		method = " -i"
	case http.MethodHead:
		method = " -I"
	default:
		return // writing is not for copying and pasting
	}
	c.print("curl -sS" + method + c.tls() + auth + acceptOption(x.Step) + " " + quote(x.URL))
}

// token words the token request and keeps its answer in $TOKEN.
func (c *curl) token(target *url.URL) {
	sign := ""
	if c.entry.Auth.Username != "" {
		sign = ` -u "$REGISTRY_USERNAME:$REGISTRY_PASSWORD"`
	}
	c.print("TOKEN=$(curl -sS" + c.tls() + sign + " " + quote(target.String()) + " | jq -r '.token // .access_token')")
	c.auth = ` -H "Authorization: Bearer $TOKEN"`
}

func (c *curl) tls() string {
	switch {
	case c.entry.TLS.InsecureSkipVerify:
		return " -k"
	case c.entry.TLS.CAFile != "":
		return " --cacert " + quote(c.entry.TLS.CAFile)
	}
	return ""
}

func (c *curl) print(command string) {
	if !c.printed[command] {
		c.printed[command] = true
		c.commands = append(c.commands, command)
	}
}

// acceptOption is the Accept header that step was sent with.
func acceptOption(step string) string {
	types := []string{matrix.IndexMediaType}
	switch step {
	case "resolve", "tag-schema", "cosign-tag":
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
