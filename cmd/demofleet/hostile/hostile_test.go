package hostile

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"refmatrix/cmd/demofleet/testca"
)

var update = flag.Bool("update", false, "write the table in docs/reliability.md again")

// met is a behaviour that is running, with the secret meant for it alone.
type met struct {
	behaviour
	secret string
	own    *server
	others []*server
}

// TestHostileFleet scans every behaviour at once, with credentials that are
// watched: each row has its reason, in time, and no secret is anywhere but at
// the registry that it is meant for.
func TestHostileFleet(t *testing.T) {
	if len(behaviours) < 60 {
		t.Fatalf("%d behaviours", len(behaviours))
	}
	dir := t.TempDir()
	a := newAuthority(t)
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), a.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	fleet, inventory := start(t, dir, a)
	began := time.Now()
	cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-v", "-i", inventory, "-o", filepath.Join(dir, "out"), "-f", "all", "--probe", "full", "--write-probe", "--fail-on", "never", "--progress", "plain")
	cmd.Env = environment(fleet, dir)
	streams, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, streams)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the scan took %s", took)
	}
	reasons := rows(t, filepath.Join(dir, "out", "matrix.json"))
	table := "| registry | reason |\n| --- | --- |\n"
	for _, one := range fleet {
		row, ok := reasons[one.name]
		if !ok || !slices.Contains(strings.Fields(one.want), row.Reason) {
			t.Errorf("%s: %s (%s), want %s", one.name, row.Reason, row.Detail, one.want)
		}
		if most := one.most(); row.DurationMS > float64(most.Milliseconds()) {
			t.Errorf("%s took %.0f ms, over %s", one.name, row.DurationMS, most)
		}
		table += fmt.Sprintf("| %s | %s |\n", one.name, strings.ReplaceAll(one.want, " ", " or "))
	}
	said := explained(fleet, inventory, dir)
	judgeCommands(t, fleet, said)
	for i := range fleet {
		if fleet[i].check != nil {
			fleet[i].check(t, &fleet[i])
		}
	}
	printed := string(streams) + strings.Join(said, "\n")
	leaks := secretsIn(t, fleet, printed, filepath.Join(dir, "out"))
	if strings.ContainsAny(printed, "\x1b\x07\u202e") {
		t.Error("control characters reach the terminal")
	}
	document(t, "hostile", fmt.Sprintf("%d behaviours at once, wrong verdicts 0, secrets leaked %d.\n\n%s", len(fleet), leaks, table))
}

// explained is what explain says of every registry, in their order.
func explained(fleet []met, inventory, dir string) []string {
	said := make([]string, len(fleet))
	var runs errgroup.Group
	runs.SetLimit(8)
	for i, one := range fleet {
		runs.Go(func() error {
			cmd := exec.Command(os.Getenv("REFMATRIX"), "explain", "--curl", "-i", inventory, one.name)
			cmd.Env = environment(fleet, dir)
			output, _ := cmd.CombinedOutput() // a row that fails is exit status 1
			said[i] = string(output)
			return nil
		})
	}
	_ = runs.Wait()
	return said
}

var (
	curlCommand = regexp.MustCompile(`(?m)^ *(TOKEN=\$\()?curl (.*)$`)
	httpAddress = regexp.MustCompile(`'(https?://[^']*)'`)
	tlsOption   = regexp.MustCompile(` (-k|--insecure|--cert|--key) `)
)

// judgeCommands judges the curl commands that explain prints: none reads an address
// as a pattern, and only those for the registry's own origin skip verification or
// show a client certificate.
func judgeCommands(t *testing.T, fleet []met, said []string) {
	t.Helper()
	commands, special, foreign := 0, 0, 0
	for i, one := range fleet {
		for _, found := range curlCommand.FindAllStringSubmatch(said[i], -1) {
			command := found[2]
			commands++
			if !strings.HasPrefix(command, "-gsS ") {
				t.Errorf("%s: no -g in curl %s", one.name, command)
			}
			option, addresses := tlsOption.FindString(command), httpAddress.FindAllStringSubmatch(command, -1)
			if len(addresses) != 1 {
				t.Errorf("%s: %d addresses in curl %s", one.name, len(addresses), command)
			}
			for _, address := range addresses {
				target, err := url.Parse(address[1])
				switch own := err == nil && target.Scheme+"://"+target.Host == one.own.origin; {
				case own && option != "":
					special++
				case !own && option != "":
					t.Errorf("%s:%sis for another origin in curl %s", one.name, option, command)
				case !own && (one.cert || one.insecure):
					foreign++
				}
			}
		}
	}
	// The watch means something only where there are such commands.
	if commands < len(fleet) || special < 4 || foreign < 2 {
		t.Errorf("only %d commands, %d with options for their own origin, %d for others of such entries", commands, special, foreign)
	}
}

// environment has the secrets that inventory values name, and no docker config
// but what is in dir.
func environment(fleet []met, dir string) []string {
	out := append(os.Environ(), "DOCKER_CONFIG="+dir)
	for n, one := range fleet {
		out = append(out, fmt.Sprintf("SECRET_%d=%s", n, one.secret))
	}
	return out
}

// The limits of every entry but its timeout.
const (
	retries  = 1
	retryCap = 300 * time.Millisecond
)

