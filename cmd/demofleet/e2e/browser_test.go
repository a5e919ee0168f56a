package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	bounded, end := context.WithTimeout(ctx, 60*time.Second)
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

// texts returns the text of a cell of every line of a kind that is shown, in order: of-registry
// or of-image.
func (p *page) texts(kind, class string) []string {
	p.Helper()
	return get(p, chromedp.Evaluate[[]string](fmt.Sprintf(`[...document.querySelectorAll('#matrix tr.%s > .%s')].map((cell) => (cell.querySelector('a') || cell).textContent.trim())`, kind, class)))
}

// sheet returns the text of what is unfolded, once its exchanges are there.
func (p *page) sheet() string {
	p.Helper()
	for p.number(`document.querySelectorAll('.detail').length && !document.querySelector('.detail [aria-busy]') ? 1 : 0`) == 0 {
		// The page reads them meanwhile; its context ends the wait.
	}
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
// request. Its matrix of registries sorts and unfolds to images, what is looked for is a list of
// images, and a link finds its registry or image.
func TestPage(t *testing.T) {
	f, inventory := start(t, fleet.Options{})
	out := refmatrix(t, "scan", "-q", "-i", inventory, "--probe", "full", "--fail-on", "never", "-f", "html,json")
	f.ClearRequests()
	p := openPage(t, filepath.Join(out, "matrix.html"))
	p.screenshot("report.png")

	if got := p.texts("of-registry", "severity"); len(got) != 10 || got[0] != "fail" || got[9] != "pass" {
		t.Errorf("registries, worst first: %q", got)
	}
	p.columnsFit()
	p.run(chromedp.Click(`th[data-key=registry] .heading`))
	if got := p.texts("of-registry", "registry"); got[0] != "distribution-anonymous" || !slices.IsSorted(got) {
		t.Errorf("sorted by name: %q", got)
	}
	p.run(chromedp.Click(`th[data-key=severity] .heading`), chromedp.Click(`th[data-key=severity] .heading`))
	if got := p.texts("of-registry", "severity"); got[0] != "pass" || p.number(`document.querySelectorAll('[aria-sort=descending]').length`) != 1 {
		t.Errorf("sorted by severity, the other way: %q", got)
	}
	p.run(chromedp.Click(`.of-registry a`))
	if got := p.texts("of-image", "registry"); len(got) != 3 {
		t.Errorf("the first registry unfolds to %q", got)
	}
	p.run(chromedp.Click(`button[data-unfold]`))
	if got := p.texts("of-image", "registry"); len(got) != 19 {
		t.Errorf("unfolded: %q", got)
	}
	p.run(chromedp.Click(`button[data-unfold]`))
	if got := p.texts("of-image", "registry"); len(got) != 0 {
		t.Errorf("folded up: %q", got)
	}
	p.lookForImages()
	p.followLinks()
	p.onPhoneAndPaper()
	p.clean()
}

// columnsFit checks that capabilities and clients are there at 1366 pixels, that no heading
// is cut, and that names have room.
func (p *page) columnsFit() {
	p.Helper()
	p.run(chromedp.EmulateViewport(1366, 900))
	for _, class := range []string{"filter", "tag-schema", "client-oras", "client-cosign", "client-regctl", "client-containerd"} {
		if p.number(`document.querySelector('th.`+class+`').clientWidth`) < 50 {
			p.Errorf("the column %s is not shown at 1366 px", class)
		}
	}
	if n := p.number(`[...document.querySelectorAll('#matrix > thead th .heading')].filter((one) => one.getBoundingClientRect().right > one.parentElement.getBoundingClientRect().right).length`); n != 0 {
		p.Errorf("%v headings are cut", n)
	}
	if n := p.number(`[...document.querySelectorAll('#matrix tr[id] > .registry')].filter((cell) => cell.clientWidth < 150).length`); n != 0 {
		p.Errorf("%v names are narrow", n)
	}
	if over := p.number(`document.documentElement.scrollWidth - innerWidth`); over > 0 {
		p.Errorf("at 1366 px the page is %v px too wide", over)
	}
	p.screenshot("1366.png")
	p.run(chromedp.EmulateReset())
}

// lookForImages filters, searches and groups.
func (p *page) lookForImages() {
	p.Helper()
	p.run(chromedp.Click(`[data-severity=warn]`))
	if got := p.texts("of-image", "severity"); len(got) != 8 || len(p.texts("of-registry", "registry")) != 0 {
		p.Errorf("filtered by severity: %q", got)
	}
	p.run(chromedp.SendKeys(`input[name=search]`, "ggcr alpine"))
	if got := p.texts("of-image", "registry"); len(got) != 1 || !strings.HasPrefix(got[0], "library/alpine") {
		p.Errorf("searched: %q", got)
	}
	// What to do shows its images whatever was filtered before.
	p.run(chromedp.Click(`[data-action=fail]`))
	if got := p.texts("of-image", "reason"); len(got) != 1 || got[0] != "connect" {
		p.Errorf("shown from what to do: %q", got)
	}
	p.run(chromedp.Click(`button[data-todo]`))
	if got := p.texts("of-registry", "registry"); len(got) != 10 {
		p.Errorf("what to do is taken back: %q", got)
	}
	p.run(chromedp.SetValue(`select[name=group]`, "strategy"), script(`document.getElementById('controls').dispatchEvent(new Event('input'))`))
	if n := p.number(`document.querySelectorAll('.group').length`); n != 3 || len(p.texts("of-image", "registry")) != 19 {
		p.Errorf("%v groups", n)
	}
	p.screenshot("groups.png")
	p.run(chromedp.Click(`button[type=reset]`))
}

// followLinks opens an image and a registry by their addresses, and by the keyboard alone.
func (p *page) followLinks() {
	p.Helper()
	p.run(chromedp.Click(`[data-severity=pass]`))
	id := get(p, chromedp.Evaluate[string](`document.querySelector('tr.of-image').id`))
	p.run(chromedp.Click(`button[type=reset]`), script(`location.hash = '`+id+`'`))
	sheet := p.sheet()
	for _, want := range []string{"Evidence", "What clients will do", "Exchanges", "/v2/library/alpine/referrers/"} {
		if !strings.Contains(sheet, want) {
			p.Errorf("the sheet lacks %s:\n%s", want, sheet)
		}
	}
	p.screenshot("row.png")
	if n := p.number(`document.querySelectorAll('tr.of-registry.open, tr.of-image.open').length`); n != 2 {
		p.Errorf("%v lines are unfolded, want a registry and an image", n)
	}
	p.run(script(`document.activeElement.blur()`), script(`document.querySelector('.places a').click()`), chromedp.WaitVisible(`tr.of-registry.open > .severity.is-fail`))
	p.run(chromedp.Focus(`th[data-key=strategy] .heading`), chromedp.KeyEvent("\r"))
	if n := p.number(`document.querySelectorAll('th[data-key=strategy][aria-sort=ascending]').length`); n != 1 {
		p.Error("Enter on a heading does not sort")
	}
	p.run(chromedp.Focus(`tr.of-registry:not(.open) a`), chromedp.KeyEvent(" "))
	if n := p.number(`document.querySelectorAll('tr.of-registry.open').length`); n != 3 {
		p.Errorf("the space bar unfolds: %v registries are open, want 3", n)
	}
}

// onPhoneAndPaper checks what is shown of the page where it is narrow, and printed.
func (p *page) onPhoneAndPaper() {
	p.Helper()
	p.run(chromedp.EmulateViewport(390, 800))
	if over := p.number(`document.documentElement.scrollWidth - innerWidth`); over > 0 {
		p.Errorf("on a phone the page is %v px too wide", over)
	}
	if n := p.number(`[...document.querySelectorAll('.exchanges td.answer')].filter((cell) => cell.clientWidth === 0 || cell.getBoundingClientRect().right > innerWidth).length`); n != 0 {
		p.Errorf("on a phone %v answers lie beyond the edge", n)
	}
	p.screenshot("phone.png")
	p.run(chromedp.EmulateViewport(1000, 700), script(`dispatchEvent(new Event('beforeprint'))`), onPaper)
	if got := p.texts("of-image", "registry"); len(got) != 19 {
		p.Errorf("on paper stand the images %q", got)
	}
	if n := p.number(`document.querySelectorAll('#matrix button').length`); n != 0 {
		p.Errorf("%v buttons stand in the table, which print as empty bands", n)
	}
	if head := get(p, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('#matrix > thead')).display`)); head != "table-header-group" {
		p.Errorf("on paper the table's head is %s", head)
	}
	p.screenshot("paper.png")
	p.run(script(`dispatchEvent(new Event('afterprint'))`))
	if got := p.texts("of-image", "registry"); len(got) == 19 {
		p.Error("after printing every image is still unfolded")
	}
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
	p.run(chromedp.Click(`#matrix tr[id] > .severity`), chromedp.Click(`#matrix tr.of-image > .severity`))
	title, sheet := get(p, chromedp.Title()), p.sheet()
	if title == "owned" || !strings.Contains(sheet, "<img src=x") || strings.ContainsAny(sheet, "\u202e\u001b") {
		t.Errorf("title %q, sheet %q", title, sheet)
	}
	if n := p.number(`document.images.length + [...document.scripts].filter((one) => !one.type.startsWith('application/')).length`); n != 1 {
		t.Errorf("%v images and scripts, want the page's own script", n)
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
