//go:build !unix

package credential

import "os/exec"

// setGroup and killGroup do nothing here, because there are no process groups.
// The helper itself still ends with its context.
func setGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) {}
