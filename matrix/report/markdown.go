package report

import (
	"fmt"
	"io"
	"strings"

	"refmatrix/matrix"
)

// maxMarkdown bounds the report in bytes, for GitHub refuses a step summary
// over 1 MiB; maxClosing is kept for its last lines.
const (
	maxMarkdown = 900 << 10
	maxClosing  = 64 << 10
)

// markdown renders GitHub Flavored Markdown: a summary, the matrix, and what
// to do about each row that does not pass.
func markdown(w io.Writer, m *matrix.Matrix, _ Options) error {
	budget := &budgeted{w: w, left: maxMarkdown}
	p := &lines{w: budget, escape: markdownText}
	p.line("# Referrers matrix\n")
	p.line("%s\n", verbatim(markdownSentence(m)))
	p.markdownSummary(m)
	p.markdownRows(m)
	p.markdownProblems(m)
	p.markdownFindings(m)
	cut := budget.cut
	budget.cut, budget.left = false, maxClosing
	if cut {
		p.line("\nThe report is cut here for its size; matrix.json and matrix.csv hold all of it.")
	}
	p.markdownClosing(m)
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

// markdownSentence says in a sentence what the report holds.
func markdownSentence(m *matrix.Matrix) string {
	s := fmt.Sprintf("%s of %s: %s", matrix.Quantity(m.Summary.Rows, "image"), matrix.Quantity(m.Summary.Registries, "registry"), SeverityCounts(m.Summary))
	if m.Summary.Unexpected > 0 {
		s += "; " + unexpectedWords(m.Summary.Unexpected)
	}
	if m.Shard != "" {
		s += ". This is shard " + markdownText(m.Shard) + " of the inventory"
	}
	if !m.Complete {
		s += ". The scan is not complete: images of the inventory are missing here"
	}
	return s + "."
}

// markdownClosing is the only place with times, so that two runs over the same
// answers differ in nothing else.
func (l *lines) markdownClosing(m *matrix.Matrix) {
	l.line("\n---\nMeasured by %s %s, %s to %s.", m.Tool.Name, m.Tool.Version, verbatim(scanTime(m.Started)), verbatim(scanTime(m.Finished)))
}

func (l *lines) markdownSummary(m *matrix.Matrix) {
	l.line("| Severity | Images | Meaning |\n| --- | ---: | --- |")
	for _, severity := range matrix.Severities {
		l.line("| %s | %d | %s |", severity, m.Summary.Count(severity), severityMeaning[severity])
	}
	l.line("\n| Strategy | Images | Meaning |\n| --- | ---: | --- |")
	for _, strategy := range matrix.Strategies {
		l.line("| %s | %d | %s |", strategy, countStrategy(m.Rows, strategy), strategyMeaning[strategy])
	}
	l.line("")
}

// markdownColumns are those of the matrix; one that is empty in every row is
// left out. Their cells are markup.
var markdownColumns = []struct {
	title string
	value func(*matrix.Row) string
}{
	{"Severity", func(r *matrix.Row) string {
		if r.Severity == matrix.Fail || r.Severity == matrix.Warn {
			return "**" + markdownText(string(r.Severity)) + "**"
		}
		return markdownText(string(r.Severity))
	}},
	{"Registry", func(r *matrix.Row) string { return markdownText(r.Registry) }},
	{"Image", func(r *matrix.Row) string { return markdownText(r.Image) }},
	{"Strategy", func(r *matrix.Row) string { return markdownText(string(r.Strategy)) }},
	{"Reason", func(r *matrix.Row) string {
		if r.Unexpected {
			return markdownText(string(r.Reason) + " (expected " + r.Expect + ")")
		}
		return markdownText(string(r.Reason))
	}},
	{"Confidence", func(r *matrix.Row) string { return markdownText(string(r.Confidence)) }},
	{"Product", func(r *matrix.Row) string { return markdownText(productWords(r)) }},
	{"Filter", func(r *matrix.Row) string { return markdownText(filterWord(r)) }},
	{"Tag schema", func(r *matrix.Row) string { return markdownText(tagWord(r)) }},
	{"Push", func(r *matrix.Row) string { return markdownText(pushWord(r)) }},
}

func (l *lines) markdownRows(m *matrix.Matrix) {
	cells := make([][]string, len(m.Rows)+2)
	for _, c := range markdownColumns {
		values, empty := []string{c.title, "---"}, len(m.Rows) > 0
		for i := range m.Rows {
			value := c.value(&m.Rows[i])
			values, empty = append(values, value), empty && value == ""
		}
		for i := range cells {
			if !empty {
				cells[i] = append(cells[i], values[i])
			}
		}
	}
	l.line("## Matrix\n")
	for _, row := range cells {
		l.line("| %s |", verbatim(strings.Join(row, " | ")))
	}
}

// Bounds of a list of places.
const markdownPlaces = 50

// markdownProblems writes a section for each reason of a row that does not
// pass; rows that need the same share one list of remedies, and those that
// read the same one paragraph.
func (l *lines) markdownProblems(m *matrix.Matrix) {
	for i, p := range problems(m.Rows) {
		if i == 0 {
			l.line("\n## What to do")
		}
		l.line("\n### %s: %s", p.severity, p.reason)
		for _, mend := range p.mends {
			for _, s := range mend.seen {
				l.line("\n%s\n", s.detail)
				for i, r := range s.rows {
					if i == markdownPlaces {
						l.line("- and %d more", len(s.rows)-i)
						break
					}
					l.line("- %s, %s", r.Registry, r.Image)
				}
			}
			for i, remedy := range mend.remedy {
				if i == 0 {
					l.line("")
				}
				l.line("%d. %s", i+1, remedy)
			}
		}
	}
}

// markdownFindings lists what was found beside the verdicts, each finding
// with the places it holds for.
func (l *lines) markdownFindings(m *matrix.Matrix) {
	var order []string
	at := map[string][]*matrix.Row{}
	for i := range m.Rows {
		for _, f := range m.Rows[i].Findings {
			if at[f.Text] == nil {
				order = append(order, f.Text)
			}
			at[f.Text] = append(at[f.Text], &m.Rows[i])
		}
	}
	if len(order) == 0 {
		return
	}
	l.line("\n## Findings\n")
	for _, finding := range order {
		l.line("- %s (%s)", finding, strings.Join(places(at[finding], markdownPlaces), "; "))
	}
}
