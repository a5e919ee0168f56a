package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"refmatrix/matrix"
	"refmatrix/matrix/report"
	"refmatrix/scanner"
	"refmatrix/scanner/inventory"
)

// plainEvery is the time between two lines of plain progress.
const plainEvery = 5 * time.Second

// progressView shows a running scan on stderr.
type progressView struct {
	w       io.Writer
	verbose bool
	images  int
	began   time.Time

	mu         sync.Mutex
	rows       int
	inFlight   int
	registries int
	bySeverity map[matrix.Severity]int

	bar     progress.Writer
	tracker *progress.Tracker
	quit    chan struct{}
	ended   sync.WaitGroup
}

// newProgress starts the view; mode is bar, plain or none.
func newProgress(mode string, w io.Writer, inv *inventory.Inventory, verbose bool) *progressView {
	p := &progressView{
		w:          w,
		verbose:    verbose,
		images:     inv.ImageCount(),
		began:      time.Now(),
		bySeverity: map[matrix.Severity]int{},
		quit:       make(chan struct{}),
	}
	switch mode {
	case "bar":
		p.startBar()
	case "plain":
		p.ended.Go(p.printLines)
	}
	return p
}

// barRoom is what stands beside the message in a line of the bar: percentage,
// tracker, time, ETA and speed at their longest.
const barRoom = 48

func (p *progressView) startBar() {
	columns := width(p.w)
	p.bar = progress.NewWriter()
	p.bar.SetOutputWriter(p.w)
	p.bar.SetTerminalWidth(columns) // a line that wraps is never erased again
	p.bar.SetUpdateFrequency(100 * time.Millisecond)
	p.bar.SetTrackerLength(10)
	p.bar.SetMessageLength(max(columns-barRoom, 10))
	p.bar.SetStyle(progress.StyleBlocks)
	style := p.bar.Style()
	style.Visibility.ETA = true
	style.Visibility.Speed = true
	style.Visibility.Value = false // the percentage and the message say it
	style.Options.PercentFormat = "%3.0f%%"
	style.Options.Separator = " "
	style.Options.TimeInProgressPrecision = time.Second
	p.tracker = &progress.Tracker{Message: "probing", Total: int64(p.images)}
	p.bar.AppendTracker(p.tracker)
	p.ended.Go(p.bar.Render)
}

func (p *progressView) printLines() {
	tick := time.NewTicker(plainEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			line := p.line()
			p.mu.Unlock()
			fmt.Fprintln(p.w, line)
		case <-p.quit:
			return
		}
	}
}

// line is a line of plain progress. The caller holds p.mu.
func (p *progressView) line() string {
	seconds := time.Since(p.began).Seconds()
	speed := float64(p.rows) / max(seconds, 0.001)
	left := "unknown"
	if p.rows > 0 {
		left = (time.Duration(float64(p.images-p.rows)/speed) * time.Second).String()
	}
	return fmt.Sprintf("%d/%d images, %d registries done, %d in flight, %s, %.1f images/s, %s left",
		p.rows, p.images, p.registries, p.inFlight, p.counts(), speed, left)
}

func (p *progressView) counts() string {
	var counts []string
	for _, severity := range matrix.Severities {
		if n := p.bySeverity[severity]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, severity))
		}
	}
	if len(counts) == 0 {
		return "no rows yet"
	}
	return strings.Join(counts, " ")
}

// event takes one event of the scanner.
func (p *progressView) event(e scanner.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.Row == nil {
		p.inFlight++
		return
	}
	p.inFlight--
	p.rows++
	p.bySeverity[e.Row.Severity]++
	if e.Last {
		p.registries++
	}
	if p.tracker != nil {
		p.tracker.UpdateMessage(fmt.Sprintf("%d done, %d open: %s", p.registries, p.inFlight, p.counts()))
		p.tracker.Increment(1)
	}
	if p.verbose {
		line := matrix.Printable(fmt.Sprintf("%s %s %s: %s", e.Row.Severity, e.Row.Registry, e.Row.Image, e.Row.Detail))
		if p.bar != nil {
			p.bar.Log("%s", line)
		} else {
			fmt.Fprintln(p.w, line)
		}
	}
}

// stop ends the view; nothing is printed after it returns.
func (p *progressView) stop() {
	close(p.quit)
	if p.bar != nil {
		if !p.tracker.IsDone() {
			p.tracker.MarkAsErrored()
		}
		p.bar.Stop()
	}
	p.ended.Wait()
}

// printOutcome is the closing line on stderr, fit for the mail of a cron job.
func printOutcome(w io.Writer, m *matrix.Matrix, inv *inventory.Inventory, written []string) {
	s := m.Summary
	took := m.Finished.Sub(m.Started).Round(time.Millisecond)
	fmt.Fprintf(w, "refmatrix: %d of %s of %s measured in %s: %s", s.Rows, matrix.Quantity(inv.ImageCount(), "image"),
		matrix.Quantity(len(inv.Registries), "registry"), took, report.SeverityCounts(s))
	if s.Unexpected > 0 {
		fmt.Fprintf(w, ", %d unexpected", s.Unexpected)
	}
	fmt.Fprintln(w)
	if len(written) > 0 {
		fmt.Fprintf(w, "refmatrix: wrote %s\n", strings.Join(written, ", "))
	}
}

// printTimes sums where the time of all requests went.
func printTimes(w io.Writer, m *matrix.Matrix) {
	var sum matrix.Phases
	var total float64
	requests := 0
	for i := range m.Rows {
		for _, x := range m.Rows[i].Exchanges {
			requests++
			total += x.MS
			if x.Phases != nil {
				sum.DNS += x.Phases.DNS
				sum.Connect += x.Phases.Connect
				sum.TLS += x.Phases.TLS
				sum.FirstByte += x.Phases.FirstByte
			}
		}
	}
	fmt.Fprintf(w, "refmatrix: %d requests, %.0f ms on the wire: dns %.0f, connect %.0f, tls %.0f, first byte %.0f\n",
		requests, total, sum.DNS, sum.Connect, sum.TLS, sum.FirstByte)
}
