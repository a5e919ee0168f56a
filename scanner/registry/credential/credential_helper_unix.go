//go:build unix

package credential

import (
	"os/exec"
	"syscall"
)

// setGroup puts cmd into a process group of its own, which is killed when cmd's
// context ends: the helper's children end with it.
func setGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// killGroup kills what cmd, which ended, left running in its group.
func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
