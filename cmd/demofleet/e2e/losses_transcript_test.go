package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"refmatrix/cmd/demofleet/fleet"
)

// TestTranscript writes into docs/links.md what three weekly scans print: the first one, one
// after a clean-up has deleted the tags that nobody pulls, and one a week later.
func TestTranscript(t *testing.T) {
	f, _ := start(t, fleet.Options{})
	repo, image := signedImage(t, f, "distribution-anonymous")
	weeks := newWeeks(t, "registry-prod", find(t, f, "distribution-anonymous").URL, fleet.Signed+":"+fleet.SignedTag,
		", require: [signature, sbom]")
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "inventory.yaml"), []byte("version: 1\nregistries:\n"+weeks.entries), 0o600); err != nil {
		t.Fatal(err)
	}
	const scan = "refmatrix scan -q --baseline latest --fail-on +lost"
	text := "```console\n" + transcribe(t, folder, scan)
	for _, suffix := range []string{"", ".sig"} {
		d, _ := tagged(suffix)(t, repo, image)
		if err := repo.Delete(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
	text += transcribe(t, folder, scan) + transcribe(t, folder, "refmatrix diff") + transcribe(t, folder, scan) + "```\n"
	section(t, "../../../docs/links.md", "weeks", text)
}

// instants are the times of scans that a text may hold.
var instants = regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?( UTC)?`)

// transcribe runs a command line in a folder and returns it as a terminal shows it, with the
// exit status, and with what differs from run to run replaced.
func transcribe(t *testing.T, folder, line string) string {
	t.Helper()
	cmd := exec.Command(os.Getenv("REFMATRIX"), strings.Fields(line)[1:]...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+folder, "COLUMNS=100")
	output, _ := cmd.CombinedOutput()
	shown := instants.ReplaceAllString(string(output), "2026-11-16")
	shown = addresses.ReplaceAllString(shown, "registry.example.com")
	return fmt.Sprintf("$ %s; echo $?\n%s%d\n", line, shown, cmd.ProcessState.ExitCode())
}
