package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLinksPage: coverage, the worklist and lost links stand on the page and in the details of
// a row, the images that lack a kind can be chosen, and nothing is wider than a phone.
func TestLinksPage(t *testing.T) {
	dir := t.TempDir()
	digest := func(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }
	var rows []map[string]any
	for i := range 9 {
		row := map[string]any{
			"registry": fmt.Sprintf("a-registry-with-a-long-name-%d", i), "url": "https://registry.example.com",
			"image": "team/an-image-with-a-long-name:2.1.0-rc1", "labels": map[string]string{"env": "prod"}, "digest": digest("1"),
			"severity": "pass", "referrers": "supported", "strategy": "referrers-api", "confidence": "proven", "reason": "referrers-listed",
			"detail": "The referrers API works.", "remedy": []string{}, "requests": 1, "duration_ms": 1.0,
			"coverage": map[string]string{"signature": "present", "sbom": "absent"},
		}
		if i == 0 {
			row["coverage"] = map[string]string{"signature": "present", "sbom": "unknown"}
			row["links"] = map[string]any{"total": 1, "by_kind": map[string]int{"signature": 1}, "asked": []string{"api"}, "items": []map[string]any{{
				"digest": digest("2"), "kind": "signature", "where": []string{"api", "tag"}, "subject": digest("3"), "platform": "linux/arm64", "depth": 1,
				"artifact_type": "application/vnd.cncf.notary.signature",
			}}}
			row["lost"] = []map[string]any{{"digest": digest("4"), "kind": "sbom", "subject": digest("1"), "since": "2026-11-02T06:00:00Z"}}
		}
		rows = append(rows, row)
	}
	writeMatrix(t, filepath.Join(dir, "matrix.json"), rows)
	runCommand(t, "report", filepath.Join(dir, "matrix.json"), "-f", "html", "-o", dir)
	p := openPage(t, filepath.Join(dir, "matrix.html"))
	page := get(p, chromedp.Evaluate[string](`document.querySelector('main').innerText`))
	for _, want := range []string{"Presence, not validity", "0% of 8 present", "cosign attest --type spdxjson", "regctl image copy --referrers"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	p.run(chromedp.Click(`tr.of-registry a`), chromedp.Click(`tr.of-image a`))
	sheet := p.sheet()
	for _, want := range []string{
		"signature 222222222222 on linux/arm64, in api tag, application/vnd.cncf.notary.signature", "Links: 1 (signature 1)", "sbom unknown", "sbom 444444444444 of 111111111111 since 2026-11-02",
	} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the details lack %q:\n%s", want, sheet)
		}
	}
	p.run(chromedp.EmulateViewport(390, 800), script(`document.querySelectorAll('details').forEach((one) => { one.open = true; })`))
	if over := p.number(`document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("on a phone the page is %v px too wide", over)
	}
	if n := p.number(`[...document.querySelectorAll('.coverage tr > :nth-child(4)')].filter((cell) => cell.getBoundingClientRect().right > innerWidth).length`); n != 0 {
		t.Errorf("on a phone %v counts of what is not known lie beyond the edge", n)
	}
	p.screenshot("links-phone.png")
	p.run(chromedp.EmulateReset(), chromedp.SetValue(`select[name=missing]`, "sbom"),
		script(`document.getElementById('controls').dispatchEvent(new Event('input'))`))
	if n := len(p.texts("of-image", "registry")); n != 8 {
		t.Errorf("%d images lack an SBOM, want 8", n)
	}
	p.screenshot("links.png")
	p.clean()
}
