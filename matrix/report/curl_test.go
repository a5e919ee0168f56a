package report_test

import (
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

const registryURL = "https://r.example/v2/a"

// access returns what the commands for https://r.example depend on. An origin
// is scheme and host here, and a challenge is its service: the scanner's rules
// have tests of their own.
func access() report.Access {
	return report.Access{
		URL:         &url.URL{Scheme: "https", Host: "r.example"},
		Credentials: "the docker config",
		SameOrigin:  func(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host },
		ParseBearer: func(challenge string) (map[string]string, bool) {
			service, ok := strings.CutPrefix(challenge, "Bearer service=")
			return map[string]string{"service": service}, ok
		},
	}
}

func get(address string) matrix.Exchange {
	return matrix.Exchange{
		Step:   "referrers",
		Method: "GET",
		URL:    address,
		Status: 200,
	}
}

func commandsOf(access report.Access, exchanges ...matrix.Exchange) []string {
	return report.Curl(access, []matrix.Row{{Exchanges: exchanges}})[0]
}

// TestCurlOptions: -k and the client certificate are for the registry's own
// origin. caFile is for every origin, because the scan trusts it there too.
func TestCurlOptions(t *testing.T) {
	insecure := access()
	insecure.InsecureSkipVerify = true
	files := access()
	files.CAFile, files.CertFile, files.KeyFile = "ca.pem", "/certs/r.example:5000/c.pem", "k.pem"
	const realm = "https://auth.example/token"
	token := matrix.Exchange{Step: matrix.TokenStep, Method: "GET", URL: realm, Status: 200}
	redirected := matrix.Exchange{Step: matrix.TokenStep, Method: "GET", URL: registryURL, Status: 307}
	const read = " | jq -r '.access_token // .token' | tr -d '[:cntrl:]')"
	for _, test := range []struct {
		name   string
		access report.Access
		x      matrix.Exchange
		want   string
	}{
		{"dots", access(), get("https://r.example/a/%2E%2e/b"), "curl -gsS -i --path-as-is 'https://r.example/a/%2E%2e/b'"},
		{"dots in a name", access(), get("https://r.example/a..b/.c"), "curl -gsS -i 'https://r.example/a..b/.c'"},
		{"-k at the registry", insecure, get(registryURL), "curl -gsS -i -k '" + registryURL + "'"},
		{"no -k elsewhere", insecure, get("https://blobs.example/x"), "curl -gsS -i 'https://blobs.example/x'"},
		{"no -k at another port", insecure, get("https://r.example:8443/x"), "curl -gsS -i 'https://r.example:8443/x'"},
		{"no -k for a token", insecure, token, "TOKEN=$(curl -gsS '" + realm + "'" + read},
		{"no -k over http", insecure, get("http://r.example/x"), "curl -gsS -i 'http://r.example/x'"},
		{
			"files at the registry", files, get(registryURL),
			`curl -gsS -i --cacert 'ca.pem' --cert '/certs/r.example\:5000/c.pem' --key 'k.pem' '` + registryURL + "'",
		},
		{"the authority elsewhere", files, get("https://blobs.example/x"), "curl -gsS -i --cacert 'ca.pem' 'https://blobs.example/x'"},
		{"the authority for a token", files, token, "TOKEN=$(curl -gsS --cacert 'ca.pem' '" + realm + "'" + read},
		{
			"a token of the registry itself", files, redirected,
			`curl -gsS -i --cacert 'ca.pem' --cert '/certs/r.example\:5000/c.pem' --key 'k.pem' '` + registryURL + "'",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff([]string{test.want}, commandsOf(test.access, test.x)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// hostileParts are what a registry may put into an address, a challenge or a
// header that becomes part of a command.
var hostileParts = []string{
	"$(touch${IFS}owned)", "`touch${IFS}owned`", "${HOME}", "'", `"`, `\`, "';touch${IFS}owned;'", "a;b&c|d>owned", "!!", "#x", "~",
	"[1-3]", "{a,b}", "@/etc/passwd", "=@/etc/passwd", "-K/etc/passwd", "--config=/etc/passwd", "%0Ax", "%27", ".", "..", "*", "?",
	"\ntouch owned", "\r\nX: y", "\x1b[31m", "\u202e", "\u0085", "bad \xff",
}

// TestHostileCurl runs the commands in a shell whose curl prints its arguments:
// whatever a registry chose is one argument and unchanged, and nothing runs.
func TestHostileCurl(t *testing.T) {
	post := matrix.Exchange{
		Step:   matrix.TokenStep,
		Method: "POST",
		URL:    "https://r.example/token",
		Scope:  "repository:a:pull",
		Status: 200,
	}
	for _, part := range hostileParts {
		t.Run(part, func(t *testing.T) {
			target, err := url.Parse("https://r.example/v2/" + part) // as net/http reads a Location
			if err != nil {
				target = &url.URL{Scheme: "https", Host: "r.example", Path: "/v2/" + part}
			}
			target.Fragment = ""
			address := target.String()
			x := get(address)
			x.Accept = part
			line := matrix.Printable(part) // no command has a second line
			want := []string{"-gsS", "-i", "-H", "Accept: " + line}
			if part == "." || part == ".." {
				want = append(want, "--path-as-is")
			}
			checkArguments(t, commandsOf(access(), x), append(want, address))

			challenged := get(registryURL)
			challenged.Status, challenged.Headers = 401, map[string]string{"Www-Authenticate": "Bearer service=" + part}
			signed := get(registryURL)
			signed.Auth = "bearer"
			post := post
			post.Scope = part
			checkArguments(t, commandsOf(access(), challenged, post, signed)[2:3], []string{
				"-gsS", "-d", "grant_type=refresh_token", "-d", "client_id=refmatrix",
				"--data-urlencode", "service=" + line, "--data-urlencode", "scope=" + line,
				"--data-urlencode", "refresh_token=", "https://r.example/token",
			})

			files := access()
			files.CAFile = part
			checkArguments(t, commandsOf(files, get(registryURL)), []string{"-gsS", "-i", "--cacert", line, registryURL})
		})
	}
}

// checkArguments runs commands and compares the arguments that curl got.
func checkArguments(t *testing.T, commands, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, argumentsOf(t, "curl", commands)); diff != "" {
		t.Error(diff)
	}
}

// argumentsOf runs the one command of commands in an empty folder. It returns the
// arguments that the program called name got, and the files that were made.
func argumentsOf(t *testing.T, name string, commands []string) []string {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	if len(commands) != 1 || strings.ContainsAny(commands[0], "\r\n") {
		t.Fatalf("not one line: %q", commands)
	}
	run := exec.Command(sh, "-c", "exec 3>&1\n"+name+`() { printf '%s\n' "$@" >&3; }
jq() { cat; }
`+commands[0]+"\nls >&3")
	run.Dir = t.TempDir()
	var problems strings.Builder
	run.Stderr = &problems
	out, err := run.Output()
	if err != nil || problems.Len() > 0 {
		t.Fatalf("%v: %s\n%s", err, problems.String(), commands[0])
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestCurlComments: a zsh prompt takes what follows a # for a command, so that a
// comment has to be as harmless as a command.
func TestCurlComments(t *testing.T) {
	const rest = " was asked at an address of which values are left out here: take it from the Location or Link of the answer before"
	for _, host := range []string{
		"blobs.example", "blobs.example:5000", "[::1]:5000", "-x", "a;$(touch,owned)", "$HOME", "a'b", "a&b", `a"b`, "a*", "a\u202eb",
	} {
		address := &url.URL{Scheme: "https", Host: host, Path: "/x", RawQuery: "signature=..."}
		signed := get(registryURL)
		signed.Auth = "basic"
		want := []string{
			"set REGISTRY_USERNAME and REGISTRY_PASSWORD, from the docker config",
			"the shell expands them into the arguments of curl, which others on the machine may see",
			matrix.Printable(host) + rest,
		}
		for i, line := range commandsOf(access(), get(address.String()), signed)[:3] {
			comment, ok := strings.CutPrefix(line, "# ")
			words := argumentsOf(t, "comment", []string{"comment " + comment})
			if got := strings.Join(words, " "); !ok || got != want[i] {
				t.Errorf("%s: %q, want %q", line, got, want[i])
			}
		}
	}
}

// TestUnrepeatable: an address that is cut, or that curl could take for more
// than a request over HTTP, is in no command.
func TestUnrepeatable(t *testing.T) {
	const left = "# r.example was asked at an address of which values are left out here: " +
		"take it from the Location or Link of the answer before"
	for _, test := range []struct {
		address string
		want    []string
	}{
		{"file:///etc/passwd", nil},
		{"file://r.example/etc/passwd", nil},
		{"ftp://r.example/x", nil},
		{"gopher://r.example/_x", nil},
		{"/etc/passwd", nil},
		{"-K/etc/passwd", nil},
		{"@/etc/passwd", nil},
		{"//r.example/x", nil},
		{"https:///x", nil},
		{"https:r.example", nil},
		{"https://user:password@r.example/x", nil},
		{"https://r.example/x\n-K/etc/passwd", nil},
		{"https://r.example/x?signature=...", []string{left}},
		{"https://r.example/x?n=1&n=...", []string{left}},
		{"https://r.example/x?scope=***", []string{left}},
		{"https://r.example/***/x", []string{left}},
		{"https://r.example/end...", []string{left}},
	} {
		for _, step := range []string{"referrers", matrix.TokenStep} {
			x := get(test.address)
			x.Step = step
			if diff := cmp.Diff(test.want, commandsOf(access(), x)); diff != "" {
				t.Errorf("%s of %s: %s", step, test.address, diff)
			}
		}
	}
}

// TestChallengeOfAnotherOrigin: a challenge counts if it is the registry's own
// answer, because no other one is answered.
func TestChallengeOfAnotherOrigin(t *testing.T) {
	challenged := func(address, service string) matrix.Exchange {
		x := get(address)
		x.Status, x.Headers = 401, map[string]string{"Www-Authenticate": "Bearer service=" + service}
		return x
	}
	post := matrix.Exchange{Step: matrix.TokenStep, Method: "POST", URL: "https://auth.example/token", Status: 200}
	commands := commandsOf(access(), challenged(registryURL, "own"), challenged("https://blobs.example/x", "foreign"), post)
	token := commands[len(commands)-1]
	if !strings.Contains(token, "'service=own'") || strings.Contains(token, "foreign") {
		t.Error(token)
	}
}

// TestTokenOfSeveralLines: a token goes into a header, where a line break would
// begin another header or request.
func TestTokenOfSeveralLines(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip(err)
	}
	commands := commandsOf(access(), matrix.Exchange{Step: matrix.TokenStep, Method: "GET", URL: registryURL, Status: 200})
	script := `curl() { printf '%s' '{"token":"a\r\nX: y\r\n\r\nDELETE / HTTP/1.1"}'; }; ` + commands[0] + `; printf %s "$TOKEN"`
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if got := string(out); err != nil || got != "aX: yDELETE / HTTP/1.1" {
		t.Errorf("%q %v", got, err)
	}
}
