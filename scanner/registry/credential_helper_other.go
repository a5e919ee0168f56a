//go:build !unix

package registry

import "os/exec"

// groupApart and endGroup have no process groups to work with here; the helper
// itself ends with its context.
func groupApart(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}
