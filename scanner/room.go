package scanner

// Sockets and files that a scan needs beside its connections: reports, name
// servers, helpers.
const otherFiles = 32

// mostWaiting bounds the rows that wait beside those that work, and mostIdle
// the connections kept for reuse.
const (
	mostWaiting = 1024
	mostIdle    = 256
)

// Fits says how many images can be probed at once where concurrency is asked
// for: as many, or fewer where this process may not open enough files.
func Fits(concurrency int) int {
	working, _, _ := room(concurrency)
	return working
}

// room divides the files that this process may open: rows that work, rows that
// wait, connections that are kept.
func room(concurrency int) (working, waiting, idle int) {
	share := max((openFiles()-otherFiles)/3, 1)
	return min(concurrency, share), min(mostWaiting, share), min(mostIdle, share)
}
