// Package store keeps what scans leave on disk: the output directory with its
// reports, the history of scans in it, and the baseline that a scan is compared
// with.
package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"refmatrix/matrix"
)

// Dir is an output directory.
type Dir struct {
	path    string
	history *History // nil if no scan is kept
}

// File is one report to be written into a Dir.
type File struct {
	Name     string                // of the file
	Format   string                // of the report, for errors
	Archived bool                  // a scan is kept in the history as this report renders it
	Render   func(io.Writer) error // writes the content
}

// OpenDir makes the directory and proves that it can be written to, so that a
// scan is not wasted on a report that cannot be kept. history reports whether
// scans are kept in it. The modes of folders and files are what the umask leaves of
// 0777 and 0666.
func OpenDir(path string, history bool) (*Dir, error) {
	d := &Dir{path: path}
	folders := []string{path}
	if history {
		d.history = OpenHistory(path)
		folders = append(folders, d.history.path)
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return nil, fmt.Errorf("make the output directory: %w: choose another with -o", err)
		}
		probe, err := createTemporary(folder)
		if err != nil {
			return nil, fmt.Errorf("the output directory cannot be written to: %w: choose another with -o", err)
		}
		if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
			return nil, fmt.Errorf("the output directory cannot be written to: %w", err)
		}
	}
	return d, nil
}

// Write writes the reports of a scan that began at started, each file replaced
// whole or not at all. If the directory has a history, the archived report is
// kept there too. Write returns the paths written; a report that fails does not
// keep the others from being written.
func (d *Dir) Write(started time.Time, files []File) ([]string, error) {
	paths := make([]string, len(files))
	errs := make([]error, len(files))
	var writers errgroup.Group // each file waits for the disk on its own
	for i, f := range files {
		writers.Go(func() error {
			kept, err := "", error(nil)
			if f.Archived && d.history != nil {
				if kept, err = d.history.archive(started, f.Render); err != nil {
					err = fmt.Errorf("keep the scan in history: %w", err)
				}
			}
			paths[i], errs[i] = d.writeReport(f, kept)
			errs[i] = errors.Join(errs[i], err)
			return nil
		})
	}
	_ = writers.Wait() // errors are in errs, in the order of the files
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" }), errors.Join(errs...)
}

// writeReport replaces the file of f and returns its path; kept is a file that
// holds the same already, "" if there is none.
func (d *Dir) writeReport(f File, kept string) (string, error) {
	path := filepath.Join(d.path, f.Name)
	if err := replaceFile(path, func(w io.Writer) error { return copyOrRender(w, kept, f.Render) }); err != nil {
		return "", fmt.Errorf("write the %s report: %w", f.Format, err)
	}
	return path, nil
}

// copyOrRender copies the file kept, which holds what render writes, and renders
// it again only if that file cannot be opened.
func copyOrRender(w io.Writer, kept string, render func(io.Writer) error) error {
	if kept == "" {
		return render(w)
	}
	file, err := os.Open(kept)
	if err != nil {
		return render(w)
	}
	defer file.Close()
	_, err = io.Copy(w, file)
	return err
}

// archive files a scan under its start and returns the path; two scans that
// began in the same millisecond get two files.
func (h *History) archive(started time.Time, render func(io.Writer) error) (string, error) {
	for n := 1; ; n++ {
		path := h.file(started, n)
		err := createFile(path, render)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
}

// replaceFile replaces the content of path through a temporary file in the same
// folder, so that a reader sees the old file or the new one.
func replaceFile(path string, render func(io.Writer) error) error {
	return writeAtomic(path, render, os.Rename)
}

// createFile is replaceFile for a path that must not exist yet.
func createFile(path string, render func(io.Writer) error) error {
	return writeAtomic(path, render, func(temporary, path string) error {
		if err := os.Link(temporary, path); err != nil {
			return err
		}
		return os.Remove(temporary)
	})
}

// writeAtomic renders into a temporary file, which publish then moves to path.
func writeAtomic(path string, render func(io.Writer) error, publish func(temporary, path string) error) (err error) {
	file, err := createTemporary(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	if err := recovering(render, file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := publish(file.Name(), path); err != nil {
		return err
	}
	_ = file.Close() // synced above: nothing is left to lose
	return syncFolder(filepath.Dir(path))
}

// recovering renders into w. A panic of one report is its error and does not cost the
// others.
func recovering(render func(io.Writer) error, w io.Writer) (err error) {
	defer func() {
		if bug := matrix.FromPanic(recover()); bug != nil {
			err = bug
		}
	}()
	return render(w)
}

// createTemporary creates a file of a new name in folder. Its mode is what the umask
// leaves of 0666, as that of any file that a program writes; os.CreateTemp makes
// files that only their owner reads.
func createTemporary(folder string) (*os.File, error) {
	for {
		path := filepath.Join(folder, ".refmatrix-"+rand.Text())
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
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