// timeout is short where a behaviour is to run into it. Elsewhere it is so
// long that a slow machine is not taken for a slow registry.
func (b *behaviour) timeout() time.Duration {
	switch {
	case b.limit > 0:
		return b.limit
	case strings.Contains(b.want, "timeout"):
		return time.Second
	}
	return 15 * time.Second
}

// account is the auth of the entry whose secret is in file and in the
// environment.
func (b *behaviour) account(file string, n int) string {
	realms := ""
	if b.realms != "" {
		realms = ", realms: " + strings.ReplaceAll(b.realms, "{host}", hostAt(n))
	}
	switch b.auth {
	case "token":
		return fmt.Sprintf("tokenFile: %q%s", file, realms)
	case "identityToken":
		return fmt.Sprintf("identityToken: \"${SECRET_%d}\"%s", n, realms)
	}
	return fmt.Sprintf("username: robot, passwordFile: %q%s", file, realms)
}

// most is how long a row may take, all its steps together, with ten seconds for waiting
// until large bodies of others are read, which is not the row's time, and for a machine
// that is busy with them.
func (b *behaviour) most() time.Duration {
	return (retries+1)*b.timeout() + retries*retryCap + 10*time.Second
}

// start runs every behaviour and writes the inventory.
func start(t *testing.T, dir string, a *testca.Authority) ([]met, string) {
	t.Helper()
	var fleet []met
	text := fmt.Sprintf("version: 1\ndefaults: {images: [team/app], rate: 0, retries: %d, retryCap: %s, tls: {caFile: ca.pem}}\nregistries:\n", retries, retryCap)
	for n, one := range slices.Concat(behaviours, costly, encodings, signIns, writes()) {
		m := met{behaviour: one, secret: fmt.Sprintf("canary-%03d-8hX2kQ9v", n)}
		m.own, m.others = one.start(t, n, a)
		fleet = append(fleet, m)
		file := fmt.Sprintf("secret-%d", n)
		text += fmt.Sprintf("  - {name: %q, url: '%s', timeout: %s, auth: {%s}", one.name, m.own.origin, one.timeout(), one.account(file, n))
		if one.cert || one.insecure {
			settings := []string{"caFile: ca.pem"}
			if one.cert {
				settings = append(settings, writeClientCertificate(t, a, dir, fmt.Sprintf("client-%d", n), m.secret))
			}
			if one.insecure {
				settings = append(settings, "insecureSkipVerify: true")
			}
			text += ", tls: {" + strings.Join(settings, ", ") + "}"
		}
		if one.write != "" {
			text += ", writeProbe: {repository: " + one.write + "}"
		}
		text += "}\n"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(m.secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "inventory.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return fleet, path
}

type row struct {
	Registry   string
	Image      string
	Severity   string
	Reason     string
	Detail     string
	DurationMS float64 `json:"duration_ms"`
}

func rows(t *testing.T, path string) map[string]row {
	t.Helper()
	return rowsBy(t, path, func(r row) string { return r.Registry })
}

func rowsBy(t *testing.T, path string, key func(row) string) map[string]row {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []row }
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	out := map[string]row{}
	for _, r := range m.Rows {
		out[key(r)] = r
	}
	return out
}

// forms are the shapes in which a secret could appear: as it is, and in base64
// alone or behind the account's name.
func forms(secret string) []string {
	return []string{
		secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("robot:" + secret)),
	}
}

// filesIn reads all files below dir, by their paths. Of a scan in the history, which is under
// gzip, it is the text.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		text := io.Reader(file)
		if filepath.Ext(path) == ".gz" {
			if text, err = gzip.NewReader(file); err != nil {
				return err
			}
		}
		content, err := io.ReadAll(text)
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// secretsIn looks for every secret where it must not be, and counts.
func secretsIn(t *testing.T, fleet []met, printed, dir string) int {
	t.Helper()
	places := filesIn(t, dir)
	places["the terminal"] = printed
	leaks, given := 0, 0
	for _, victim := range fleet {
		for _, form := range forms(victim.secret) {
			for place, text := range places {
				if strings.Contains(text, form) {
					leaks++
					t.Errorf("%s: its secret is in %s", victim.name, place)
				}
			}
			for _, one := range fleet {
				if one.name != victim.name && strings.Contains(one.own.heard(), form) {
					leaks++
					t.Errorf("%s: its secret reached %s", victim.name, one.name)
				}
				for _, other := range one.others {
					if strings.Contains(other.heard(), form) {
						leaks++
						t.Errorf("%s: its secret reached another host of %s", victim.name, one.name)
					}
				}
			}
			if strings.Contains(victim.own.heard(), form) {
				given++
			}
		}
	}
	// The watch means something only where credentials are really in play.
	if given < len(fleet)/3 {
		t.Errorf("only %d registries were shown their own secret", given)
	}
	return leaks
}

// document compares a part of docs/reliability.md with what was seen, or
// writes it.
func document(t *testing.T, name, want string) {
	t.Helper()
	const path = "../../../docs/reliability.md"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(content), begin)
	have, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no part %s", path, name)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if have != want {
		t.Errorf("%s: the part %s is not what was seen; make docs writes it again", path, name)
	}
}
