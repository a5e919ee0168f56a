package report_test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/matrix/migration"
	"refmatrix/matrix/report"
)

// options are all that the printed commands begin an argument with "-" for.
var options = strings.Fields("-r -n -g -gsS -i -I -k -H -u -d --all --insecure --concurrency --src-tls-verify=false --dest-tls-verify=false " +
	"--from-plain-http --to-plain-http --host --referrers --digest-tags --path-as-is --cacert --cert --key --data-urlencode")

// TestPrintedArguments: whatever a matrix.json names, no command that is printed has an
// option that we did not write. A host or an image that begins with "-" would be one.
func TestPrintedArguments(t *testing.T) {
	for _, address := range []string{
		"https://-o", "https://--config=x:5000", "http://-o", "-o", "--config=x", "https:///--config=x", "https://--config=x@h", "//-x", "https://-x/base",
		"https://h,--tls=disabled", "https://[-x]", "https://h", "http://h:5000/",
	} {
		for _, image := range []string{"team/app:1", "-o:1", "--config=x", "/-x", ""} {
			for _, command := range commands(t, address, image) {
				for word := range strings.FieldsSeq(strings.ReplaceAll(command, "'", "")) {
					if strings.HasPrefix(word, "-") && !slices.Contains(options, word) {
						t.Errorf("%s of %s: %s", image, address, command)
					}
				}
			}
		}
	}
}

// commands are the lines with a command that the reports print of an image.
func commands(t *testing.T, address, image string) []string {
	t.Helper()
	one := 1
	row := matrix.Row{
		Registry:     "from",
		URL:          address,
		Image:        image,
		Strategy:     matrix.ReferrersAPI,
		Referrers:    matrix.Supported,
		Reason:       matrix.ReferrersListed,
		Capabilities: &matrix.Capabilities{Descriptors: &one, Pagination: matrix.PageSingle, TagSchema: &matrix.TagSchema{State: matrix.TagAbsent}, CosignTags: []string{}},
		Clients:      map[string]matrix.Forecast{"oras": {Read: matrix.OutcomeAPI, Push: matrix.OutcomeAPI}, "regctl": {Read: matrix.OutcomeAPI, Push: matrix.OutcomeAPI}},
		Exchanges:    []matrix.Exchange{{Step: "manifest", Method: "GET", URL: address + "/v2/" + image, Status: 200}},
	}
	to := row
	to.Registry, to.URL = "to", "https://to.example"
	var lines []string
	for _, pair := range [][2]matrix.Row{{row, to}, {to, row}} {
		a, err := migration.Assess(&matrix.Matrix{Rows: pair[:1]}, &matrix.Matrix{Rows: pair[1:]})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Images[0].Copies {
			lines = append(lines, c.Command)
		}
		for _, format := range []string{"text", "markdown"} {
			var out bytes.Buffer
			renderer, _ := report.Assessments.Find(format)
			if err := renderer.Render(&out, a, report.Options{}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
					lines = append(lines, command)
				}
			}
		}
	}
	access := report.Access{
		URL:         &url.URL{Scheme: "https", Host: "h"},
		SameOrigin:  func(a, b *url.URL) bool { return a.Host == b.Host },
		ParseBearer: func(string) (map[string]string, bool) { return nil, false },
	}
	return append(lines, report.Curl(access, []matrix.Row{row})[0]...)
}
