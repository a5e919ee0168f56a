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

// The times between two updates of the progress.
const (
	plainEvery = 5 * time.Second
	barEvery   = 100 * time.Millisecond
)

// progressView shows a running scan on stderr.
type progressView struct {
	w       io.Writer
	verbose bool

	mu    sync.Mutex
	state *scanState

	bar     progress.Writer
	tracker *progress.Tracker
	drawing sync.WaitGroup // the bar

	quit     chan struct{} // ends repeat
	updating sync.WaitGroup
}

// newProgress starts the view; mode is bar, plain or none.
func newProgress(mode string, w io.Writer, inv *inventory.Inventory, verbose bool) *progressView {
	p := &progressView{
		w:       w,
		verbose: verbose,
		state:   newScanState(inv, time.Now()),
		quit:    make(chan struct{}),
	}
	switch mode {
	case "bar":
		p.startBar()
	case "plain":
		p.updating.Go(func() { p.repeat(plainEvery, 0, func(line string) { fmt.Fprintln(p.w, line) }) })
	}
	return p
}

const (
	trackerLength = 10

	// barRoom is what stands beside the message in a line of the bar: a blank, the
	// percentage, a blank and the tracker, and the last column, after which some terminals
	// wrap.
	barRoom = 1 + len("100%") + 1 + trackerLength + 1
)

func (p *progressView) startBar() {
	columns := width(p.w)
	room := max(columns-barRoom, 10)
	p.bar = progress.NewWriter()
	p.bar.SetOutputWriter(p.w)
	p.bar.SetTerminalWidth(columns) // a line that wraps is never erased again
	p.bar.SetUpdateFrequency(barEvery)
	p.bar.SetAutoStop(true) // ends when the tracker is done, also if it was before the first line
	p.bar.SetTrackerLength(trackerLength)
	p.bar.SetMessageLength(room)
	p.bar.SetStyle(progress.StyleBlocks)
	style := p.bar.Style()
	style.Visibility.Time = false // the message says what is left
	style.Visibility.Value = false
	style.Options.PercentFormat = "%3.0f%%"
	style.Options.Separator = " "
	p.tracker = &progress.Tracker{
		Message:          p.state.line(time.Now(), room),
		Total:            int64(p.state.images),
		AutoStopDisabled: true, // stop ends it, with the last message
	}
	p.bar.AppendTracker(p.tracker)
	p.drawing.Go(p.bar.Render)
	p.updating.Go(func() { p.repeat(barEvery, room, p.showBar) })
}

// showBar has the bar show line and what was measured. The caller holds p.mu.
func (p *progressView) showBar(line string) {
	p.tracker.UpdateMessage(line)
	p.tracker.SetValue(int64(p.state.rows))
}

// repeat shows a line of at most room columns again and again until the view is stopped.
func (p *progressView) repeat(every time.Duration, room int, show func(line string)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			p.mu.Lock()
			show(p.state.line(now, room))
			p.mu.Unlock()
		case <-p.quit:
			return
		}
	}
}

// event takes one event of the scanner.
func (p *progressView) event(e scanner.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.add(e, time.Now())
	if p.verbose && e.Row != nil {
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
	p.updating.Wait() // an update would have the tracker go on
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.showBar(p.state.counts())
	if p.state.rows == p.state.images {
		p.tracker.MarkAsDone()
	} else {
		p.tracker.MarkAsErrored()
	}
	p.drawing.Wait()
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
