// Package e2e runs the built command, $REFMATRIX, over the demo fleet.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"refmatrix/cmd/demofleet/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, unstoppable) }

// unstoppable is the one goroutine that each Distribution leaves: its App
// starts a broadcaster of events and has no way to close it.
var unstoppable = goleak.IgnoreTopFunction("github.com/docker/go-events.(*Broadcaster).run")

// row is as much of a matrix.json row as the table below needs; the test reads
// the file as any other program would.
type row struct {
	Registry   string `json:"registry"`
	Image      string `json:"image"`
	Severity   string `json:"severity"`
	Strategy   string `json:"strategy"`
	Reason     string `json:"reason"`
	Confidence string `json:"confidence"`
	Requests   int    `json:"requests"`
	Clients    map[string]struct {
		Push string `json:"push"`
	} `json:"clients"`
	Capabilities struct {
		Filter        string   `json:"filter"`
		AbsentSubject string   `json:"absent_subject"`
		CosignTags    []string `json:"cosign_tags"`
		CosignListed  []string `json:"cosign_listed"`
		Descriptors   int      `json:"descriptors"`
		TagSchema     struct {
			State       string `json:"state"`
			Descriptors int    `json:"descriptors"`
		} `json:"tag_schema"`
		Push struct {
			Strategy     string   `json:"strategy"`
			OCISubject   bool     `json:"oci_subject"`
			SubjectLater bool     `json:"subject_later"`
			LeftBehind   []string `json:"left_behind"`
		} `json:"push"`
	} `json:"capabilities"`
	Product struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"product"`
	Coverage map[string]string   `json:"coverage"`
	Lacking  map[string][]string `json:"lacking"`
}

func start(t *testing.T, o fleet.Options) (*fleet.Fleet, string) {
	t.Helper()
	o.Dir = t.TempDir()
	f, err := fleet.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	inventory, err := f.WriteInventory()
	if err != nil {
		t.Fatal(err)
	}
	return f, inventory
}

// refmatrix runs the built command, $REFMATRIX, and returns its output
// directory.
func refmatrix(t *testing.T, args ...string) string {
	t.Helper()
	binary := os.Getenv("REFMATRIX")
	if binary == "" {
		t.Fatal("REFMATRIX names no binary: run the tests with make test")
	}
	out := t.TempDir()
	cmd := exec.Command(binary, append(args, "-o", out)...)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+out)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("refmatrix %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return out
}

func rows(t *testing.T, dir string) map[string]row {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "matrix.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []row }
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	out := map[string]row{}
	for _, r := range m.Rows {
		out[r.Registry+" "+r.Image] = r
	}
	return out
}

// TestVerdicts: every implementation gets the verdict and capabilities that
// it has, and the write probe leaves nothing behind.
func TestVerdicts(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	got := rows(t, refmatrix(t, "scan", "-q", "-i", inventory, "--probe", "full", "--write-probe", "--fail-on", "never"))
	const linked, bare, platforms = "library/alpine:latest", "team/app:1.0", "team/platforms:1.0"
	// registry image: severity strategy reason confidence | filter absent tag(links) | push subject-later
	want := map[string]string{
		"distribution-anonymous " + linked: "warn referrers-tag not-found proven |   index(2) | referrers-tag true",
		"distribution-anonymous " + bare:   "warn referrers-tag not-found proven |   absent(0) | referrers-tag true",
		"distribution-basic " + linked:     "warn referrers-tag not-found proven |   index(2) | referrers-tag true",
		"distribution-basic " + bare:       "warn referrers-tag not-found proven |   absent(0) | referrers-tag true",
		"distribution-token " + linked:     "warn referrers-tag not-found proven |   index(2) | referrers-tag true",
		"distribution-token " + bare:       "warn referrers-tag not-found proven |   absent(0) | referrers-tag true",
		"olareg " + linked:                 "pass referrers-api referrers-listed proven | announced empty-index absent(0) | referrers-api true",
		"olareg " + bare:                   "pass referrers-api referrers-empty proven | unseen empty-index absent(0) | referrers-api true",
		"ggcr-referrers " + linked:         "pass referrers-api referrers-listed proven | ignored empty-index index(2) | dual true",
		"ggcr-referrers " + bare:           "pass referrers-api referrers-empty proven | unseen empty-index absent(0) | dual true",
		"ggcr-referrers " + platforms:      "pass referrers-api referrers-listed proven | ignored empty-index index(2) | dual true",
		"ggcr-tags " + linked:              "warn referrers-tag not-found proven |   index(2) | referrers-tag true",
		"ggcr-tags " + bare:                "warn referrers-tag not-found proven |   absent(0) | referrers-tag true",
		"ocimem " + linked:                 "pass referrers-api referrers-listed proven | announced empty-index absent(0) | referrers-api true",
		"ocimem " + bare:                   "pass referrers-api referrers-empty proven | announced empty-index absent(0) | referrers-api true",
		"olareg-tls " + linked:             "pass referrers-api referrers-listed proven | announced empty-index absent(0) | referrers-api true",
		"olareg-tls " + bare:               "pass referrers-api referrers-empty proven | unseen empty-index absent(0) | referrers-api true",
		"down " + linked:                   "fail unknown connect assumed |   (0) |  false",
		"missing library/absent:1":         "info unknown image-not-found assumed |   (0) |  false",
	}
	for name, words := range want {
		r, ok := got[name]
		if !ok {
			t.Errorf("%s has no row", name)
			continue
		}
		c := r.Capabilities
		have := fmt.Sprintf("%s %s %s %s | %s %s %s(%d) | %s %v", r.Severity, r.Strategy, r.Reason, r.Confidence,
			c.Filter, c.AbsentSubject, c.TagSchema.State, c.TagSchema.Descriptors, c.Push.Strategy, c.Push.SubjectLater)
		if have != words {
			t.Errorf("%s:\n got %s\nwant %s", name, have, words)
		}
		if len(c.Push.LeftBehind) > 0 {
			t.Errorf("%s: left behind %q", name, c.Push.LeftBehind)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	checkCoverage(t, got)
	if tags := got["ggcr-tags "+linked].Capabilities.CosignTags; strings.Join(tags, " ") != ".sig .att" {
		t.Errorf("cosign tags %q", tags)
	}
	for _, r := range f.Registries() {
		if r.Down || r.Image != "" {
			continue
		}
		if left, err := f.Manifests(context.Background(), r, fleet.Scratch); err != nil || left != 0 {
			t.Errorf("%s: %d manifests in the scratch repository, %v", r.Name, left, err)
		}
	}
}

// TestWholeFleet: the scan of everyday and difficult registries ends with a row for each, and not as one that could not
// begin or could not write (exit status 2 and 3). The rows name the products that show themselves.
func TestWholeFleet(t *testing.T) {
	f, inventory := start(t, fleet.Options{Difficult: true})
	out := t.TempDir()
	cmd := exec.Command(os.Getenv("REFMATRIX"), "scan", "-q", "-i", inventory, "--probe", "full", "--write-probe", "-f", "all", "-o", out)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+out)
	output, err := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != 0 && status != 1 {
		t.Fatalf("exit status %d, %v\n%s", status, err, output)
	}
	products := map[string]string{
		"harbor":          "Harbor",
		"harbor-proxy":    "Harbor",
		"harbor-policy":   "Harbor",
		"harbor-absent":   "Harbor",
		"harbor-password": "Harbor",
		"gitea":           "Gitea 1.26.0",
		"zot":             "zot",
	}
	measured := map[string]bool{}
	for _, r := range rows(t, out) {
		measured[r.Registry] = true
		if got := strings.TrimSpace(r.Product.Name + " " + r.Product.Version); got != products[r.Registry] {
			t.Errorf("%s of %s is %q, want %q", r.Image, r.Registry, got, products[r.Registry])
		}
	}
	for _, r := range f.Registries() {
		if !measured[r.Name] {
			t.Errorf("%s has no row", r.Name)
		}
	}
}

// TestDifficultPushes: what became of the write probe's artifact decides in the row, and so
// does the list of a digest that cannot exist.
func TestDifficultPushes(t *testing.T) {
	_, inventory := start(t, fleet.Options{Difficult: true})
	const linked, signed = "library/alpine:latest", "team/signed:1.0"
	// registry image: severity strategy reason | push | what oras comes to when it attaches
	want := map[string]string{
		"ociserver-no-api " + linked:    "warn referrers-tag not-found | lost | nothing-found",
		"ociclient-proxy " + linked:     "warn referrers-tag referrers-listed | lost | nothing-found",
		"ocifilter-read-only " + linked: "pass referrers-api referrers-listed | refused | error",
		"olareg-read-only " + linked:    "pass referrers-api referrers-listed | refused | error",
		"distribution-proxy " + linked:  "warn referrers-tag not-found | refused | error",
		"empty-always " + linked:        "warn referrers-tag referrers-empty | referrers-tag | tag",
		"harbor " + signed:              "pass referrers-api referrers-listed | referrers-api | api",
		"harbor-proxy " + signed:        "pass referrers-api referrers-empty | refused | error",
		"ignores-digest " + linked:      "warn referrers-tag ignores-digest | referrers-api | api",
	}
	args := []string{"scan", "-q", "-i", inventory, "--probe", "full", "--write-probe", "--fail-on", "never"}
	for name := range want {
		registry, _, _ := strings.Cut(name, " ")
		args = append(args, "--only", registry)
	}
	got := rows(t, refmatrix(t, args...))
	for name, text := range want {
		r := got[name]
		have := fmt.Sprintf("%s %s %s | %s | %s", r.Severity, r.Strategy, r.Reason, r.Capabilities.Push.Strategy, r.Clients["oras"].Push)
		if have != text {
			t.Errorf("%s:\n got %s\nwant %s", name, have, text)
		}
	}
	if c := got["harbor "+signed].Capabilities; strings.Join(c.CosignListed, " ") != ".sig" || c.Descriptors < 1 {
		t.Errorf("of %d descriptors of harbor these are cosign's: %q", c.Descriptors, c.CosignListed)
	}
}

// TestRequests counts on the server's side what each depth costs.
func TestRequests(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	// Two images of two repositories: a token registry grants a token for each, and refuses one unsigned request.
	// olareg is asked for the missing image, too. At standard depth a registry with the API
	// is asked once for a digest that cannot exist.
	want := map[string]map[string]int{
		"basic":    {"distribution-anonymous": 4, "distribution-basic": 5, "distribution-token": 7, "olareg": 4 + 2, "ocimem": 4},
		"standard": {"distribution-anonymous": 6, "distribution-basic": 7, "distribution-token": 9, "olareg": 9 + 2, "ocimem": 9},
		"full":     {"distribution-anonymous": 12, "distribution-basic": 13, "distribution-token": 15, "olareg": 20 + 2, "ocimem": 20},
	}
	for depth, counts := range want {
		f.ClearRequests()
		refmatrix(t, "scan", "-q", "-i", inventory, "--probe", depth, "--fail-on", "never")
		for name, n := range counts {
			if got := len(f.Requests(name)); got != n {
				t.Errorf("%s at depth %s: %d requests, want %d: %+v", name, depth, got, n, f.Requests(name))
			}
		}
	}
}

// TestSameBytes: two runs over the same fleet differ in times and nothing else.
func TestSameBytes(t *testing.T) {
	_, inventory := start(t, fleet.Options{})
	// olareg 0.1.2 leaves OCI-Filters-Applied out where it answers from its
	// cache: its answers are the same from the second run on.
	refmatrix(t, "scan", "-q", "-i", inventory, "--fail-on", "never")
	var before []string
	for range 2 {
		dir := refmatrix(t, "scan", "-q", "-i", inventory, "--fail-on", "never")
		var now []string
		for _, name := range []string{"matrix.csv", "matrix.md"} {
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			now = append(now, withoutTimes(name, string(content)))
		}
		if before != nil && strings.Join(before, "\n") != strings.Join(now, "\n") {
			t.Errorf("%s\n\n%s", before, now)
		}
		before = now
	}
}

// withoutTimes drops the column duration_ms and the closing line.
func withoutTimes(name, content string) string {
	var out []string
	for _, line := range strings.Split(content, "\n") {
		cells := strings.Split(line, ",")
		if name == "matrix.csv" && len(cells) > 17 {
			line = strings.Join(append(cells[:17], cells[18:]...), ",")
		}
		if !strings.HasPrefix(line, "Measured by refmatrix ") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
