//go:build unix

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"refmatrix/matrix"
)

// TestHistoryOfFiles: what has the name of a scan and is not a file is not opened: reading a
// pipe waits until somebody writes to it.
func TestHistoryOfFiles(t *testing.T) {
	path, h := keepAll(t, past{day: 2, measured: "a=referrers-tag"})
	history := filepath.Join(path, "history")
	pipe := filepath.Join(history, "20261103T060000.000Z.json.gz")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, filepath.Join(history, "20261104T060000.000Z.json.gz")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(history, "20261105T060000.000Z.json.gz"), 0o700); err != nil {
		t.Fatal(err)
	}
	scan := filepath.Join(t.TempDir(), "scan.json")
	if err := os.WriteFile(scan, []byte(encoded(t, past{day: 1, measured: "a=unknown"}.matrix())), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"20261101T060000.000Z.json.gz": scan,
		"20261106T060000.000Z.json.gz": filepath.Join(history, "gone"),
	} {
		if err := os.Symlink(target, filepath.Join(history, name)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := baseline(h, matrix.Scope{})
	if err != nil || b.Matrix == nil || len(b.Skipped) != 1 || !strings.Contains(b.Skipped[0], "20261106T") {
		t.Errorf("baseline %+v, skipped %q: %v", b.Matrix, b.Skipped, err)
	}
	if all, err := h.Counts(10, matrix.Scope{}); numbers(all) != "1 fail=1 unknown=1; 1 warn=1 referrers-tag=1" || err != nil {
		t.Errorf("%s: %v", numbers(all), err)
	}
}
