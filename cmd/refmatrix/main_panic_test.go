package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestPanicIsStatus3: a bug of ours is one line and the stack, and what it holds is
// not printed.
func TestPanicIsStatus3(t *testing.T) {
	broken := &cobra.Command{
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(*cobra.Command, []string) error { panic(errors.New("canary-of-the-wire")) },
	}
	broken.SetArgs(nil)
	var stderr bytes.Buffer
	if status := exitStatus(execute(context.Background(), broken), &stderr); status != exitInternal {
		t.Errorf("status %d", status)
	}
	line, stack, _ := strings.Cut(stderr.String(), "\n")
	if want := "refmatrix: internal error: panic with a *errors.errorString: this is a bug of refmatrix, please report it with the lines below"; line != want {
		t.Errorf("%s, want %s", line, want)
	}
	if !strings.Contains(stack, "main_panic_test.go") || strings.Contains(stderr.String(), "canary") {
		t.Error(stderr.String())
	}
}
