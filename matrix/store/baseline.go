package store

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"refmatrix/matrix"
)

// Baseline is what a scan is compared with.
type Baseline struct {
	Matrix  *matrix.Matrix // nil for no baseline
	Known   []matrix.Known // of the images that Matrix could not measure: the last row of an earlier scan that did
	Skipped []string       // files of the history that cannot be read, and why
}

// Reference is a baseline that was chosen and can be read, and is not in memory. The
// zero Reference is that of no baseline.
type Reference struct {
	Skipped []string // files of the history that cannot be read, and why

	path    string
	earlier []string       // the other scans of the history, as they were when it was chosen
	kept    *matrix.Matrix // of a path that can be read once only
}

// FileReference returns the matrix.json at path as a reference. The error names the
// file and what is wrong with it.
func FileReference(path string) (Reference, error) {
	m, err := ReadFile(path)
	if err != nil {
		return Reference{}, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		m = nil // it is read again
	}
	return Reference{path: path, kept: m}, nil
}

// Latest returns the last scan to compare one of scope with: the newest
// complete one of the same scope, else the newest of it, else the newest
// complete one of all, else the newest. It is the zero Reference, but for what was
// skipped, if none was found. Scans that are kept later do not change it.
func (h *History) Latest(scope matrix.Scope) (Reference, error) {
	paths, err := h.scans()
	if err != nil {
		return Reference{}, err
	}
	r, _ := latest(paths, scope)
	return r, nil
}

// Read reads the baseline. The error names the file that can no longer be read.
func (r Reference) Read() (Baseline, error) {
	m, err := r.kept, error(nil)
	if m == nil && r.path != "" {
		if m, err = ReadFile(r.path); err != nil {
			return Baseline{}, fmt.Errorf("read the baseline: %w", err)
		}
	}
	return r.baseline(m), nil
}

// baseline returns the baseline whose matrix, if there is one, is m.
func (r Reference) baseline(m *matrix.Matrix) Baseline {
	b := Baseline{Matrix: m, Skipped: r.Skipped}
	if m != nil {
		b.Known = lastKnown(m, r.earlier)
	}
	return b
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
		reference, m := latest(paths[:i], newest.Scope())
		older = reference.baseline(m)
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

// latest returns the reference of the scan in paths, oldest first, to compare one of
// scope with, and that scan.
func latest(paths []string, scope matrix.Scope) (Reference, *matrix.Matrix) {
	var r Reference
	var candidates []candidate
	for _, path := range slices.Backward(paths) {
		head, err := readHead(path)
		if err != nil {
			r.Skipped = append(r.Skipped, err.Error())
			continue
		}
		candidates = append(candidates, candidate{path, rank(head, scope)})
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return a.rank - b.rank })
	for _, c := range candidates {
		m, err := ReadFile(c.path)
		if err != nil {
			r.Skipped = append(r.Skipped, err.Error())
			continue
		}
		r.path = c.path
		r.earlier = slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == c.path })
		return r, m
	}
	return r, nil
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
func lastKnown(m *matrix.Matrix, paths []string) []matrix.Known {
	type image struct{ registry, image string }
	missing := map[image]bool{}
	for i := range m.Rows {
		if r := &m.Rows[i]; r.Strategy == matrix.StrategyUnknown {
			missing[image{r.Registry, r.Image}] = true
		}
	}
	var found []matrix.Known
	for n, path := range slices.Backward(paths) {
		if len(missing) == 0 || len(paths)-n > lookBack {
			break
		}
		var rows []matrix.Row
		// What cannot be read further was read as far as it is whole.
		head, _ := readRows(path, func(decoder *json.Decoder) error {
			var row matrix.Row
			if err := decoder.Decode(&row); err != nil {
				return err
			}
			measured := row.Strategy != matrix.StrategyUnknown && slices.Contains(matrix.Strategies, row.Strategy)
			if measured && missing[image{row.Registry, row.Image}] {
				rows = append(rows, row)
			}
			return nil
		})
		if head.Schema != matrix.Schema {
			continue
		}
		for _, row := range rows {
			if at := (image{row.Registry, row.Image}); missing[at] {
				delete(missing, at)
				found = append(found, matrix.Known{Row: row, Tool: head.Tool})
			}
		}
	}
	return found
}
