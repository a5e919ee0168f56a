package hostile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// craftedLinks is an image with links that are crafted, and what is right to say of them.
type craftedLinks struct {
	name     string
	registry func() *crafted

	total    int           // of links.total; unsure = more than one is right
	kinds    string        // of links.by_kind, as "sbom 3 signature 1"; "*" = more than one is right
	covered  string        // right coverages of signature and of SBOM: "present; absent unknown"
	unread   string        // places of the image that must not count as read, separated by spaces
	requests int           // that the server may get at the most
	says     string        // a finding that the row must have
	timeout  time.Duration // of the entry; 0 = so long that a busy machine does not reach it
	most     time.Duration // that the row may take; 0 = not judged
}

// unsure is a number of links that is not judged.
const unsure = -1

// hostileStrings are the images whose strings explain must clean.
var hostileStrings = []string{
	"types that a terminal obeys", "platforms without a name, and with hostile ones", "types and platforms that are the password",
}

// rowOfLinks is a row as far as links are judged.
type rowOfLinks struct {
	Registry string
	Reason   string
	Links    *struct {
		Total     int
		ByKind    map[string]int `json:"by_kind"`
		Asked     []string
		Platforms []struct{ Platform, Digest string }
		Items     []struct{ Digest, Kind, Subject, Platform string }
	}
	Coverage   map[string]string
	Lost       []any
	Findings   []struct{ Code string }
	DurationMS float64 `json:"duration_ms"`
}

// TestCraftedLinks scans registries that lie about what is attached, or list more than anybody
// can read. Nothing is absent that was not read, nothing is lost from one scan to the next, and
// the scan ends within its bounds.
func TestCraftedLinks(t *testing.T) {
	dir := t.TempDir()
	var inventory strings.Builder
	fmt.Fprintf(&inventory, "version: 1\ndefaults: {images: [team/app], rate: 0, retries: 0, "+
		"require: [signature, sbom], auth: {username: robot, password: %s}}\nregistries:\n", goodPassword)
	servers := make([]*server, len(links))
	for n, one := range links {
		servers[n] = one.registry().start(t, n)
		fmt.Fprintf(&inventory, "  - {name: %q, url: '%s', timeout: %s}\n", one.name, servers[n].origin, cmp.Or(one.timeout, time.Minute))
	}
	path, out := filepath.Join(dir, "inventory.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(path, []byte(inventory.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for week := range 2 {
		used := runBounded(t, crowdData, 2*time.Minute, append(os.Environ(), "DOCKER_CONFIG="+dir),
			"scan", "-q", "-i", path, "-o", out, "-f", "all", "--baseline", "latest", "--fail-on", "lost")
		peak := float64(used.Peak) / (1 << 20)
		t.Logf("week %d: %.1f s, %.1f MB at the peak", week+1, used.wall.Seconds(), peak)
		if used.Status != 0 {
			t.Errorf("exit status %d, want 0: nothing is lost\n%.2000s", used.Status, used.output)
		}
		if used.Peak >= crowdMemory {
			t.Errorf("%.1f MB in memory at the peak, over %d MB", peak, crowdMemory>>20)
		}
		judgeReports(t, out)
		judgeUnleaked(t, out, used.output)
		for n, raw := range rawRows(t, filepath.Join(out, "matrix.json")) {
			t.Run(fmt.Sprintf("%s/%d", links[n].name, week+1), func(t *testing.T) {
				judgeLinks(t, &links[n], raw, len(servers[n].asked())/(week+1))
			})
		}
	}
	for _, registry := range hostileStrings {
		judgeExplained(t, dir, path, registry)
	}
}

// judgeExplained has explain show the exchanges of a registry whose strings are hostile.
func judgeExplained(t *testing.T, dir, inventory, registry string) {
	t.Helper()
	cmd := exec.Command(os.Getenv("REFMATRIX"), "explain", "--links", "--curl", "-i", inventory, registry)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+dir)
	output, err := cmd.CombinedOutput()
	if err != nil || len(output) == 0 {
		t.Errorf("explain %q: %v, %d bytes", registry, err, len(output))
	}
	judgeUnleaked(t, t.TempDir(), string(output))
}

// rawRows returns the rows of a matrix.json.
func rawRows(t *testing.T, path string) []json.RawMessage {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Rows []json.RawMessage }
	if err := json.Unmarshal(content, &m); err != nil || len(m.Rows) != len(links) {
		t.Fatalf("%d rows of %d images, %v", len(m.Rows), len(links), err)
	}
	return m.Rows
}

// judgeUnleaked fails if a report has the password of the entries, or what a terminal obeys.
func judgeUnleaked(t *testing.T, dir, printed string) {
	t.Helper()
	places := filesIn(t, dir)
	places["the terminal"] = printed
	for place, text := range places {
		for _, form := range forms(goodPassword) {
			if strings.Contains(text, form) {
				t.Errorf("the password is in %s", place)
			}
		}
		if strings.ContainsAny(text, "\x1b\x07\u202e") {
			t.Errorf("control characters are in %s", place)
		}
	}
}

func judgeLinks(t *testing.T, one *craftedLinks, raw json.RawMessage, requests int) {
	t.Helper()
	var r rowOfLinks
	var compact bytes.Buffer
	if err := errors.Join(json.Unmarshal(raw, &r), json.Compact(&compact, raw)); err != nil {
		t.Fatal(err)
	}
	if compact.Len() > crowdRow {
		t.Errorf("%d bytes of JSON, over %d", compact.Len(), crowdRow)
	}
	if requests > one.requests {
		t.Errorf("%d requests, want %d at the most", requests, one.requests)
	}
	if took := time.Duration(r.DurationMS * float64(time.Millisecond)); one.most > 0 && took > one.most {
		t.Errorf("the row took %s, over %s", took, one.most)
	}
	if len(r.Lost) > 0 {
		t.Errorf("lost %v, want nothing", r.Lost)
	}
	signature, sbom, _ := strings.Cut(one.covered, "; ")
	for kind, right := range map[string]string{"signature": signature, "sbom": sbom} {
		if !slices.Contains(strings.Fields(right), r.Coverage[kind]) {
			t.Errorf("%s is %q, want %s", kind, r.Coverage[kind], right)
		}
	}
	if r.Links == nil {
		t.Fatalf("no links, reason %s", r.Reason)
	}
	if one.total != unsure && r.Links.Total != one.total {
		t.Errorf("%d links, want %d", r.Links.Total, one.total)
	}
	if got := kindsOf(r.Links.ByKind); one.kinds != "*" && got != one.kinds {
		t.Errorf("kinds %q, want %q", got, one.kinds)
	}
	said := func(f struct{ Code string }) bool { return f.Code == one.says }
	if one.says != "" && !slices.ContainsFunc(r.Findings, said) {
		t.Errorf("the findings are %v, want %s among them", r.Findings, one.says)
	}
	for place := range strings.FieldsSeq(one.unread) {
		if slices.Contains(r.Links.Asked, place) {
			t.Errorf("%q were read to the end, want %s not to be", r.Links.Asked, place)
		}
	}
}

func kindsOf(counts map[string]int) string {
	var out []string
	for kind, n := range counts {
		out = append(out, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
