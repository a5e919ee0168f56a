package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"refmatrix/matrix"
)

// historyDir holds every scan under its start, beside the latest reports.
const (
	historyDir    = "history"
	historyLayout = "20060102T150405.000Z"
)

// historyName is the name of a scan in history: its start, and a number from 2
// on if another began in the same millisecond. Up to version 0.1.0 scans were kept
// plain. Other files are not ours.
var historyName = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3}Z)(?:-(\d{1,6}))?\.json(?:\.gz)?$`)

// History is the scans that an output directory has kept.
type History struct{ path string }

// OpenHistory returns the history of the output directory dir, which need not be
// there yet.
func OpenHistory(dir string) *History { return &History{filepath.Join(dir, historyDir)} }

// file returns the path of the nth scan that began at start.
func (h *History) file(start time.Time, n int) string {
	name := start.UTC().Format(historyLayout)
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	return filepath.Join(h.path, name+".json.gz")
}

// scans lists the files of history by start and number, oldest first.
func (h *History) scans() ([]string, error) {
	entries, err := os.ReadDir(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	type scan struct {
		start, path string
		number      int
	}
	var found []scan
	for _, entry := range entries {
		if parts := historyName.FindStringSubmatch(entry.Name()); parts != nil && h.isFile(entry) {
			number, _ := strconv.Atoi(parts[2]) // digits or nothing
			found = append(found, scan{parts[1], filepath.Join(h.path, entry.Name()), number})
		}
	}
	slices.SortFunc(found, func(a, b scan) int { return cmp.Or(cmp.Compare(a.start, b.start), a.number-b.number) })
	out := make([]string, 0, len(found))
	for _, s := range found {
		out = append(out, s.path)
	}
	return out, nil
}

// isFile reports whether entry is a file, or a symbolic link to one. A pipe of such a name would
// have a scan wait for its writer for ever. What a link without a target was is not known, so
// that it is reported as a file that cannot be read.
func (h *History) isFile(entry fs.DirEntry) bool {
	if entry.Type() != fs.ModeSymlink {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(filepath.Join(h.path, entry.Name()))
	return err != nil || info.Mode().IsRegular()
}

// Counts returns the last most scans of scope in numbers, oldest first. A file
// that is not a matrix is skipped: it is not ours to judge.
func (h *History) Counts(most int, scope matrix.Scope) ([]matrix.ScanCounts, error) {
	paths, err := h.scans()
	if err != nil {
		return nil, err
	}
	var out []matrix.ScanCounts
	for _, path := range slices.Backward(paths) {
		if len(out) == most {
			break
		}
		head, err := readHead(path)
		if err != nil || !head.Scope().Equal(scope) {
			continue
		}
		if counts, err := readCounts(path, head); err == nil {
			out = append(out, counts)
		}
	}
	slices.Reverse(out)
	return out, nil
}

// ErrLinkedHistory is the error of Prune for a history/ that is a symbolic link.
var ErrLinkedHistory = errors.New("history/ is a symbolic link, and nothing is deleted through one: " +
	"remove old scans there yourself, or make it a folder")

// Prune removes the oldest scans until keep are left, but none that began at
// spared: a clock that was set back, or files of another machine, must not cost
// the scan that was just written. It deletes regular files in a folder of its own
// alone: behind a symbolic link there may be anything, and other scans keep theirs.
func (h *History) Prune(keep int, spared time.Time) error {
	if info, err := os.Lstat(h.path); err == nil && info.Mode().Type() == fs.ModeSymlink {
		return ErrLinkedHistory
	}
	paths, err := h.scans()
	if err != nil {
		return err
	}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Lstat(path)
		return err != nil || !info.Mode().IsRegular()
	})
	began := spared.UTC().Format(historyLayout)
	for _, path := range paths[:max(0, len(paths)-keep)] {
		if strings.HasPrefix(filepath.Base(path), began) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("prune the history: %w", err)
		}
	}
	return nil
}

// readCounts returns the scan at path in numbers, by its head. The rows of versions that did
// not count strategies are counted, and so are those of a head whose numbers cannot be right.
func readCounts(path string, head *matrix.Matrix) (matrix.ScanCounts, error) {
	if counts, ok := head.Summary.ScanCounts(head.Started); ok {
		return counts, nil
	}
	counts := matrix.NewScanCounts(head.Started)
	_, err := readRows(path, func(rows *json.Decoder) error {
		var row struct {
			Severity matrix.Severity
			Strategy matrix.Strategy
		}
		if err := rows.Decode(&row); err != nil {
			return err
		}
		counts.Add(row.Severity, row.Strategy)
		return nil
	})
	return counts, err
}
