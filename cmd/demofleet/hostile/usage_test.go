package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// usage is what a run of the built command took.
type usage struct {
	Status int   // its exit status
	Peak   int64 // of its resident memory, in bytes

	wall   time.Duration
	output string
}

// usageFile names, in the environment, where a process of this program is to
// write the usage of the command in its arguments.
const usageFile = "REFMATRIX_USAGE_FILE"

func TestMain(m *testing.M) {
	if file := os.Getenv(usageFile); file != "" {
		os.Exit(writeUsage(file, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// writeUsage runs a command and writes its usage to file. It does so in a process
// of its own because a child's peak begins with that of the process that starts
// it (exec keeps maxrss, see getrusage(2)), and the servers of the tests hold far
// more than the command may.
func writeUsage(file string, command []string) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), usageFile+"=")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	used := usage{Status: cmd.ProcessState.ExitCode()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		used.Peak = r.Maxrss << 10
	}
	text, err := json.Marshal(used)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// runBounded runs the built command with at most data KiB of memory of its own
// (RLIMIT_DATA), and ends it after most.
func runBounded(t *testing.T, data int, most time.Duration, environment []string, args ...string) usage {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	file := filepath.Join(t.TempDir(), "usage.json")
	script := fmt.Sprintf(`ulimit -d %d && exec "$@"`, data)
	cmd := exec.CommandContext(ctx, self, append([]string{"sh", "-c", script, "sh", os.Getenv("REFMATRIX")}, args...)...)
	cmd.Env = append(environment, usageFile+"="+file)
	// The command is a child of what is started here: both end, as one group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	began := time.Now()
	output, err := cmd.CombinedOutput()
	used := usage{wall: time.Since(began), output: string(output)}
	if err != nil {
		t.Fatalf("%v after %s\n%.4000s", err, used.wall, output)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &used)
	}
	if err != nil || used.Peak == 0 {
		t.Fatalf("no usage: %v", err)
	}
	if _, reason, fatal := strings.Cut(used.output, "fatal error: "); fatal {
		reason, _, _ = strings.Cut(reason, "\n")
		t.Fatalf("the command failed after %s, with %d MB at the peak: %s", used.wall, used.Peak>>20, reason)
	}
	return used
}
