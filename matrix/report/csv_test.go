package report_test

import (
	"encoding/csv"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// recordsOf reads the CSV report of m back: the header, and each record by the header.
func recordsOf(t *testing.T, m *matrix.Matrix, by report.Line) (header []string, records []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(render(t, "csv", m, report.Options{By: by}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		record := map[string]string{}
		for i, cell := range cells {
			record[all[0][i]] = cell
		}
		records = append(records, record)
	}
	return all[0], records
}

// TestCSV: nothing is lost in either file, and no cell is a formula.
func TestCSV(t *testing.T) {
	m := sample()
	for by, want := range map[report.Line]int{"": len(m.Rows), report.ByImage: len(m.Rows), report.ByRegistry: len(m.Registries)} {
		header, records := recordsOf(t, m, by)
		if len(records) != want {
			t.Errorf("by %q: %d records, want %d", by, len(records), want)
		}
		for _, record := range records {
			for _, cell := range append(header, slices.Collect(maps.Values(record))...) {
				if strings.ContainsAny(cell, "\n\r\t\x1b") || cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Errorf("by %q: a cell that runs: %q", by, cell)
				}
			}
		}
	}
}

// csvHeaders are what other programs read columns by. A column may be added, at the end of
// its line, and none may be renamed, moved or left out.
var csvHeaders = map[report.Line][2]string{ // what stands before the labels, and after
	report.ByImage: {
		"registry url image digest severity referrers strategy confidence reason status product version filter pagination " +
			"tag_schema cosign_tags requests duration_ms detail",
		"links links_by_kind coverage lost findings push unexpected action credentials",
	},
	report.ByRegistry: {
		"registry url severity referrers strategy images fail warn info pass unexpected product version credentials " +
			"content_type filter pagination absent_subject malformed_digest head tag_schema cosign_tags push " +
			"client_oras_notation client_cosign_crane client_regctl client_containerd " +
			"findings links links_by_kind coverage lost reasons action",
		"",
	},
}

// TestCSVColumns: every column is there, in its place, whatever the rows hold.
func TestCSVColumns(t *testing.T) {
	bare := &matrix.Matrix{}
	bare.SetRows([]matrix.Row{{Registry: "a", Image: "b:1", Severity: matrix.Pass}})
	labelled := &matrix.Matrix{}
	labelled.SetRows([]matrix.Row{{Registry: "a", Image: "b:1", Severity: matrix.Pass, Labels: map[string]string{"team": "x", "env": "y"}}})
	for by, want := range csvHeaders {
		for _, test := range []struct {
			m      *matrix.Matrix
			labels []string
		}{
			{&matrix.Matrix{}, nil},
			{bare, nil},
			{labelled, []string{"label:env", "label:team"}},
		} {
			header, _ := recordsOf(t, test.m, by)
			if diff := cmp.Diff(slices.Concat(strings.Fields(want[0]), test.labels, strings.Fields(want[1])), header); diff != "" {
				t.Errorf("by %s:\n%s", by, diff)
			}
		}
	}
}

// TestCSVRow: what a row has to be done, and what is worth knowing beside the verdict.
func TestCSVRow(t *testing.T) {
	m := &matrix.Matrix{}
	m.SetRows([]matrix.Row{
		{
			Registry:    "tags",
			Image:       "a:1",
			Severity:    matrix.Warn,
			Remedy:      []string{"Link by tags.", "Upgrade."},
			Findings:    []matrix.Finding{{Code: "filter-ignored"}, {Code: "stale-tag"}},
			Expect:      "referrers-api",
			Unexpected:  true,
			Credentials: "docker config",
		},
		{Registry: "api", Image: "a:1", Severity: matrix.Pass, Expect: "referrers-api", Remedy: []string{"Expect long lists."}},
		{
			Registry: "api",
			Image:    "a:2",
			Severity: matrix.Pass,
			Coverage: map[matrix.LinkKind]matrix.Coverage{matrix.KindSBOM: matrix.CoverageAbsent},
		},
	})
	_, records := recordsOf(t, m, report.ByImage)
	for i, want := range []map[string]string{
		{"findings": "filter-ignored stale-tag", "unexpected": "true", "action": "Link by tags.", "credentials": "docker config"},
		{"findings": "", "unexpected": "false", "action": "", "credentials": ""},
		{"findings": "", "unexpected": "", "action": "Attach what is missing: sbom.", "credentials": ""},
	} {
		for key, value := range want {
			if got := records[i][key]; got != value {
				t.Errorf("row %d: %s is %q, want %q", i, key, got, value)
			}
		}
	}
}

// TestCSVRegistries: the registries that need something done stand first, and a record has
// what its rows come to.
func TestCSVRegistries(t *testing.T) {
	m := linked()
	m.Rows = append(m.Rows, matrix.Row{Registry: "down", Image: "a:1", Severity: matrix.Fail, Reason: matrix.Connect, Remedy: []string{"Start it."}})
	m.SetRows(m.Rows)
	_, records := recordsOf(t, m, report.ByRegistry)
	var names []string
	for _, record := range records {
		names = append(names, record["registry"])
	}
	if want := []string{"down", "quay", "harbor", "ecr", "free"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	for key, want := range map[string]string{
		"severity":      "pass",
		"images":        "2",
		"pass":          "2",
		"fail":          "0",
		"reasons":       "referrers-listed 2",
		"links":         "3",
		"links_by_kind": "signature 1; sbom 1; unknown 1",
		"coverage":      "signature 50%, sbom 0%",
		"lost":          "2",
		"label:env":     "prod",
	} {
		if got := records[2][key]; got != want {
			t.Errorf("%s of harbor is %q, want %q", key, got, want)
		}
	}
	if got := records[0]["action"]; got != "Start it." {
		t.Errorf("the action is %q", got)
	}
}
