package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/matrix/store"
)

// output are the flags that say which reports are written, and where.
type output struct {
	path    string
	formats choice[[]matrixFormat]
	noColor bool
	by      choice[report.Line]
	rows    choice[report.RowsIn]
	series  choice[report.Series]
	most    int // bytes of Markdown
}

func newOutput() output {
	return output{
		formats: matrixFormats(),
		by:      oneOf(report.ByRegistry, report.ByImage),
		rows:    oneOf(report.AllRows, report.ProblemRows, report.NoRows),
		series:  oneOf(report.FewSeries, report.AllSeries),
	}
}

func (o *output) addFlags(cmd *cobra.Command, path, formats string) {
	flags := cmd.Flags()
	o.by.addFlag(cmd, "by", "", string(report.ByRegistry), "a line of the table and of the Markdown matrix is a "+o.by.list()+
		"; with -f csv -o -, registry prints registries.csv instead of matrix.csv")
	o.rows.addFlag(cmd, "rows", "", string(report.AllRows), "images that Markdown lists: "+o.rows.list())
	addMaxBytes(cmd, &o.most)
	o.series.addFlag(cmd, "series", "", string(report.FewSeries),
		fmt.Sprintf("metrics of single images: auto leaves them out over %d images; %s", report.MaxRowSeries, o.series.list()))
	flags.StringVarP(&o.path, "output", "o", path, "`DIR` for the reports, - for one format on stdout")
	o.formats.addFlag(cmd, "format", "f", formats, "reports: "+strings.Join(report.Matrices.Names(), ",")+" or all")
	flags.BoolVar(&o.noColor, "no-color", false, "no colours (as NO_COLOR does)")
}

// addMaxBytes adds the bound of what Markdown is rendered.
func addMaxBytes(cmd *cobra.Command, most *int) {
	cmd.Flags().IntVar(most, "max-bytes", report.MaxMarkdown, "bound of the Markdown report in bytes; 65536 fits a GitHub comment")
}

func checkMaxBytes(most int) error {
	if most < report.LeastMarkdown {
		return usage("--max-bytes must be %d or more", report.LeastMarkdown)
	}
	return nil
}

// sink is where the reports of a run go: stdout, a directory, or both.
type sink struct {
	stdout  io.Writer
	options report.Options
	shown   []matrixFormat // on stdout
	dir     *store.Dir     // nil if nothing is stored
	history *store.History // of that directory
	stored  []matrixFormat
}

// open checks the output directory before anything is measured. keep
// says that what is written is a new scan. It goes into history/ if JSON is
// among the formats: a folder of metrics alone does not need one.
func (o *output) open(stdout io.Writer, keep bool) (*sink, error) {
	formats := o.formats.value
	if err := checkMaxBytes(o.most); err != nil {
		return nil, err
	}
	s := &sink{stdout: stdout, options: report.Options{
		Width:    width(stdout),
		Color:    colour(stdout, o.noColor),
		By:       o.by.given(),
		Rows:     o.rows.value,
		MaxBytes: o.most,
		Series:   o.series.value,
	}}
	if o.path == "-" {
		if len(formats) != 1 {
			return nil, usage("-o - prints one format: choose it with --format")
		}
		s.shown = formats
		return s, nil
	}
	for _, f := range formats {
		if f.File == "" {
			s.shown = append(s.shown, f)
		} else {
			s.stored = append(s.stored, f)
		}
	}
	if len(s.stored) == 0 {
		return s, nil
	}
	archived := func(f matrixFormat) bool { return f.Archive != nil }
	var err error
	if s.dir, err = store.OpenDir(o.path, keep && slices.ContainsFunc(formats, archived)); err != nil {
		return nil, internal(err)
	}
	s.history = store.OpenHistory(o.path)
	return s, nil
}

// write renders m everywhere and returns the paths of the files written.
func (s *sink) write(m *matrix.Matrix) ([]string, error) {
	var written []string
	if s.dir != nil {
		options := s.options
		var err error
		if slices.ContainsFunc(s.stored, func(f matrixFormat) bool { return f.LooksBack }) {
			if options.History, err = s.history.Counts(report.MaxScans, m.Scope()); err != nil {
				return nil, err
			}
		}
		if written, err = s.dir.Write(m.Started, files(m, s.stored, options)); err != nil {
			return written, err
		}
	}
	for _, f := range s.shown {
		if err := f.Print(s.stdout, m, s.options); err != nil {
			return written, fmt.Errorf("print the %s report on stdout: %w", f.Name, err)
		}
	}
	return written, nil
}

// files are the reports of m as the store takes them.
func files(m *matrix.Matrix, formats []matrixFormat, options report.Options) []store.File {
	var out []store.File
	for _, f := range formats {
		for _, file := range f.Files() {
			stored := store.File{
				Name:   file.Name,
				Format: f.Name,
				Render: func(w io.Writer) error { return file.Render(w, m, options) },
			}
			if file.Archive != nil {
				stored.Archive = func(w io.Writer) error { return file.Archive(w, m, options) }
			}
			out = append(out, stored)
		}
	}
	return out
}

// emit writes m as the flags say, and keeps it in history/ if it is a new scan.
func (o *output) emit(cmd *cobra.Command, m *matrix.Matrix, keep bool) error {
	s, err := o.open(cmd.OutOrStdout(), keep)
	if err != nil {
		return err
	}
	if _, err := s.write(m); err != nil {
		return internal(err)
	}
	return nil
}
