package report_test

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// TestWidth: no line is longer than the terminal is wide, whatever its width
// and however wide its characters, and none is cut inside a word that fits.
func TestWidth(t *testing.T) {
	m := sample()
	for _, reason := range []matrix.Reason{matrix.DNS, matrix.Connect, matrix.TLS, matrix.Timeout, matrix.Protocol, matrix.Redirect} {
		r := m.Rows[0]
		r.Registry, r.Severity, r.Reason = "down", matrix.Fail, reason
		r.Capabilities = &matrix.Capabilities{AbsentSubject: strings.Repeat("a newer answer ", 20)}
		r.Remedy = []string{"Look at the network: all of these registries cannot be reached from here."}
		m.Rows = append(m.Rows, r)
	}
	m.SetRows(m.Rows)
	for width := 20; width <= 240; width++ {
		for _, by := range []report.Line{report.ByRegistry, report.ByImage} {
			got := render(t, "table", m, report.Options{Width: width, By: by})
			for line := range strings.Lines(got) {
				if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("a line of %d columns at a width of %d: %s", n, width, line)
				}
			}
			for _, whole := range []string{"(unexpected)", "registry-4 (team/base:1.4);", "漢字漢字漢字漢字 (image 漢字漢字漢字漢字)"} {
				if width >= 70 && !strings.Contains(got, whole) {
					t.Errorf("at a width of %d %q is broken:\n%s", width, whole, got)
				}
			}
		}
	}
}
