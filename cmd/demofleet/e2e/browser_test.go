package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"refmatrix/cmd/demofleet/fleet"
)

// page is a report open in headless Chromium.
type page struct {
	testing.TB
	context.Context

	mu       sync.Mutex
	problems []string
}

// openPage opens a file in a fresh Chromium and notes everything that the page
// complains of or asks the network for.
func openPage(t testing.TB, path string) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1400, 900),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(60*time.Second))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	bounded, end := context.WithTimeout(ctx, 20*time.Second)
	t.Cleanup(func() {
		end()
		_ = chromedp.Cancel(ctx)
		cancel()
		stop()
	})
	p := &page{TB: t, Context: bounded}
	if err := chromedp.Listen(bounded, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.note(fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *log.EventEntryAdded:
			p.note("log: " + e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			p.note(fmt.Sprintf("console: %v", e.Args))
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, "file://") && !strings.HasPrefix(e.Request.URL, "data:") {
				p.note("request: " + e.Request.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	p.run(chromedp.Navigate("file://"+path), chromedp.WaitVisible("#controls"))
	return p
}

func (p *page) note(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problem)
}

func (p *page) run(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.Context, steps...); err != nil {
		p.clean()
		p.Fatal(err)
	}
}

// get returns the value of an action.
func get[T any](p *page, action chromedp.Action[T]) T {
	p.Helper()
	value, err := chromedp.Run(p.Context, action)
	if err != nil {
		p.Fatal(err)
	}
	return value
}

// texts returns the text of a cell of every row that is shown, in order.
func (p *page) texts(class string) []string {
	p.Helper()
	return get(p, chromedp.Evaluate[[]string](fmt.Sprintf(`[...document.querySelectorAll('#matrix tr[id]:not([hidden]) > .%s')].map((cell) => cell.textContent.trim())`, class)))
}

// sheet returns the text of the one row that is unfolded.
func (p *page) sheet() string {
	p.Helper()
	return get(p, chromedp.Evaluate[string](`[...document.querySelectorAll('.detail')].map((sheet) => sheet.innerText).join()`))
}

func (p *page) number(script string) float64 {
	p.Helper()
	return get(p, chromedp.Evaluate[float64](script))
}

// script runs a line of JavaScript for its effect.
func script(line string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[any](line)(ctx, target)
		return chromedp.Void{}, err
	}
}

// onPaper shows the page as it is printed.
func onPaper(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	return chromedp.Void{}, err
}

func (p *page) screenshot(name string) {
	p.Helper()
	dir := os.Getenv("REFMATRIX_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), get(p, chromedp.FullScreenshot(100)), 0o644); err != nil {
		p.Fatal(err)
	}
}

// clean fails where the page complained or asked the network.
func (p *page) clean() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.Error(problem)
	}
}

