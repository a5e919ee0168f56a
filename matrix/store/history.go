package store

import (
	"bufio"
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
// on if another began in the same millisecond. Other files are not ours.
var historyName = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3}Z)(?:-(\d{1,6}))?\.json$`)

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
	return filepath.Join(h.path, name+".json")
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
		if parts := historyName.FindStringSubmatch(entry.Name()); parts != nil {
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
		if counts, err := readCounts(path, head.Started); err == nil {
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

// readHead reads what stands before the rows of a stored matrix.json.
func readHead(path string) (*matrix.Matrix, error) {
	var head *matrix.Matrix
	err := walk(path, func(m *matrix.Matrix, _ *json.Decoder) error {
		head = m
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("%s: holds no rows", path)
	}
	return head, nil
}

// eachRow calls row for every row of a stored matrix.json, with what stood before the
// rows; it decodes one.
func eachRow(path string, row func(head *matrix.Matrix, decoder *json.Decoder) error) error {
	return walk(path, func(head *matrix.Matrix, decoder *json.Decoder) error {
		if _, err := decoder.Token(); err != nil {
			return err
		}
		for decoder.More() {
			if err := row(head, decoder); err != nil {
				return err
			}
		}
		_, err := decoder.Token()
		return err
	})
}

var errStop = errors.New("enough was read")

// walk reads a stored matrix.json one key at a time, so that a year of large
// scans is never in memory, and calls rows at the value of that key with what
// stood before it. The error names the file.
func walk(path string, rows func(head *matrix.Matrix, decoder *json.Decoder) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read a matrix: %w", err)
	}
	defer file.Close()
	if err := walkKeys(json.NewDecoder(bufio.NewReaderSize(file, 64<<10)), rows); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func walkKeys(decoder *json.Decoder, rows func(*matrix.Matrix, *json.Decoder) error) error {
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("is not a matrix.json: %w", err)
	}
	var head matrix.Matrix
	keys := map[string]any{
		"schema":    &head.Schema,
		"tool":      &head.Tool,
		"started":   &head.Started,
		"complete":  &head.Complete,
		"shard":     &head.Shard,
		"selection": &head.Selection,
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("is not a matrix.json: %w", err)
		}
		name, _ := key.(string)
		if name == "rows" {
			if head.Schema != matrix.Schema { // it stands first wherever refmatrix wrote it
				return fmt.Errorf("has the schema %q: this refmatrix reads %s", head.Schema, matrix.Schema)
			}
			if err := rows(&head, decoder); err != nil {
				return err
			}
			continue
		}
		into, known := keys[name]
		if !known {
			into = new(json.RawMessage)
		}
		if err := decoder.Decode(into); err != nil {
			return fmt.Errorf("is not a matrix.json: %w", err)
		}
	}
	return nil
}

// readCounts counts the rows of a stored matrix.json, whose scan began at
// started.
func readCounts(path string, started time.Time) (matrix.ScanCounts, error) {
	counts := matrix.NewScanCounts(started)
	return counts, eachRow(path, func(_ *matrix.Matrix, decoder *json.Decoder) error {
		var row struct {
			Severity matrix.Severity
			Strategy matrix.Strategy
		}
		if err := decoder.Decode(&row); err != nil {
			return err
		}
		counts.Add(row.Severity, row.Strategy)
		return nil
	})
}
