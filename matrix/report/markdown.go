package report

import (
	"fmt"
	"io"
	"strings"

	"refmatrix/matrix"
)

// maxMarkdown bounds the report in bytes: GitHub refuses a step summary over
// 1 MiB.
const maxMarkdown = 900 << 10

// markdown renders GitHub Flavored Markdown: a summary, the matrix, and what
// to do about each row that does not pass.
type markdown struct{}

// Render implements Renderer.
func (markdown) Render(w io.Writer, m *matrix.Matrix, _ Options) error {
	budget := &budgeted{w: w, left: maxMarkdown}
	p := &lines{w: budget}
	p.line("# Referrers matrix\n")
	p.line("%s.\n", severitySentence(m))
	p.markdownSummary(m)
	p.markdownRows(m)
	p.markdownProblems(m)
	if budget.cut {
		_, err := io.WriteString(w, "\nThe report is cut here for its size; matrix.json and matrix.csv hold all of it.\n\n"+closing(m))
		return err
	}
	if p.err == nil {
		_, p.err = io.WriteString(w, closing(m))
	}
	return p.err
}

// budgeted stops writing at whole lines once its room is used up.
type budgeted struct {
	w    io.Writer
	left int
	cut  bool
}

func (b *budgeted) Write(line []byte) (int, error) {
	if b.cut || len(line) > b.left {
		b.cut = true
		return len(line), nil
	}
	b.left -= len(line)
	return b.w.Write(line)
}

func severitySentence(m *matrix.Matrix) string {
	s := fmt.Sprintf("%d images of %d registries: %s", m.Summary.Rows, m.Summary.Registries, severityCounts(m.Summary))
	if m.Summary.Unexpected > 0 {
		s += fmt.Sprintf("; %d differ from what the inventory expects", m.Summary.Unexpected)
	}
	if !m.Complete {
		s += ". The scan is not complete: images of the inventory are missing here"
	}
	return s
}

// closing is the only place with times, so that two runs over the same
// answers differ in nothing else.
func closing(m *matrix.Matrix) string {
	const layout = "2006-01-02 15:04:05 UTC"
	return fmt.Sprintf("\n---\n%s %s, %s to %s\n", markdownText(m.Tool.Name), markdownText(m.Tool.Version),
		m.Started.UTC().Format(layout), m.Finished.UTC().Format(layout))
}

func (l *lines) markdownSummary(m *matrix.Matrix) {
	l.line("| Severity | Rows |  | Strategy | Rows |")
	l.line("| --- | ---: | --- | --- | ---: |")
	for i, severity := range matrix.Severities {
		strategy, n := "", ""
		if i < len(matrix.Strategies) {
			strategy = string(matrix.Strategies[i])
			n = fmt.Sprint(countStrategy(m.Rows, matrix.Strategies[i]))
		}
		l.line("| %s | %d |  | %s | %s |", severity, m.Summary.Count(severity), strategy, n)
	}
	l.line("")
}

func (l *lines) markdownRows(m *matrix.Matrix) {
	l.line("## Matrix\n")
	l.line("| Severity | Registry | Image | Strategy | Reason | Confidence | Product | Filter | Tag schema | Push |")
	l.line("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for i := range m.Rows {
		r := &m.Rows[i]
		severity := string(r.Severity)
		if r.Severity == matrix.Fail || r.Severity == matrix.Warn {
			severity = "**" + severity + "**"
		}
		reason := string(r.Reason)
		if r.Unexpected {
			reason += " (expected " + r.Expect + ")"
		}
		l.line("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |", severity, markdownText(r.Registry), markdownText(r.Image),
			r.Strategy, markdownText(reason), r.Confidence, markdownText(productWords(r)),
			markdownText(filterWord(r)), markdownText(tagWord(r)), markdownText(pushWord(r)))
	}
}

// markdownProblems writes a section for every row that does not pass; rows
// that read the same share one.
func (l *lines) markdownProblems(m *matrix.Matrix) {
	first := true
	for _, g := range groups(m.Rows) {
		for _, same := range alike(g.rows) {
			if first {
				l.line("\n## What to do")
				first = false
			}
			l.markdownProblem(g, same)
		}
	}
	l.markdownFindings(m)
}

// alike parts rows into those with the same detail and remedies.
func alike(rows []*matrix.Row) [][]*matrix.Row {
	var out [][]*matrix.Row
	index := map[string]int{}
	for _, r := range rows {
		key := r.Detail + "\x00" + strings.Join(r.Remedy, "\x00")
		at, ok := index[key]
		if !ok {
			at = len(out)
			index[key] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], r)
	}
	return out
}

const markdownPlaces = 50

func (l *lines) markdownProblem(g problem, rows []*matrix.Row) {
	l.line("\n### %s: %s\n", g.severity, g.reason)
	l.line("%s\n", markdownText(rows[0].Detail))
	for i, r := range rows {
		if i == markdownPlaces {
			l.line("- and %d more", len(rows)-i)
			break
		}
		l.line("- %s, %s", markdownText(r.Registry), markdownText(r.Image))
	}
	if len(rows[0].Remedy) > 0 {
		l.line("")
		for i, remedy := range rows[0].Remedy {
			l.line("%d. %s", i+1, markdownText(remedy))
		}
	}
}

// markdownFindings lists what was found beside the verdicts, each finding
// with the places it holds for.
func (l *lines) markdownFindings(m *matrix.Matrix) {
	var order []string
	places := map[string][]string{}
	for i := range m.Rows {
		for _, f := range m.Rows[i].Findings {
			if places[f.Text] == nil {
				order = append(order, f.Text)
			}
			places[f.Text] = append(places[f.Text], m.Rows[i].Registry+" "+m.Rows[i].Image)
		}
	}
	if len(order) == 0 {
		return
	}
	l.line("\n## Findings\n")
	for _, finding := range order {
		at := places[finding]
		more := ""
		if len(at) > markdownPlaces {
			more = fmt.Sprintf(", and %d more", len(at)-markdownPlaces)
			at = at[:markdownPlaces]
		}
		l.line("- %s (%s%s)", markdownText(finding), markdownText(strings.Join(at, "; ")), more)
	}
}
