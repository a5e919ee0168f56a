// Package store keeps what scans leave on disk: the output directory with its
// reports, the history of scans in it, and the baseline that a scan is compared
// with.
package store

import (
	"compress/gzip"
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
	Name    string                // of the file
	Format  string                // of the report, for errors
	Render  func(io.Writer) error // writes the content
	Archive func(io.Writer) error // writes the content that the history keeps, nil for nothing
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
// whole or not at all. If the directory has a history, what a report keeps there is
// written too. Write returns the paths of the reports written; a report that fails does
// not keep the others from being written.
func (d *Dir) Write(started time.Time, files []File) ([]string, error) {
	paths := make([]string, len(files))
	errs := make([]error, 2*len(files))
	var writers errgroup.Group // each file waits for the disk on its own
	for i, f := range files {
		writers.Go(func() error {
			paths[i], errs[2*i] = d.writeReport(f)
			return nil
		})
		if f.Archive != nil && d.history != nil {
			writers.Go(func() error {
				errs[2*i+1] = d.history.archive(started, f.Archive)
				return nil
			})
		}
	}
	_ = writers.Wait() // errors are in errs, in the order of the files
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" }), errors.Join(errs...)
}

// writeReport replaces the file of f and returns its path.
func (d *Dir) writeReport(f File) (string, error) {
	path := filepath.Join(d.path, f.Name)
	if err := replaceFile(path, f.Render); err != nil {
		return "", fmt.Errorf("write the %s report: %w", f.Format, err)
	}
	return path, nil
}

// archive files a scan under its start, compressed; two scans that began in the same
// millisecond get two files.
func (h *History) archive(started time.Time, render func(io.Writer) error) error {
	for n := 1; ; n++ {
		err := createFile(h.file(started, n), func(w io.Writer) error { return compress(w, render) })
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, fs.ErrExist):
			return fmt.Errorf("keep the scan in history: %w", err)
		}
	}
}

// compress writes what render writes under gzip. The header names no file and no time, so
// that the same content is the same bytes.
func compress(w io.Writer, render func(io.Writer) error) error {
	z := gzip.NewWriter(w)
	if err := render(z); err != nil {
		return err
	}
	return z.Close()
}

// replaceFile replaces the content of path through a temporary file in the same
// folder, so that a reader sees the old file or the new one.
func replaceFile(path string, render func(io.Writer) error) error {
	return writeAtomic(path, render, os.Rename)
}

// createFile is replaceFile for a path that must not exist yet.
func createFile(path string, render func(io.Writer) error) error {
	return writeAtomic(path, render, func(temporary, path string) error { return publishNew(temporary, path, os.Link) })
}

// publishNew moves temporary to path, which must not exist yet. link makes a hard link, which
// is both in one step. Shares of Azure Files, object stores that are mounted and FAT have no
// hard links: there an empty file claims the name first.
func publishNew(temporary, path string, link func(old, new string) error) error {
	switch err := link(temporary, path); {
	case err == nil:
		return os.Remove(temporary)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	claim, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err := errors.Join(claim.Close(), os.Rename(temporary, path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
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
