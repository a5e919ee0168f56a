package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
)

// TestReadAlike: images are shown once only if what is shown of the first is true of the
// others, but for ids. Whatever else differs, both are shown.
func TestReadAlike(t *testing.T) {
	exchange := func(status int) matrix.Exchange {
		return matrix.Exchange{Step: "referrers", Method: "GET", URL: "https://registry.example.com/v2/x", Status: status}
	}
	for _, test := range []struct {
		name   string
		change func(r *matrix.Row)
		same   bool
	}{
		{"the digest", func(r *matrix.Row) { r.Digest = "sha256:bb" }, true},
		{"ids", func(r *matrix.Row) { r.Detail = "HTTP 200, request 7f3a9c22" }, true},
		{"times", func(r *matrix.Row) { r.DurationMS, r.Requests, r.Exchanges[0].MS = 99, 9, 99 }, true},
		{"the address of a request", func(r *matrix.Row) { r.Exchanges[0].URL += "/other" }, true},
		{"requests that the other image has made", func(r *matrix.Row) { r.Exchanges = r.Exchanges[:1] }, true},
		{"what the other image has shown", func(r *matrix.Row) { r.Capabilities.FromRepository = []string{"filter"} }, true},
		{"the verdict", func(r *matrix.Row) { r.Severity = matrix.Info }, false},
		{"the detail", func(r *matrix.Row) { r.Detail = "HTTP 201, request 7f3a9c21" }, false},
		{"the confidence", func(r *matrix.Row) { r.ConfidenceReason = "another" }, false},
		{"what is expected", func(r *matrix.Row) { r.Expect, r.Unexpected = "referrers-tag", true }, false},
		{"remedies", func(r *matrix.Row) { r.Remedy = []string{"Another."} }, false},
		{"findings", func(r *matrix.Row) { r.Findings = nil }, false},
		{"clients", func(r *matrix.Row) { r.Clients = map[string]matrix.Forecast{"oras": {Read: "error"}} }, false},
		{"capabilities", func(r *matrix.Row) { r.Capabilities.Filter = matrix.FilterIgnored }, false},
		{"links", func(r *matrix.Row) {
			r.Links = matrix.NewLinks([]matrix.Link{{Digest: "sha256:cc", Where: matrix.Places[:1], Subject: r.Digest, Depth: 1}}, matrix.Places, nil)
		}, false},
		{"coverage", func(r *matrix.Row) {
			r.Coverage = map[matrix.LinkKind]matrix.Coverage{matrix.KindSBOM: matrix.CoverageAbsent}
		}, false},
		{"an answer", func(r *matrix.Row) { r.Exchanges = append(r.Exchanges, exchange(503)) }, false},
		{"exchanges that were left out", func(r *matrix.Row) { r.Omitted = &matrix.Omitted{Exchanges: 1} }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := []matrix.Row{sample().Rows[0], sample().Rows[0]}
			for i := range rows {
				rows[i].Image = fmt.Sprintf("team/app:%d", i)
				rows[i].Detail = "HTTP 200, request 7f3a9c21"
				rows[i].Exchanges = []matrix.Exchange{exchange(200), exchange(404)}
			}
			test.change(&rows[1])
			got := renderAs(t, report.Explanations, "text", explained(rows), report.Options{})
			if same := strings.Contains(got, "\nThe same for\n  team/app:1\n"); same != test.same || strings.Count(got, "\nVerdict\n") != 2-boolean(same) {
				t.Errorf("the same: %v, want %v\n%s", same, test.same, got)
			}
		})
	}
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func explained(rows []matrix.Row) []report.Explanation {
	out := make([]report.Explanation, len(rows))
	for i := range rows {
		out[i].Row = &rows[i]
	}
	return out
}

// TestManyAlike: some of many images are named and the others counted, in the order they
// come; commands are those of the image that is shown; JSON has all rows.
func TestManyAlike(t *testing.T) {
	rows := slices.Repeat(sample().Rows[:1], 40)
	for i := range rows {
		rows[i].Image = fmt.Sprintf("team/app:%d", i)
	}
	rows[7].Detail = "HTTP 200 and something else."
	all := explained(rows)
	for i := range all {
		all[i].Commands = []string{"curl " + all[i].Row.Image}
	}
	got := renderAs(t, report.Explanations, "text", all, report.Options{Width: 80})
	for line := range strings.Lines(got) {
		if strings.Contains(line, "team/app:") && len(line) > 81 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	for text, want := range map[string]int{
		"\nVerdict\n": 2, "  curl team/app:0\n": 1, "  curl team/app:7\n": 1, "  curl ": 2, "; and 18 more\n": 1, "team/app:21;": 1, "team/app:22": 0,
	} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}
	if n := strings.Count(renderAs(t, report.Explanations, "json", all, report.Options{}), `"image":`); n != len(rows) {
		t.Errorf("%d rows in JSON", n)
	}
}
