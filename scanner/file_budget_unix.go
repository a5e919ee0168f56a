//go:build unix

package scanner

import "syscall"

// openFiles is how many files this process may open (getrlimit(2)).
func openFiles() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<20))
}
