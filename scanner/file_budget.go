package scanner

// otherFiles are the sockets and files that a scan needs beside its connections:
// reports, name servers, helpers.
const otherFiles = 32

// mostWaiting bounds the rows that wait beside those that work, and mostIdle
// the connections kept for reuse.
const (
	mostWaiting = 1024
	mostIdle    = 256
)

// MaxConcurrency returns how many of the wanted images can be probed at once:
// all, or fewer if this process may not open enough files.
func MaxConcurrency(wanted int) int {
	working, _, _ := fileBudget(wanted)
	return working
}

// fileBudget divides the files that this process may open into rows that work,
// rows that wait, and connections that are kept.
func fileBudget(concurrency int) (working, waiting, idle int) {
	share := max((openFiles()-otherFiles)/3, 1)
	return min(concurrency, share), min(mostWaiting, share), min(mostIdle, share)
}
