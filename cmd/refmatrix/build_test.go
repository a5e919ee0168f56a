package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReproducible: the same source gives the same bytes, in whatever folder
// it is built.
func TestReproducible(t *testing.T) {
	var builds [][]byte
	for range 2 {
		dir := t.TempDir()
		copySource(t, dir)
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version=test", "-o", "refmatrix", "./cmd/refmatrix")
		cmd.Dir = dir
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		content, err := os.ReadFile(filepath.Join(dir, "refmatrix"))
		if err != nil {
			t.Fatal(err)
		}
		builds = append(builds, content)
	}
	if !bytes.Equal(builds[0], builds[1]) {
		t.Error("two builds of the same source differ")
	}
}

// copySource copies what the command is built of.
func copySource(t *testing.T, to string) {
	t.Helper()
	const root = "../.."
	for _, folder := range []string{"cmd/refmatrix", "matrix", "scanner"} {
		if err := os.CopyFS(filepath.Join(to, folder), os.DirFS(filepath.Join(root, folder))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