// TestPage: the HTML report of the fleet opens without an error and without a
// request, sorts, filters, groups, and unfolds a row that a link names.
func TestPage(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	out := refmatrix(t, "scan", "-q", "-i", inventory, "--probe", "full", "--fail-on", "never", "-f", "html,json")
	f.ClearRequests()
	p := openPage(t, filepath.Join(out, "matrix.html"))
	p.screenshot("report.png")

	if n := len(p.texts("severity")); n != 19 {
		t.Errorf("%d rows, want 19", n)
	}
	// Names have room and are shown whole; a column that no row fills is not there.
	if n := p.number(`[...document.querySelectorAll('#matrix tr[id] > :is(.registry, .image)')].filter((cell) => cell.clientWidth < 180 || cell.scrollHeight > cell.clientHeight + 1).length`); n != 0 {
		t.Errorf("%v names are narrow or cut", n)
	}
	p.run(chromedp.EmulateViewport(1900, 1000))
	if empty, filled := p.number(`document.querySelector('th.push').clientWidth`), p.number(`document.querySelector('th.filter').clientWidth`); empty != 0 || filled == 0 {
		t.Errorf("the empty column Push is %v px wide, Filter %v", empty, filled)
	}
	p.run(chromedp.EmulateReset())
	p.run(chromedp.Click(`th[data-key=severity] button`))
	if got := p.texts("severity"); got[0] != "fail" || got[len(got)-1] != "pass" {
		t.Errorf("sorted by severity: %q", got)
	}
	p.run(chromedp.Click(`th[data-key=severity] button`))
	if got := p.texts("severity"); got[0] != "pass" || p.number(`document.querySelectorAll('[aria-sort=descending]').length`) != 1 {
		t.Errorf("sorted the other way: %q", got)
	}
	p.run(chromedp.Click(`[data-severity=warn]`))
	if got := p.texts("severity"); len(got) != 8 {
		t.Errorf("filtered by severity: %q", got)
	}
	p.run(chromedp.SendKeys(`input[name=search]`, "ggcr alpine"))
	if got := p.texts("registry"); len(got) != 1 || got[0] != "ggcr-tags" {
		t.Errorf("searched: %q", got)
	}
	// What to do shows its rows whatever was filtered before.
	p.run(chromedp.Click(`[data-reason=connect]`))
	if got := p.texts("registry"); len(got) != 1 || got[0] != "down" {
		t.Errorf("shown from what to do: %q", got)
	}
	p.run(chromedp.Click(`button[type=reset]`), chromedp.SetValue(`select[name=group]`, "strategy"),
		script(`document.getElementById('controls').dispatchEvent(new Event('input'))`))
	if n := p.number(`document.querySelectorAll('.group').length`); n != 3 || len(p.texts("registry")) != 19 {
		t.Errorf("%v groups", n)
	}
	p.run(script(`location.hash = document.querySelector('#matrix tr[id]').id`))
	sheet := p.sheet()
	for _, want := range []string{"Evidence", "What clients will do", "Exchanges", "/v2/library/alpine/referrers/"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the sheet lacks %s:\n%s", want, sheet)
		}
	}
	p.screenshot("row.png")
	// Keyboard alone: the heading's button and the row's link are reached by it.
	p.run(chromedp.Focus(`th[data-key=image] button`), chromedp.KeyEvent("\r"))
	if n := p.number(`document.querySelectorAll('th[data-key=image][aria-sort=ascending]').length`); n != 1 {
		t.Error("Enter on a heading does not sort")
	}
	p.run(chromedp.EmulateViewport(390, 800))
	if over := p.number(`document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("on a phone the page is %v px too wide", over)
	}
	if n := p.number(`[...document.querySelectorAll('.exchanges td.answer')].filter((cell) => cell.clientWidth === 0 || cell.getBoundingClientRect().right > innerWidth).length`); n != 0 {
		t.Errorf("on a phone %v answers lie beyond the edge", n)
	}
	p.screenshot("phone.png")
	// A sheet of paper is as narrow where it stands upright, and has a table all the same.
	p.run(chromedp.EmulateViewport(700, 1000), onPaper)
	if n := p.number(`[...document.querySelectorAll('#matrix tr[id] > .reason')].filter((cell) => cell.getBoundingClientRect().left !== document.querySelector('th[data-key=reason]').getBoundingClientRect().left).length`); n != 0 {
		t.Errorf("on paper %v reasons do not stand below their heading", n)
	}
	p.screenshot("paper.png")
	p.clean()
}

// TestHostilePage: names and bodies that a registry or an inventory could put
// into a report neither run nor change the page.
func TestHostilePage(t *testing.T) {
	evil := `</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">|=cmd` + "\u202e\u001b[31m"
	dir := t.TempDir()
	writeMatrix(t, filepath.Join(dir, "matrix.json"), []map[string]any{{
		"registry": evil, "url": "https://" + evil, "image": evil, "labels": map[string]string{evil: evil},
		"severity": "warn", "referrers": "unsupported", "strategy": "referrers-tag", "confidence": "proven", "reason": evil,
		"detail": evil, "remedy": []string{evil}, "requests": 1, "duration_ms": 1.0,
		"exchanges": []map[string]any{{"step": evil, "method": "GET", "url": evil, "content_type": evil, "error": evil, "headers": map[string]string{evil: evil}}},
	}})
	runCommand(t, "report", filepath.Join(dir, "matrix.json"), "-f", "html", "-o", dir)
	p := openPage(t, filepath.Join(dir, "matrix.html"))
	p.run(chromedp.Click(`#matrix tr[id] > .severity`))
	title, sheet := get(p, chromedp.Title()), p.sheet()
	if title == "owned" || !strings.Contains(sheet, "<img src=x") || strings.ContainsAny(sheet, "\u202e\u001b") {
		t.Errorf("title %q, sheet %q", title, sheet)
	}
	if n := p.number(`document.images.length + document.scripts.length`); n != 2 {
		t.Errorf("%v images and scripts, want the page's own 2", n)
	}
	p.clean()
}

// writeMatrix writes rows as a matrix.json.
func writeMatrix(t testing.TB, path string, rows []map[string]any) {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{
		"schema": "refmatrix/v1", "tool": map[string]string{"name": "refmatrix", "version": "test"}, "complete": true,
		"started": "2026-11-23T06:00:00Z", "finished": "2026-11-23T06:00:09Z", "rows": rows,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, encoded, 0o644); err != nil {
		t.Fatal(err)
	}
}

// runCommand runs the built command, which has to end well.
func runCommand(t testing.TB, args ...string) {
	t.Helper()
	if output, err := exec.Command(os.Getenv("REFMATRIX"), args...).CombinedOutput(); err != nil {
		t.Fatalf("refmatrix %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// BenchmarkPage tells how long a report of 5,000 rows takes to open and to
// sort, in milliseconds; the goals are 2,000 and 300.
func BenchmarkPage(b *testing.B) {
	dir := b.TempDir()
	rows := make([]map[string]any, 5000)
	for i := range rows {
		name := fmt.Sprintf("registry-%04d", i*7919%5000)
		rows[i] = map[string]any{
			"registry": name, "url": "https://" + name + ".example.com", "image": "library/alpine:latest", "labels": map[string]string{"env": "prod", "team": fmt.Sprint(i % 40)},
			"digest": "sha256:" + strings.Repeat(fmt.Sprintf("%04d", i), 16), "severity": []string{"pass", "warn", "info", "fail"}[i%4], "referrers": "supported",
			"strategy": "referrers-api", "confidence": "proven", "reason": "referrers-listed", "detail": "HTTP 200 with an OCI index of 2 descriptors: the referrers API works.",
			"remedy": []string{}, "status": 200, "requests": 4, "duration_ms": float64(i % 977),
			"exchanges": []map[string]any{
				{"step": "resolve", "method": "HEAD", "url": "https://" + name + ".example.com/v2/library/alpine/manifests/latest", "status": 200, "bytes": 0, "ms": 12.1},
				{"step": "referrers", "method": "GET", "url": "https://" + name + ".example.com/v2/library/alpine/referrers/sha256:" + strings.Repeat("a", 64), "status": 200, "bytes": 641, "ms": 10.4},
			},
		}
	}
	writeMatrix(b, filepath.Join(dir, "matrix.json"), rows)
	runCommand(b, "report", filepath.Join(dir, "matrix.json"), "-f", "html", "-o", dir)
	p := openPage(b, filepath.Join(dir, "matrix.html"))
	const loaded = `performance.getEntriesByType('navigation')[0].loadEventEnd`
	const sort = `(() => { const start = performance.now(); document.querySelector('th[data-key=registry] button').click(); document.body.offsetHeight; return performance.now() - start; })()`
	open, slowest := 0.0, 0.0
	for b.Loop() {
		p.run(chromedp.Reload(), chromedp.WaitVisible("#controls"))
		open = max(open, p.number(loaded))
		slowest = max(slowest, p.number(sort), p.number(sort))
	}
	b.ReportMetric(open, "open-ms")
	b.ReportMetric(slowest, "sort-ms")
	b.ReportMetric(0, "ns/op")
}
