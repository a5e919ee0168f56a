//go:build unix

package registry

import (
	"os/exec"
	"syscall"
)

// groupApart gives cmd a process group of its own, which ends with its context:
// a helper's children end with it.
func groupApart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// endGroup ends what cmd, which is over, left running in its group.
func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
