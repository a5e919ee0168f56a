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

// Prune removes the oldest scans until keep are left, but none that began at
// spared: a clock that was set back, or files of another machine, must not cost
// the scan that was just written.
func (h *History) Prune(keep int, spared time.Time) error {
	paths, err := h.scans()
	if err != nil {
		return err
	}
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

// Baseline is what a scan is compared with.
type Baseline struct {
	Matrix  *matrix.Matrix
	Known   []matrix.Row // of the images that Matrix could not measure: the last row of an earlier scan that did
	Skipped []string     // files of the history that cannot be read, and why
}

// Baseline returns the last scan to compare one of scope with: the newest
// complete one of the same scope, else the newest of it, else the newest
// complete one of all, else the newest. Its Matrix is nil if none was found.
func (h *History) Baseline(scope matrix.Scope) (Baseline, error) {
	paths, err := h.scans()
	if err != nil {
		return Baseline{}, err
	}
	return baseline(paths, scope), nil
}

// LastTwo returns the newest scan and what to compare it with. Both are nil unless
// there are two.
func (h *History) LastTwo() (older Baseline, newest *matrix.Matrix, err error) {
	paths, err := h.scans()
	if err != nil {
		return Baseline{}, nil, err
	}
	var skipped []string
	for i, path := range slices.Backward(paths) {
		newest, err := ReadFile(path)
		if err != nil {
			skipped = append(skipped, err.Error())
			continue
		}
		older = baseline(paths[:i], newest.Scope())
		older.Skipped = append(skipped, older.Skipped...)
		if older.Matrix == nil {
			newest = nil
		}
		return older, newest, nil
	}
	return Baseline{Skipped: skipped}, nil, nil
}

// candidate is a scan that may be a baseline, with its head alone read.
type candidate struct {
	path string
	rank int // the lower, the better
}

func baseline(paths []string, scope matrix.Scope) Baseline {
	var b Baseline
	var candidates []candidate
	for _, path := range slices.Backward(paths) {
		head, err := readHead(path)
		if err != nil {
			b.Skipped = append(b.Skipped, err.Error())
			continue
		}
		candidates = append(candidates, candidate{path, rank(head, scope)})
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.rank - b.rank })
	for _, c := range candidates {
		m, err := ReadFile(c.path)
		if err != nil {
			b.Skipped = append(b.Skipped, err.Error())
			continue
		}
		b.Matrix = m
		b.Known = lastKnown(m, slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == c.path }))
		return b
	}
	return b
}

func rank(head *matrix.Matrix, scope matrix.Scope) int {
	switch same := head.Scope().Equal(scope); {
	case same && head.Complete:
		return 0
	case same:
		return 1
	case head.Scope().Whole() && head.Complete:
		return 2
	}
	return 3
}

// lookBack bounds the scans that are read for what was known before an outage:
// an image that never could be measured would have all of them read every time.
const lookBack = 12

// lastKnown returns, for each image that m could not measure, the newest row of
// paths (oldest first) that is a measurement.
func lastKnown(m *matrix.Matrix, paths []string) []matrix.Row {
	type image struct{ registry, image string }
	missing := map[image]bool{}
	for i := range m.Rows {
		if r := &m.Rows[i]; r.Strategy == matrix.StrategyUnknown {
			missing[image{r.Registry, r.Image}] = true
		}
	}
	var found []matrix.Row
	for n, path := range slices.Backward(paths) {
		if len(missing) == 0 || len(paths)-n > lookBack {
			break
		}
		// What cannot be read further was read as far as it is whole.
		_ = eachRow(path, func(decoder *json.Decoder) error {
			var row matrix.Row
			if err := decoder.Decode(&row); err != nil {
				return err
			}
			measured := row.Strategy != matrix.StrategyUnknown && slices.Contains(matrix.Strategies, row.Strategy)
			if at := (image{row.Registry, row.Image}); measured && missing[at] {
				delete(missing, at)
				found = append(found, row)
			}
			return nil
		})
	}
	return found
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

// eachRow calls row for every row of a stored matrix.json; it decodes one.
func eachRow(path string, row func(*json.Decoder) error) error {
	return walk(path, func(_ *matrix.Matrix, decoder *json.Decoder) error {
		if _, err := decoder.Token(); err != nil {
			return err
		}
		for decoder.More() {
			if err := row(decoder); err != nil {
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
	return counts, eachRow(path, func(decoder *json.Decoder) error {
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
