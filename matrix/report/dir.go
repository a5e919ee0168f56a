package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"refmatrix/matrix"
)

// Dir is an output directory.
type Dir struct {
	path    string
	history *History // nil where no scan is kept
}

// OpenDir makes the directory and proves that it can be written to, so that a
// scan is not wasted on a report that cannot be kept. history says that scans
// are kept in it.
func OpenDir(path string, history bool) (*Dir, error) {
	d := &Dir{path: path}
	folders := []string{path}
	if history {
		d.history = OpenHistory(path)
		folders = append(folders, d.history.path)
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, fmt.Errorf("make the output directory: %w: choose another with -o", err)
		}
		probe, err := os.CreateTemp(folder, ".refmatrix-*")
		if err != nil {
			return nil, fmt.Errorf("the output directory cannot be written to: %w: choose another with -o", err)
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return nil, fmt.Errorf("the output directory cannot be written to: %w", err)
		}
	}
	return d, nil
}

// Write renders m in every format, each file replaced whole or not at all,
// and keeps a copy in history/ where the directory has one. It gives the paths
// written. What failed does not keep the others from being written.
func (d *Dir) Write(m *matrix.Matrix, formats []Format, o Options) ([]string, error) {
	paths := make([]string, len(formats))
	errs := make([]error, len(formats)+1)
	var writers errgroup.Group // each file waits for the disk on its own
	for i, f := range formats {
		if f.File == "" || f.Name == "json" {
			continue
		}
		writers.Go(func() error {
			paths[i], errs[i] = d.put(f, func(w io.Writer) error { return f.Render(w, m, o) })
			return nil
		})
	}
	writers.Go(func() error {
		kept := ""
		if d.history != nil {
			var err error
			if kept, err = d.history.keep(m); err != nil {
				errs[len(formats)] = fmt.Errorf("keep the scan in history: %w", err)
			}
		}
		for i, f := range formats {
			if f.Name == "json" {
				paths[i], errs[i] = d.put(f, func(w io.Writer) error { return again(w, kept, f, m) })
			}
		}
		return nil
	})
	_ = writers.Wait() // errors are in errs, in the order of the formats
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" }), errors.Join(errs...)
}

// put replaces the file of f, and gives its path where that went well.
func (d *Dir) put(f Format, render func(io.Writer) error) (string, error) {
	path := filepath.Join(d.path, f.File)
	if err := replace(path, render); err != nil {
		return "", fmt.Errorf("write the %s report: %w", f.Name, err)
	}
	return path, nil
}

// again writes what history holds of m already, and renders m where it does
// not.
func again(w io.Writer, kept string, f Format, m *matrix.Matrix) error {
	if kept == "" {
		return f.Render(w, m, Options{})
	}
	file, err := os.Open(kept)
	if err != nil {
		return f.Render(w, m, Options{})
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

// keep files m under its start and gives the path; two scans that began in the
// same millisecond get two files.
func (h *History) keep(m *matrix.Matrix) (string, error) {
	for n := 1; ; n++ {
		path := h.file(m.Started, n)
		err := create(path, func(w io.Writer) error { return document{}.Render(w, m, Options{}) })
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
}

// replace puts new content in the place of path by way of a temporary file of
// the same folder, so that a reader sees the old file or the new one.
func replace(path string, render func(io.Writer) error) error {
	return install(path, render, os.Rename)
}

// create is replace for a path that must not exist yet.
func create(path string, render func(io.Writer) error) error {
	return install(path, render, func(temporary, path string) error {
		if err := os.Link(temporary, path); err != nil {
			return err
		}
		return os.Remove(temporary)
	})
}

func install(path string, render func(io.Writer) error, put func(temporary, path string) error) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".refmatrix-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	if err := render(file); err != nil {
		return err
	}
	// CreateTemp makes files that only their owner reads; reports are for all
	// whom the directory lets in.
	if err := errors.Join(file.Chmod(0o644), file.Sync()); err != nil {
		return err
	}
	if err := put(file.Name(), path); err != nil {
		return err
	}
	_ = file.Close() // synced above: nothing is left to lose
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the new name last. File systems that cannot sync a folder
// keep the file all the same.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return nil
	}
	_ = folder.Sync()
	return folder.Close()
}
