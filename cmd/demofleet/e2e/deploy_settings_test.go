package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// settings are lines that the deployment files hold, each a decision that should not
// get lost.
var settings = map[string][]string{
	"refmatrix.service": {
		"DynamicUser=yes", "UMask=0027", "NoNewPrivileges=yes", "CapabilityBoundingSet=",
		"ProtectSystem=strict", "ProtectHome=yes", "ProtectProc=invisible", "ProtectHostname=yes", "ProtectClock=yes",
		"ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes",
		"PrivateTmp=yes", "PrivateDevices=yes",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "RestrictNamespaces=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
		"LockPersonality=yes", "MemoryDenyWriteExecute=yes", "SystemCallFilter=@system-service", "SystemCallArchitectures=native",
		"IPAddressDeny=169.254.0.0/16", "MemoryMax=512M", "Environment=GOMEMLIMIT=450MiB",
	},
	"cronjob.yaml":     {"- {name: GOMEMLIMIT, value: 450MiB}", "limits: {memory: 512Mi}", "- --keep=52"},
	"indexed-job.yaml": {"- {name: GOMEMLIMIT, value: 450MiB}", "limits: {memory: 512Mi}", "- --keep=52"},
	"Dockerfile": {
		"ARG VERSION=devel", `RUN CGO_ENABLED=0 make build VERSION="$VERSION"`,
		"FROM plain AS with-helpers", "COPY --from=helpers /go/bin/ /usr/local/bin/", "USER nonroot:nonroot",
	},
	"github-actions.yml": {"persist-credentials: false # nothing here pushes", "contents: read"},
	"../.dockerignore":   {"*", "!go.mod", "!go.sum", "!Makefile", "!cmd/refmatrix", "!matrix", "!scanner"},
}

func TestDeploySettings(t *testing.T) {
	for name, wanted := range settings {
		held := map[string]bool{}
		for line := range strings.Lines(string(read(t, name))) {
			held[strings.TrimSpace(line)] = true
		}
		for _, setting := range wanted {
			if !held[setting] {
				t.Errorf("%s lacks %s", name, setting)
			}
		}
	}
}

// maxSummary is the size in bytes from which GitHub drops a step summary as a whole (GitHub
// Docs, "Workflow commands": 1 MiB a step).
const maxSummary = 1 << 20

// TestSummaryFits: every command that writes the summary has a bound, and together with what
// else is written the bounds stay below what GitHub takes.
func TestSummaryFits(t *testing.T) {
	_, step, found := strings.Cut(string(read(t, "github-actions.yml")), "- name: Summary\n")
	step, _, ends := strings.Cut(step, `>>"$GITHUB_STEP_SUMMARY"`)
	if !found || !ends {
		t.Fatal("no step writes the summary")
	}
	commands := regexp.MustCompile(`refmatrix (\w+).*?-f markdown`).FindAllString(step, -1)
	bounds := regexp.MustCompile(`--max-bytes (\d+)`).FindAllStringSubmatch(step, -1)
	if len(commands) != 2 || len(bounds) != len(commands) {
		t.Fatalf("%d commands and %d bounds in:\n%s", len(commands), len(bounds), step)
	}
	sum := len(step) // more than what echo writes
	for _, bound := range bounds {
		n, err := strconv.Atoi(bound[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum >= maxSummary {
		t.Errorf("the summary can have %d bytes, and GitHub takes less than %d", sum, maxSummary)
	}
}

// TestPinned: an action is named by commit with its tag beside it, an image by a
// version, and the last stage, which is built by default, is the one without helpers.
func TestPinned(t *testing.T) {
	uses := regexp.MustCompile(`(?m)uses: (.*)$`).FindAllStringSubmatch(string(read(t, "github-actions.yml")), -1)
	pinned := regexp.MustCompile(`^[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, use := range uses {
		if !pinned.MatchString(use[1]) {
			t.Errorf("%s", use[1])
		}
	}
	file := string(read(t, "Dockerfile"))
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1)
	if len(uses) != 4 || len(stages) != 5 || stages[4][1] != "plain" {
		t.Errorf("%d actions, stages %q", len(uses), stages)
	}
	if helpers := regexp.MustCompile(`go install \S+@v\d+\.\d+\.\d+\b`).FindAllString(file, -1); len(helpers) != 2 {
		t.Errorf("helpers of a version: %q", helpers)
	}
}

// TestToolchain: both modules are built by the same Go, which the image has.
func TestToolchain(t *testing.T) {
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`)
	own := toolchain.FindStringSubmatch(string(read(t, "../go.mod")))
	fleet := toolchain.FindStringSubmatch(string(read(t, "../cmd/demofleet/go.mod")))
	if own == nil || fleet == nil || own[1] != fleet[1] {
		t.Fatalf("%q and %q", own, fleet)
	}
	if n := strings.Count(string(read(t, "Dockerfile")), "FROM golang:"+own[1]+" AS "); n != 2 {
		t.Errorf("%d stages of Go %s", n, own[1])
	}
}

// TestImageContext: what .dockerignore lets through is enough for the build, and the
// version comes from the argument.
func TestImageContext(t *testing.T) {
	dir := t.TempDir()
	for line := range strings.Lines(string(read(t, "../.dockerignore"))) {
		name, kept := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !kept {
			continue
		}
		from, to := filepath.Join(deploy, "..", name), filepath.Join(dir, name)
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(to, os.DirFS(from))
		} else {
			err = os.WriteFile(to, read(t, filepath.Join("..", name)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	left := "find . \\( -name testdata -o -name '*_test.go' \\) -prune -exec rm -r {} +"
	build := exec.Command("sh", "-ec", left+"; make build VERSION=9.8.7; bin/refmatrix version")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GIT_DIR=/dev/null")
	if output, err := build.CombinedOutput(); err != nil || !strings.Contains(string(output), "refmatrix 9.8.7") {
		t.Errorf("%v\n%s", err, output)
	}
}
