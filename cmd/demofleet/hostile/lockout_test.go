package hostile

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run scans an inventory in dir, has explain say what it does of each of names,
// and returns the rows by registry and image, and all that was printed and written.
func run(t *testing.T, dir, inventory string, environment []string, names ...string) (map[string]row, string) {
	t.Helper()
	path, out := filepath.Join(dir, "inventory.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(path, []byte(inventory), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(arguments ...string) string {
		cmd := exec.Command(os.Getenv("REFMATRIX"), arguments...)
		cmd.Env = append(append(os.Environ(), "DOCKER_CONFIG="+dir), environment...)
		streams, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, streams)
		}
		return string(streams)
	}
	shown := command("scan", "-v", "-i", path, "-o", out, "-f", "all", "--probe", "full", "--fail-on", "never", "--progress", "plain")
	for _, name := range names {
		shown += command("explain", "--curl", "-i", path, name)
	}
	for _, content := range filesIn(t, out) {
		shown += content
	}
	return rowsBy(t, filepath.Join(out, "matrix.json"), func(r row) string { return r.Registry + " " + r.Image }), shown
}

// writeSecret writes a secret into dir and returns the name of its file.
func writeSecret(t *testing.T, dir, name, secret string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// team is thirty images.
func team() string {
	var images []string
	for i := range 30 {
		images = append(images, fmt.Sprintf("team/app%d", i))
	}
	return "[" + strings.Join(images, ", ") + "]"
}

// The secrets of the two accounts, of which registries know the right one only.
const (
	rightSecret = "canary-right-8hX2kQ9v"
	wrongSecret = "canary-wrong-8hX2kQ9v"
)

// guard is a way to check accounts.
type guard struct {
	name       string
	wantsToken bool   // by a token service, and not by Basic
	anyone     bool   // the token service gives anyone a token
	open       bool   // /v2/ asks for nothing, so that it refuses nobody
	key        string // of the secret in auth:
}

var guards = []guard{
	{name: "Basic", key: "username: robot, passwordFile"},
	{name: "Basic with an open base", open: true, key: "username: robot, passwordFile"},
	{name: "Bearer", wantsToken: true, key: "username: robot, passwordFile"},
	{name: "Bearer that takes any password", wantsToken: true, anyone: true, key: "username: robot, passwordFile"},
	{name: "Bearer with an identity token", wantsToken: true, key: "identityToken"},
}

// registry starts a healthy registry that checks accounts so. Its repository
// absent, "" for none, is refused to all.
func (g guard) registry(t *testing.T, n int, absent string) *server {
	t.Helper()
	right := func(r *http.Request) bool {
		_, password, _ := r.BasicAuth()
		return password == rightSecret || r.Method == http.MethodPost && r.PostFormValue("refresh_token") == rightSecret
	}
	return serveHTTP(t, n, nil, func(s *server) http.HandlerFunc {
		signed := signedIn(s, empty)
		return func(w http.ResponseWriter, r *http.Request) {
			challenge, welcome := `Basic realm="x"`, right(r)
			if g.wantsToken {
				challenge = `Bearer realm="` + s.origin + `/token",service="x",scope="repository:team/app:pull",error="insufficient_scope"`
				welcome = r.Header.Get("Authorization") == "Bearer good"
			}
			switch {
			case r.URL.Path == "/token" && right(r):
				issue(w, r)
			case r.URL.Path == "/token" && g.anyone:
				_, _ = fmt.Fprint(w, `{"token":"of-nobody"}`)
			case r.URL.Path == "/token":
				w.WriteHeader(http.StatusUnauthorized)
			case r.URL.Path == "/v2/" && (g.open || welcome):
			case !welcome || absent != "" && strings.HasPrefix(r.URL.Path, "/v2/"+absent+"/"):
				wants(w, challenge)
			default:
				signed(w, r)
			}
		}
	})
}

// entry is the inventory's entry for such a registry.
func (g guard) entry(name, origin, file string) string {
	secret := file
	if g.key == "identityToken" {
		secret = `"${` + strings.ToUpper(file) + `}"`
	}
	return fmt.Sprintf("  - {name: '%s', url: '%s', auth: {%s: %s}}\n", name, origin, g.key, secret)
}

// timesSent is how often a server was sent a secret.
func timesSent(s *server, secret string) int {
	return strings.Count(s.heard(), secret) +
		strings.Count(s.heard(), base64.StdEncoding.EncodeToString([]byte("robot:"+secret)))
}

// TestWrongPassword: directories lock an account after a few wrong passwords. Two
// entries with thirty images each send one twice, and the right account beside them
// is not taken for it.
func TestWrongPassword(t *testing.T) {
	dir := t.TempDir()
	text := "version: 1\ndefaults: {images: " + team() + ", rate: 0, retries: 0, timeout: 20s, concurrency: 16}\nregistries:\n"
	right, wrong := writeSecret(t, dir, "right", rightSecret), writeSecret(t, dir, "wrong", wrongSecret)
	servers := map[string]*server{}
	for n, one := range guards {
		s := one.registry(t, n, "")
		servers[one.name] = s
		text += one.entry(one.name+", one", s.origin, wrong) + one.entry(one.name+", two", s.origin, wrong) + one.entry(one.name+", right", s.origin, right)
	}
	rows, shown := run(t, dir, text, []string{"RIGHT=" + rightSecret, "WRONG=" + wrongSecret})
	if len(rows) != 3*30*len(guards) {
		t.Errorf("%d rows", len(rows))
	}
	first := map[string]bool{} // images of the one registry whose first refusal shows nothing of the account
	for name, one := range rows {
		want := "credentials-refused"
		if strings.HasSuffix(one.Registry, ", right") {
			want = "referrers-empty"
		} else if strings.Contains(one.Registry, "open base") && one.Reason == "unauthorized" {
			want = "unauthorized"
			first[one.Image] = true
		}
		if one.Reason != want {
			t.Errorf("%s: %s (%s), want %s", name, one.Reason, one.Detail, want)
		}
	}
	if len(first) > 1 {
		t.Errorf("%v are unauthorized, want one at the most", first)
	}
	for name, s := range servers {
		if sent := timesSent(s, wrongSecret); sent < 1 || sent > 2 {
			t.Errorf("%s: the wrong secret was sent %d times", name, sent)
		}
	}
	nothingShown(t, shown, wrongSecret, rightSecret)
}

// TestAbsentRepository: Docker Hub and others answer 401 for a repository that is
// absent. It is the only one that is not measured, whether it comes first or later.
func TestAbsentRepository(t *testing.T) {
	dir := t.TempDir()
	text := "version: 1\ndefaults: {images: " + team() + ", rate: 0, retries: 0, timeout: 20s, concurrency: 16}\nregistries:\n"
	right := writeSecret(t, dir, "right", rightSecret)
	absent := map[string]string{}
	for n, one := range guards {
		for m, repository := range []string{"team/app0", "team/app13"} {
			name := one.name + " without " + repository
			absent[name] = repository + ":latest"
			text += one.entry(name, one.registry(t, 2*n+m, repository).origin, right)
		}
	}
	rows, shown := run(t, dir, text, []string{"RIGHT=" + rightSecret})
	if len(rows) != 2*30*len(guards) {
		t.Errorf("%d rows", len(rows))
	}
	for name, one := range rows {
		want := "referrers-empty"
		if absent[one.Registry] == one.Image {
			want = "forbidden"
			if strings.Contains(one.Registry, "open base") && one.Reason == "unauthorized" {
				want = "unauthorized" // nothing was accepted before
			}
		}
		if one.Reason != want {
			t.Errorf("%s: %s (%s), want %s", name, one.Reason, one.Detail, want)
		}
	}
	nothingShown(t, shown, rightSecret)
}

// nothingShown checks that no secret was printed or written.
func nothingShown(t *testing.T, shown string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if strings.Contains(shown, form) {
				t.Errorf("%s is in what was printed and written", secret)
			}
		}
	}
}
