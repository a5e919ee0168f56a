package report_test

import (
	"fmt"
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
	var texts []fleetText
	for _, width := range []int{80, 120, 200} {
		texts = append(texts, fleetText{fmt.Sprintf("table-%d.txt", width), "table", width})
	}
	return texts
}

// TestFleetGolden compares the reports of the fleet with those in testdata.
func TestFleetGolden(t *testing.T) {
	for _, text := range fleetTexts() {
		golden(t, "fleet/"+text.file, render(t, text.format, fleet(t), report.Options{Width: text.width}))
	}
}
