package hostile

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var wholeCrowd = flag.Bool("crowd", false,
	"TestCrowd with 200 hostile registries beside 20 good ones, instead of one of each sort beside 6")

// The bounds that hold however many registries are hostile (SECURITY.md).
const (
	crowdData   = 512 << 10 // KiB of memory that the process may ask for
	crowdMemory = 256 << 20 // bytes in memory at the peak
	crowdRow    = 256 << 10 // bytes of JSON of one row
)

// crowdImages are the images of each entry: two repositories are two scopes, and
// so two tokens.
var crowdImages = []string{"team/app", "tools/cli"}

// member is one registry of the crowd.
type member struct {
	name  string
	wants []string // reasons that are right
	good  bool
}

// TestCrowd scans good registries among hostile ones that are there to use up
// memory and time. The good ones are measured right, the process stays within its
// memory, and every report is written.
func TestCrowd(t *testing.T) {
	hostile, good, most := len(costly)+len(encodings)+len(linked), 6, 3*time.Minute
	if *wholeCrowd {
		hostile, good, most = 200, 20, 15*time.Minute
	}
	dir := t.TempDir()
	crowd, inventory := startCrowd(t, dir, hostile, good)
	out := filepath.Join(dir, "out")
	environment := append(os.Environ(), "DOCKER_CONFIG="+dir)
	used := runBounded(t, crowdData, most, environment,
		"scan", "-q", "-i", inventory, "-o", out, "-f", "all", "--probe", "full", "--links", "--progress", "none")
	peak := float64(used.Peak) / (1 << 20)
	t.Logf("crowd: %d hostile and %d good registries, %.1f s wall, %.1f MB peak", hostile, good, used.wall.Seconds(), peak)
	if used.Status != 1 { // rows at or above --fail-on fail
		t.Fatalf("exit status %d\n%.4000s", used.Status, used.output)
	}
	if used.Peak >= crowdMemory {
		t.Errorf("%.1f MB in memory at the peak, over %d MB", peak, crowdMemory>>20)
	}
	judgeReports(t, out)
	judgeCrowd(t, filepath.Join(out, "matrix.json"), crowd)
}

// startCrowd starts the servers and writes the inventory. The good registries stand
// among the hostile ones, as far apart as they can.
func startCrowd(t *testing.T, dir string, hostile, good int) ([]member, string) {
	t.Helper()
	a := newAuthority(t)
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), a.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "version: 1\ndefaults: {images: [%s], rate: 0, tls: {caFile: ca.pem}, auth: {username: robot, password: %s}}\n",
		strings.Join(crowdImages, ", "), goodPassword)
	text.WriteString("registries:\n")
	var crowd []member
	sorts := slices.Concat(linked, costly, encodings)
	for n := range hostile {
		for len(crowd)-n < good && (len(crowd)-n)*hostile <= n*good {
			one := goodRegistry(len(crowd) - n)
			origin := one.start(t, len(crowd), a).origin
			fmt.Fprintf(&text, "  - {name: '%s', url: '%s'%s}\n", one.name, origin, one.settings())
			crowd = append(crowd, member{name: one.name, wants: []string{one.want()}, good: true})
		}
		one := sorts[n%len(sorts)]
		own, _ := one.start(t, len(crowd), a)
		limits := ", timeout: 5s, retries: 0"
		// Defaults are three times 10 s, too long for the short form where all of
		// it is used up.
		if n%10 == 9 && (*wholeCrowd || !strings.Contains(one.want, "timeout")) {
			limits = ""
		}
		name := fmt.Sprintf("hostile %d: %s", n, one.name)
		fmt.Fprintf(&text, "  - {name: '%s', url: '%s'%s}\n", name, own.origin, limits)
		crowd = append(crowd, member{name: name, wants: lateReasons(one)})
	}
	path := filepath.Join(dir, "inventory.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return crowd, path
}

// lateReasons are the reasons that are right for a costly registry on a busy machine,
// where what is long may run into its timeout, at the token service too. A server of
// HTTP/2 closes a connection that is not set up within 2 s.
func lateReasons(b behaviour) []string {
	wants := append(strings.Fields(b.want), "timeout")
	if slices.Contains(wants, "ignores-digest") { // the question that shows it may not be answered in time
		wants = append(wants, "referrers-listed")
	}
	switch {
	case strings.HasPrefix(b.name, "token: "):
		wants = append(wants, "token-error")
	case strings.HasSuffix(b.name, "HTTP/2"):
		wants = append(wants, "protocol")
	}
	return wants
}

// judgeCrowd judges each row: its reason, and how much JSON it is.
func judgeCrowd(t *testing.T, path string, crowd []member) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Complete bool
		Rows     []json.RawMessage
	}
	if err := json.Unmarshal(content, &m); err != nil || !m.Complete {
		t.Fatalf("matrix.json is complete: %v, %v", m.Complete, err)
	}
	if len(m.Rows) != len(crowd)*len(crowdImages) {
		t.Fatalf("%d rows of %d registries", len(m.Rows), len(crowd))
	}
	wrong, largest, of := 0, 0, ""
	for i, raw := range m.Rows {
		var one row
		var compact bytes.Buffer
		if err := errors.Join(json.Unmarshal(raw, &one), json.Compact(&compact, raw)); err != nil {
			t.Fatal(err)
		}
		if compact.Len() > largest {
			largest, of = compact.Len(), one.Registry
		}
		if compact.Len() > crowdRow {
			t.Errorf("%s %s: %d bytes of JSON, over %d", one.Registry, one.Image, compact.Len(), crowdRow)
		}
		who := crowd[i/len(crowdImages)]
		if one.Registry == who.name && slices.Contains(who.wants, one.Reason) {
			continue
		}
		if who.good {
			wrong++
		}
		t.Errorf("%s %s: %s (%.200s), want %s of %s", one.Registry, one.Image, one.Reason, one.Detail, who.wants, who.name)
	}
	t.Logf("crowd: %d wrong verdicts of good registries, the largest row is %d bytes of JSON, of %s", wrong, largest, of)
}

// judgeReports fails where a report of -f all is not there or cannot be read.
func judgeReports(t *testing.T, dir string) {
	t.Helper()
	whole(t, dir)
	for name, judge := range map[string]func([]byte) error{
		"matrix.csv":       func(b []byte) error { _, err := csv.NewReader(bytes.NewReader(b)).ReadAll(); return err },
		"matrix.junit.xml": readXML,
		"matrix.md": func(b []byte) error {
			if !bytes.HasPrefix(b, []byte("# ")) {
				return fmt.Errorf("begins with %.20q", b)
			}
			return nil
		},
		"refmatrix.prom": readMetrics,
	} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = judge(content)
		}
		if err != nil || len(content) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(content), err)
		}
	}
}

func readXML(text []byte) error {
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := decoder.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// readMetrics reads the text format of Prometheus as far as lines go: a comment, or
// a sample with its value behind the last space.
func readMetrics(text []byte) error {
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		value := line[strings.LastIndexByte(line, ' ')+1:]
		var number float64
		if _, err := fmt.Sscan(value, &number); err != nil && !strings.HasPrefix(line, "#") {
			return fmt.Errorf("%.80q: %w", line, err)
		}
	}
	return nil
}
