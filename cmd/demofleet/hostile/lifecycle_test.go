package hostile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// quiet is an inventory of registries that answer after a while.
func quiet(t *testing.T, registries int, pause time.Duration) string {
	t.Helper()
	text := "version: 1\ndefaults: {images: [a, b], rate: 0, retries: 0, timeout: 20s, auth: {anonymous: true}}\nregistries:\n"
	for n := range registries {
		s := serveHTTP(t, n, nil, func(*server) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
					return
				}
				if strings.Contains(r.URL.Path, "/manifests/") {
					w.Header().Set("Docker-Content-Digest", manifestDigest)
					return
				}
				w.WriteHeader(http.StatusNotFound)
			}
		})
		text += fmt.Sprintf("  - {name: r%d, url: '%s'}\n", n, s.origin)
	}
	path := filepath.Join(t.TempDir(), "inventory.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func status(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// whole fails where a report in dir is not complete in itself.
func whole(t *testing.T, dir string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []json.RawMessage }
	if err := json.Unmarshal(content, &m); err != nil {
		t.Errorf("matrix.json: %v", err)
	}
	content, err = os.ReadFile(filepath.Join(dir, "matrix.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if records, err := csv.NewReader(bytes.NewReader(content)).ReadAll(); err != nil || len(records) != len(m.Rows)+1 {
		t.Errorf("matrix.csv: %d records for %d rows, %v", len(records), len(m.Rows), err)
	}
	if content, err = os.ReadFile(filepath.Join(dir, "matrix.html")); err != nil || !bytes.Contains(content, []byte("</html>")) {
		t.Errorf("matrix.html is cut: %v", err)
	}
}

// TestSignals ends a scan at many moments: the status says so, and what is
// written is whole and says whether it is all.
func TestSignals(t *testing.T) {
	inventory := quiet(t, 8, 40*time.Millisecond)
	interrupted := 0
	for i := range 12 {
		signal := []os.Signal{os.Interrupt, syscall.SIGTERM}[i%2]
		moment := time.Duration(20+i*40) * time.Millisecond
		out := t.TempDir()
		cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "-i", inventory, "-o", out, "-f", "json,csv,html", "--fail-on", "never", "--concurrency", "4", "--probe", "basic")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(moment) // the moment is the test's subject
		_ = cmd.Process.Signal(signal)
		err := cmd.Wait()
		_, wrote := os.Stat(filepath.Join(out, "matrix.json"))
		switch code := status(err); {
		case code == 130:
			interrupted++
		case code == -1 && wrote != nil: // before the command could listen
			continue
		case err != nil:
			t.Errorf("%v after %s: %v", signal, moment, err)
			continue
		}
		whole(t, out)
		content, _ := os.ReadFile(filepath.Join(out, "matrix.json"))
		var m struct {
			Complete bool
			Rows     []json.RawMessage
		}
		if json.Unmarshal(content, &m) != nil || m.Complete != (len(m.Rows) == 16) {
			t.Errorf("%d rows, complete %v", len(m.Rows), m.Complete)
		}
	}
	if interrupted < 3 {
		t.Errorf("only %d scans were interrupted", interrupted)
	}
}

// TestSecondSignal: who asks twice does not wait.
func TestSecondSignal(t *testing.T) {
	inventory := quiet(t, 2, time.Minute)
	cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "-i", inventory, "-o", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for time.Since(began) < 10*time.Second && cmd.Process.Signal(os.Interrupt) == nil {
		time.Sleep(20 * time.Millisecond)
		var ended syscall.WaitStatus
		if pid, _ := syscall.Wait4(cmd.Process.Pid, &ended, syscall.WNOHANG, nil); pid == cmd.Process.Pid {
			return
		}
	}
	_ = cmd.Process.Kill()
	t.Error("two signals do not end it")
}

