package report_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// twoRows is a scan of one image at two registries.
func twoRows() *matrix.Matrix {
	start := time.Date(2026, 11, 16, 6, 0, 0, 0, time.UTC)
	m := &matrix.Matrix{
		Schema:   matrix.Schema,
		Tool:     matrix.Tool{Name: "refmatrix", Version: "1.0.0"},
		Started:  start,
		Finished: start.Add(time.Second),
		Complete: true,
		Rows: []matrix.Row{
			{
				Registry:   "harbor-prod",
				Image:      "team/base:1.4",
				Severity:   matrix.Pass,
				Referrers:  matrix.Supported,
				Strategy:   matrix.ReferrersAPI,
				Confidence: matrix.Proven,
				Reason:     matrix.ReferrersListed,
				Product:    &matrix.Product{Name: "Harbor", Version: "2.11.1"},
			},
			{
				Registry:   "legacy",
				Image:      "team/base:1.4",
				Severity:   matrix.Warn,
				Referrers:  matrix.Unsupported,
				Strategy:   matrix.ReferrersTag,
				Confidence: matrix.Proven,
				Reason:     matrix.NotFound,
				Detail:     "HTTP 404, no OCI index: the registry has no referrers API.",
				Remedy:     []string{"Link by the referrers tag schema."},
			},
		},
	}
	m.SetRows(m.Rows)
	return m
}

// A format is found by its name and renders to any writer.
func ExampleFormats_Find() {
	format, ok := report.Matrices.Find("table")
	if !ok {
		fmt.Println("there are", report.Matrices.Names())
		return
	}
	if err := format.Render(os.Stdout, twoRows(), report.Options{Width: 80}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2 registries: 1 has the API, 1 does not
	// 2 images: 0 fail, 1 warn, 0 info, 1 pass
	//
	// WHAT TO DO
	// WARN Link by the referrers tag schema.
	//      1 registry, 1 image (not-found): legacy (team/base:1.4)
	//      HTTP 404, no OCI index: the registry has no referrers API.
	//
	// SEV  REGISTRY    IMAGES API         STRATEGY      REASON
	// ───────────────────────────────────────────────────────────
	// WARN legacy      1      unsupported referrers-tag not-found
	// PASS harbor-prod 1      supported   referrers-api
}

// A CSV file has the same columns in every scan, and CRLF at the end of a line.
func Example_csv() {
	format, _ := report.Matrices.Find("csv")
	var out bytes.Buffer
	if err := format.Render(&out, twoRows(), report.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	for line := range strings.Lines(out.String()) {
		columns := strings.Split(line, ",")
		fmt.Println(columns[0], columns[6], columns[8], columns[10])
	}
	// Output:
	// registry strategy reason product
	// harbor-prod referrers-api referrers-listed Harbor
	// legacy referrers-tag not-found
}

// What changed between two scans, as the Markdown of a weekly post.
func Example_markdown() {
	before, after := twoRows(), twoRows()
	after.Started = before.Started.AddDate(0, 0, 7)
	upgraded := &after.Rows[1]
	upgraded.Severity = matrix.Pass
	upgraded.Referrers = matrix.Supported
	upgraded.Strategy = matrix.ReferrersAPI
	upgraded.Reason = matrix.ReferrersEmpty
	upgraded.Detail = "HTTP 200 with an empty OCI index: the referrers API answers."

	format, _ := report.Diffs.Find("markdown")
	if err := format.Render(os.Stdout, matrix.Compare(before, after), report.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ## Referrers: what changed
	//
	// 1 change since 2026-11-16: `legacy` now has the referrers API.
	//
	// ### Now has the referrers API
	//
	// - **`legacy`** `team/base:1.4`: HTTP 200 with an empty OCI index: the referrers API answers. (strategy referrers-tag → referrers-api, reason not-found → referrers-empty)
}
