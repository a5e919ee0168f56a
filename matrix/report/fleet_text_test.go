package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix/report"
)

// fleetText is a report of the fleet that people read from its first line on.
type fleetText struct {
	file   string // of the golden report
	format string
	width  int // of the terminal
}

func fleetTexts() []fleetText {
	texts := []fleetText{{"matrix.md", "markdown", 0}}
	for _, width := range []int{80, 120, 200} {
		texts = append(texts, fleetText{fmt.Sprintf("table-%d.txt", width), "table", width})
	}
	return texts
}

// TestFleetGolden compares the reports of the fleet with those in testdata, without the list of
// all images, which a golden report of 16 rows has.
func TestFleetGolden(t *testing.T) {
	for _, text := range fleetTexts() {
		golden(t, "fleet/"+text.file, render(t, text.format, fleet(t), report.Options{Width: text.width, Rows: report.NoRows}))
	}
}

// firstLines is a screen and a half: who scrolls once has seen them.
const firstLines = 75

// TestFailingFirst: who reads on to the second screen has seen the name of every registry that
// fails, in every text format, however many others there are.
func TestFailingFirst(t *testing.T) {
	m := fleet(t)
	for _, text := range fleetTexts() {
		lines := strings.Split(render(t, text.format, m, report.Options{Width: text.width}), "\n")
		first := strings.Join(lines[:min(firstLines, len(lines))], "\n")
		var lacks []string
		for name := range failing(m) {
			if !strings.Contains(first, name) {
				lacks = append(lacks, name)
			}
		}
		if len(lacks) > 0 {
			slices.Sort(lacks)
			t.Errorf("%s: %d of %d registries that fail are not in the first %d lines: %q",
				text.file, len(lacks), len(failing(m)), firstLines, lacks)
		}
	}
}
