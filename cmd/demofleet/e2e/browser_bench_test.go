package e2e

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// BenchmarkPage measures how long a report takes to open and to sort, in milliseconds, with
// 10,000 rows, and how many times as long as with 2,500. The times may grow as the rows do, which
// is by 4: more means that something looks at every row for every row.
func BenchmarkPage(b *testing.B) {
	few, many := newLargePage(b, 2500), newLargePage(b, 10_000)
	for b.Loop() {
		few.measure()
		many.measure()
	}
	b.ReportMetric(many.open, "open-ms")
	b.ReportMetric(many.sort, "sort-ms")
	b.ReportMetric(many.open/few.open, "open-ratio")
	b.ReportMetric(many.sort/few.sort, "sort-ratio")
	b.ReportMetric(many.bytes/1e6, "MB")
	b.ReportMetric(0, "ns/op")
}

// largePage is a report of many rows, with the shortest times that it took.
type largePage struct {
	*page
	open, sort, bytes float64
}

// newLargePage renders a report of rows of ten images at each registry.
func newLargePage(b *testing.B, n int) *largePage {
	dir := b.TempDir()
	rows := make([]map[string]any, n)
	for i := range rows {
		name := fmt.Sprintf("registry-%04d", i/10)
		image := fmt.Sprintf("team-%d/app-%d", i%40, i%10)
		url := "https://" + name + ".example.com"
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(name+image)))
		rows[i] = map[string]any{
			"registry": name, "url": url, "image": image + ":latest", "labels": map[string]string{"env": "prod", "team": fmt.Sprint(i % 40)},
			"digest": digest, "severity": []string{"pass", "warn", "info", "fail"}[i/10%4], "referrers": "supported",
			"strategy": "referrers-api", "confidence": "proven", "reason": "referrers-listed", "detail": "HTTP 200 with an OCI index of 2 descriptors: the referrers API works.",
			"remedy": []string{}, "status": 200, "requests": 4, "duration_ms": float64(i % 977),
			"exchanges": []map[string]any{
				{"step": "resolve", "method": "HEAD", "url": url + "/v2/" + image + "/manifests/latest", "status": 200, "bytes": 0, "ms": 12.1},
				{"step": "referrers", "method": "GET", "url": url + "/v2/" + image + "/referrers/" + digest, "status": 200, "bytes": 641, "ms": 10.4},
			},
		}
	}
	writeMatrix(b, filepath.Join(dir, "matrix.json"), rows)
	runCommand(b, "report", filepath.Join(dir, "matrix.json"), "-f", "html", "-o", dir)
	file, err := os.Stat(filepath.Join(dir, "matrix.html"))
	if err != nil {
		b.Fatal(err)
	}
	return &largePage{
		page:  openPage(b, filepath.Join(dir, "matrix.html")),
		open:  math.Inf(1),
		sort:  math.Inf(1),
		bytes: float64(file.Size()),
	}
}

// measure opens the page once more, and sorts every image of it.
func (p *largePage) measure() {
	const ready = `performance.getEntriesByName('ready')[0].startTime`
	const sort = `(() => { const start = performance.now(); document.querySelector('th[data-key=registry] .heading').click(); document.body.offsetHeight; return performance.now() - start; })()`
	p.run(chromedp.Reload(), chromedp.WaitVisible("#controls"))
	p.open = min(p.open, p.number(ready))
	p.run(chromedp.SetValue(`select[name=group]`, "severity"), script(`document.getElementById('controls').dispatchEvent(new Event('input'))`))
	p.sort = min(p.sort, p.number(sort), p.number(sort))
}