// TestKilled kills the command while it writes: the reports of before are
// there and whole, or the new ones are.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.json")
	rows := make([]string, 3000)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"registry":"r%d","url":"https://r","image":"a","labels":{},"severity":"pass","referrers":"supported","strategy":"referrers-api","confidence":"likely","reason":"referrers-empty","detail":"d","remedy":[],"requests":2,"duration_ms":1}`, i)
	}
	text := `{"schema":"refmatrix/v1","tool":{"name":"refmatrix","version":"x"},"started":"2026-11-23T06:00:00Z","finished":"2026-11-23T06:00:01Z","complete":true,"rows":[` + strings.Join(rows, ",") + `]}`
	if err := os.WriteFile(big, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	render := func() *exec.Cmd {
		return exec.Command(os.Getenv("REFMATRIX"), "report", big, "-f", "json,csv,html", "-o", out)
	}
	if output, err := render().CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	killed := 0
	for i := range 20 {
		cmd := render()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+i*12) * time.Millisecond) // the moment is the test's subject
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			killed++
		}
		whole(t, out)
	}
	if killed < 3 {
		t.Errorf("only %d runs were killed in time", killed)
	}
	document(t, "lost", "Reports lost to SIGKILL, signals, a full disk or a folder used twice: 0.\n")
}

// TestFullDisk writes into a file system without room: the status says so,
// and the report of before is whole.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=96k"); err != nil {
		t.Logf("no file system can be mounted here (%v); TestWriteWholeOrNot plays a full disk with a writer that fails", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	inventory := quiet(t, 2, 0)
	scan := func() (string, error) {
		output, err := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "-i", inventory, "-o", dir, "-f", "json,csv", "--fail-on", "never").CombinedOutput()
		return string(output), err
	}
	if output, err := scan(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	before, err := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 96<<10), 0o600) // as much as there is
	output, err := scan()
	after, _ := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if status(err) != 3 || !strings.Contains(output, "no space left") || !bytes.Equal(before, after) {
		t.Errorf("status %d, the report is the same: %v\n%s", status(err), bytes.Equal(before, after), output)
	}
}

// TestTwoAtOnce: two scans into one folder leave whole reports and both in the
// history.
func TestTwoAtOnce(t *testing.T) {
	inventory, out := quiet(t, 4, 5*time.Millisecond), t.TempDir()
	var commands []*exec.Cmd
	for range 4 {
		cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "-i", inventory, "-o", out, "-f", "json,csv,html", "--fail-on", "never")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		commands = append(commands, cmd)
	}
	for _, cmd := range commands {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	whole(t, out)
	if kept, _ := filepath.Glob(filepath.Join(out, "history", "*.json.gz")); len(kept) != 4 {
		t.Errorf("%d scans in the history", len(kept))
	}
}

// TestPoorSurroundings: few files, no name server, no authorities, a folder
// that cannot be written, a reader that leaves early. What can be reached is
// measured right, and what cannot has its reason.
func TestPoorSurroundings(t *testing.T) {
	inventory := quiet(t, 60, 20*time.Millisecond)
	secured := serveHTTP(t, 199, tlsConfig(t, newAuthority(t), 199, nil, false), func(*server) http.HandlerFunc { return http.NotFound })
	for _, test := range []struct {
		name, script, says string
		status             int
		reason             string // of every row; empty where no report is written
	}{
		{"64 files", `ulimit -n 64; exec "$REFMATRIX" scan -i "$INVENTORY" -o "$OUT" --progress none`, "probing 10 images at once and not 64", 0, "not-found"},
		{"no authorities", noAuthorities + ` exec "$REFMATRIX" scan -i "$INVENTORY" -o "$OUT" --progress none`, "120 of 120 images", 0, "not-found"},
		{"no authorities, https", `printf 'version: 1\nregistries: [{url: "` + secured.origin + `", images: [a]}]\n' | ` + noAuthorities + ` "$REFMATRIX" scan -i - -o "$OUT" --progress none`, "unknown authority", 1, "tls"},
		{"a reader that leaves", `set +o pipefail; "$REFMATRIX" scan -i "$INVENTORY" -o "$OUT" --progress none | head -n 1`, "60 registries: 60 do not", 0, "not-found"},
		{"a name nobody has", nobody + ` | "$REFMATRIX" scan -i - -o "$OUT" --progress none`, "FAIL nobody.invalid 1 unknown", 1, "dns"},
		// A mount namespace of its own gives it a name server that is not there;
		// where none can be made, there is the name that nobody has.
		{"no name server", `echo "nameserver 127.77.0.254" >"$OUT/resolv.conf"
			` + nobody + ` >"$OUT/inventory.yaml"
			run='"$REFMATRIX" scan -i "$OUT/inventory.yaml" -o "$OUT" --progress none'
			unshare -m true 2>/dev/null || eval "exec $run"
			exec unshare -m sh -c "mount --bind $OUT/resolv.conf /etc/resolv.conf && $run"`, "FAIL nobody.invalid 1 unknown", 1, "dns"},
		{"a folder that cannot be written", `exec "$REFMATRIX" scan -i "$INVENTORY" -o /proc/reports --progress none`, "choose another with -o", 3, ""},
	} {
		out := t.TempDir()
		cmd := exec.Command("bash", "-o", "pipefail", "-c", test.script)
		cmd.Env = append(os.Environ(), "INVENTORY="+inventory, "OUT="+out)
		output, err := cmd.CombinedOutput()
		unwrapped := strings.Join(strings.Fields(string(output)), " ")
		if status(err) != test.status || !strings.Contains(unwrapped, test.says) || strings.Contains(string(output), "panic") {
			t.Errorf("%s: status %d, want %d\n%.600s", test.name, status(err), test.status, output)
			continue
		}
		if test.reason == "" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(out, "matrix.json"))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		all, right := bytes.Count(content, []byte(`"registry":`)), bytes.Count(content, []byte(`"reason":"`+test.reason+`"`))
		if all == 0 || right != all {
			t.Errorf("%s: %d of %d rows are %s", test.name, right, all, test.reason)
		}
	}
}

// noAuthorities is the environment of a machine without a CA bundle.
const noAuthorities = `SSL_CERT_FILE=/nonexistent SSL_CERT_DIR=/nonexistent`

// nobody prints an inventory of a host that does not exist (RFC 6761, section 6.4).
const nobody = `printf 'version: 1\nregistries: [{url: "https://nobody.invalid", images: [a], retries: 0}]\n'`

// TestHelperArguments: a credential helper is run without a shell, and its
// arguments hold no secret.
func TestHelperArguments(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline >\"$SEEN\"\ncat >>\"$SEEN\"\necho '{\"Username\":\"robot\",\"Secret\":\"canary-of-the-helper\"}'\n"
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-canary"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := serveHTTP(t, 0, nil, func(s *server) http.HandlerFunc { return signedIn(s, http.NotFound) })
	inventory := filepath.Join(dir, "inventory.yaml")
	if err := os.WriteFile(inventory, []byte("version: 1\nregistries: [{url: '"+s.origin+"', images: [a], auth: {helper: canary}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-v", "-i", inventory, "-o", filepath.Join(dir, "out"), "-f", "all")
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SEEN="+filepath.Join(dir, "seen"))
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	host, _, _ := net.SplitHostPort(strings.TrimPrefix(s.origin, "http://"))
	if err != nil || !strings.Contains(string(seen), "get") || !strings.Contains(string(seen), host) {
		t.Errorf("the helper saw %q, %v", seen, err)
	}
	if strings.Contains(string(output)+string(seen), "canary-of-the-helper") || !strings.Contains(s.heard(), "Authorization: Basic") {
		t.Errorf("%s\n%s", output, seen)
	}
}
