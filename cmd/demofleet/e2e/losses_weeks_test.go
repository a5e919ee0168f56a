package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"refmatrix/cmd/demofleet/fleet"
)

// linkRow is a row of matrix.json as far as links are judged.
type linkRow struct {
	Registry string
	Digest   string
	Reason   string
	Strategy string
	Links    *rowLinks
	Coverage map[string]string
	Lacking  map[string][]string
	Lost     []lostLink
}

// rowLinks is what a row has under links.
type rowLinks struct {
	Total     int
	ByKind    map[string]int `json:"by_kind"`
	ByPlace   map[string]int `json:"by_place"`
	Asked     []string
	Platforms []struct {
		Platform, Digest string
		Asked            []string
	}
	Items []struct {
		Digest, Kind, Subject, Platform string
		Where                           []string
	}
}

// lostLink is one of the losses of a row.
type lostLink struct {
	Digest, Kind, Subject, Platform string
	Since                           time.Time
	Replaced                        bool
}

// weeks is one output directory in which images are scanned again and again, as cron does.
type weeks struct {
	t        *testing.T
	out      string
	entries  string // of the inventory
	baseline string // what is compared with, "latest" or a file
}

// newWeeks has images of one registry scanned. more is what its inventory entry has beside.
func newWeeks(t *testing.T, name, url, images, more string) *weeks {
	t.Helper()
	w := &weeks{t: t, out: t.TempDir(), baseline: "latest"}
	w.add(name, url, images, more)
	return w
}

// add has images of a further registry scanned.
func (w *weeks) add(name, url, images, more string) {
	w.entries += fmt.Sprintf("  - {name: %q, url: '%s', images: [%s], rate: 0, retries: 0, auth: {anonymous: true}%s}\n",
		name, url, images, more)
}

// newSignedWeeks has the image fleet.Signed scanned at a registry of the fleet.
func newSignedWeeks(t *testing.T, f *fleet.Fleet, registry string) *weeks {
	t.Helper()
	return newWeeks(t, registry, find(t, f, registry).URL, fleet.Signed+":"+fleet.SignedTag, "")
}

// scan scans with the last scan as the baseline, and returns the image's row. status is the exit
// status that --fail-on lost must end it with.
func (w *weeks) scan(status int) linkRow {
	w.t.Helper()
	return w.scanFor(status, "lost")
}

// scanFor is scan with gates of its own.
func (w *weeks) scanFor(status int, gates string) linkRow {
	w.t.Helper()
	rows := w.scanAll(status, gates)
	if len(rows) != 1 {
		w.t.Fatalf("%d rows, want 1", len(rows))
	}
	return rows[0]
}

// scanAll is scanFor with the rows of all images.
func (w *weeks) scanAll(status int, gates string) []linkRow {
	w.t.Helper()
	cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "--links", "-f", "json", "-i", "-", "-o", w.out,
		"--baseline", w.baseline, "--fail-on", gates)
	cmd.Stdin = strings.NewReader("version: 1\nregistries:\n" + w.entries)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+w.out)
	output, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		w.t.Errorf("exit status %d of --fail-on %s, want %d: %v\n%s", got, gates, status, err, output)
	}
	content, err := os.ReadFile(filepath.Join(w.out, "matrix.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	var m struct{ Rows []linkRow }
	if err := json.Unmarshal(content, &m); err != nil {
		w.t.Fatal(err)
	}
	return m.Rows
}

// history returns the scans that were kept, the oldest first.
func (w *weeks) history() []string {
	w.t.Helper()
	scans, err := filepath.Glob(filepath.Join(w.out, "history", "*.json.gz"))
	if err != nil {
		w.t.Fatal(err)
	}
	return scans
}

// moments are the times that a stored scan has.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)

// pass makes every scan so far a week older.
func (w *weeks) pass() {
	w.t.Helper()
	const fileName = "20060102T150405.000Z.json.gz" // of a scan in history, by its start
	for _, path := range w.history() {
		began, err := time.Parse(fileName, filepath.Base(path))
		if err != nil {
			w.t.Fatal(err)
		}
		older := moments.ReplaceAllFunc(w.decompress(path), func(moment []byte) []byte {
			at, err := time.Parse(time.RFC3339Nano, string(moment))
			if err != nil {
				w.t.Fatal(err)
			}
			return at.AddDate(0, 0, -7).AppendFormat(nil, time.RFC3339Nano)
		})
		w.compress(filepath.Join(filepath.Dir(path), began.AddDate(0, 0, -7).Format(fileName)), older)
		if err := os.Remove(path); err != nil {
			w.t.Fatal(err)
		}
	}
}

// decompress returns the text of a scan in the history.
func (w *weeks) decompress(path string) []byte {
	w.t.Helper()
	file, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		w.t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		w.t.Fatal(err)
	}
	return content
}

// compress writes the text of a scan into the history.
func (w *weeks) compress(path string, content []byte) {
	w.t.Helper()
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	_, err := z.Write(content)
	if err := errors.Join(err, z.Close(), os.WriteFile(path, compressed.Bytes(), 0o600)); err != nil {
		w.t.Fatal(err)
	}
}
