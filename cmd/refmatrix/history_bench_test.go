package main

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/matrixtest"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
)

// BenchmarkHistory writes five years of weekly scans of 5,000 rows with --probe full. It
// reports what they take on the disk and the CPU time of the HTML report over them; the
// goals are 300 MB and 3 s.
func BenchmarkHistory(b *testing.B) {
	const weeks, rows = 260, 5000
	dir := b.TempDir()
	writeHistory(b, dir, weeks, rows)
	kept := bytesIn(b, filepath.Join(dir, "history"))
	var cpu time.Duration
	for b.Loop() {
		cpu += reportCPU(b, dir)
	}
	b.ReportMetric(float64(kept)/1e6, "MB")
	b.ReportMetric(float64(kept)/weeks/rows, "bytes/row")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/report")
	b.ReportMetric(0, "ns/op")
}

// writeHistory writes the history of dir, and matrix.json of its last scan.
func writeHistory(b *testing.B, dir string, weeks, rows int) {
	b.Helper()
	example, err := store.ReadFile("../../reports/example/matrix.json")
	if err != nil {
		b.Fatal(err)
	}
	m, err := matrixtest.Fleet(example, rows)
	if err != nil {
		b.Fatal(err)
	}
	folder, err := store.OpenDir(dir, true)
	if err != nil {
		b.Fatal(err)
	}
	document, _ := report.Matrices.Find("json")
	for week := range weeks {
		m.Started = time.Date(2026, 1, 5+7*week, 6, 0, 0, 0, time.UTC)
		m.Finished = m.Started.Add(time.Minute)
		written := files(m, []matrixFormat{document}, report.Options{})
		if week < weeks-1 {
			written[0].Render = func(io.Writer) error { return nil } // the next week replaces it
		}
		if _, err := folder.Write(m.Started, written); err != nil {
			b.Fatal(err)
		}
	}
	if all, err := store.OpenHistory(dir).Counts(weeks, matrix.Scope{}); err != nil || len(all) != weeks || all[0].Rows != rows {
		b.Fatalf("%d scans in the history: %v", len(all), err)
	}
}

// bytesIn returns the bytes of all files in dir.
func bytesIn(b *testing.B, dir string) (n int64) {
	b.Helper()
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// reportCPU returns the CPU time of a process that renders the HTML report of dir.
func reportCPU(b *testing.B, dir string) time.Duration {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, "report", filepath.Join(dir, "matrix.json"), "-f", "html", "-o", dir)
	cmd.Args[0] = processName
	if output, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
