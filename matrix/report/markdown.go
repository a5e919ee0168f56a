package report

import (
	"io"

	"refmatrix/matrix"
)

// maxClosing is kept for the last lines of a report, in bytes.
const maxClosing = 64 << 10

// markdown renders GitHub Flavored Markdown: a summary, the matrix, and what
// to do about each row that does not pass.
func markdown(w io.Writer, m *matrix.Matrix, _ Options) error {
	budget := &budgeted{w: w, left: MaxMarkdown}
	p := &lines{w: budget, medium: markdownLine}
	p.line("# Referrers matrix\n")
	p.line("%s\n", markdownSentence(m))
	markdownSummary(p, m)
	markdownRows(p, m)
	markdownProblems(p, m)
	markdownCoverage(p, m)
	markdownLosses(p, m)
	markdownFindings(p, m)
	cut := budget.cut
	budget.cut, budget.left = false, maxClosing
	if cut {
		p.line("\nThe report is cut here for its size; matrix.json and matrix.csv hold all of it.")
	}
	markdownClosing(p, m)
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
func markdownSentence(m *matrix.Matrix) markup {
	s := markdownLine.escape(rowCounts(m.Summary))
	if m.Summary.Unexpected > 0 {
		s += markdownLine.sprintf("; %s", unexpectedText(m.Summary.Unexpected))
	}
	if m.Shard != "" {
		s += markdownLine.sprintf(". This is shard %s of the inventory", m.Shard)
	}
	if !m.Complete {
		s += ". The scan is not complete: images of the inventory are missing here"
	}
	return s + "."
}

// markdownClosing is the only place with times, so that two runs over the same
// answers differ in nothing else.
func markdownClosing(p *lines, m *matrix.Matrix) {
	tool := p.medium.sprintf("%s %s", m.Tool.Name, m.Tool.Version)
	p.line("\n---\nMeasured by %s, %s to %s.", tool, scanTime(m.Started), scanTime(m.Finished))
}

func markdownSummary(p *lines, m *matrix.Matrix) {
	p.line("| Severity | Images | Meaning |\n| --- | ---: | --- |")
	for _, severity := range matrix.Severities {
		p.tableRow(severity, m.Summary.Count(severity), severityMeaning[severity])
	}
	p.line("\n| Strategy | Images | Meaning |\n| --- | ---: | --- |")
	for _, strategy := range matrix.Strategies {
		p.tableRow(strategy, countStrategy(m.Rows, strategy), strategyMeaning[strategy])
	}
	p.line("")
}

// markdownColumns are those of the matrix; one that is empty in every row is
// left out.
var markdownColumns = []struct {
	key  string
	show func(*matrix.Row) markup // nil = as the cell is
}{
	{"severity", func(r *matrix.Row) markup {
		if r.Severity == matrix.Fail || r.Severity == matrix.Warn {
			return markdownCell.sprintf("**%s**", r.Severity)
		}
		return markdownCell.escape(r.Severity)
	}},
	{"registry", nil},
	{"image", nil},
	{"strategy", nil},
	{"reason", func(r *matrix.Row) markup {
		if r.Unexpected {
			return markdownCell.escape(string(r.Reason) + " (expected " + r.Expect + ")")
		}
		return markdownCell.escape(r.Reason)
	}},
	{"confidence", nil},
	{"software", nil},
	{"filter", nil},
	{"tag_schema", nil},
	{"push", nil},
}

func markdownRows(p *lines, m *matrix.Matrix) {
	var head []any
	body := make([][]any, len(m.Rows))
	for _, column := range markdownColumns {
		c, show := cellOf(column.key), column.show
		if isEmpty(m.Rows, c.value) {
			continue
		}
		if show == nil {
			show = func(r *matrix.Row) markup { return c.show(r, markdownCell) }
		}
		head = append(head, c.title)
		for i := range m.Rows {
			body[i] = append(body[i], show(&m.Rows[i]))
		}
	}
	p.line("## Matrix\n")
	p.tableHead(head...)
	for _, row := range body {
		p.tableRow(row...)
	}
}

// maxMarkdownRows bounds the images that a list names.
const maxMarkdownRows = 50

// markdownProblems writes a section for each reason of a row that does not
// pass. Rows that need the same share one list of remedies, and those that read
// the same one paragraph.
func markdownProblems(p *lines, m *matrix.Matrix) {
	for i, problem := range problems(m.Rows) {
		if i == 0 {
			p.line("\n## What to do")
		}
		p.line("\n### %s: %s", problem.severity, problem.reason)
		for _, f := range problem.fixes {
			for _, a := range f.answers {
				markdownAnswer(p, a)
			}
			for i, remedy := range f.remedy {
				if i == 0 {
					p.line("")
				}
				p.line("%d. %s", i+1, remedy)
			}
		}
	}
}

func markdownAnswer(p *lines, a answer) {
	p.line("\n%s\n", detailText(a.detail))
	for i, r := range a.rows {
		if i == maxMarkdownRows {
			p.line("- and %d more", len(a.rows)-i)
			return
		}
		p.line("- %s, %s", nameText(r.Registry), nameText(r.Image))
	}
}

// markdownFindings lists what was found beside the verdicts, each finding with
// the images that have it.
func markdownFindings(p *lines, m *matrix.Matrix) {
	var order []string
	found := map[string][]*matrix.Row{}
	for i := range m.Rows {
		for _, f := range m.Rows[i].Findings {
			if found[f.Text] == nil {
				order = append(order, f.Text)
			}
			found[f.Text] = append(found[f.Text], &m.Rows[i])
		}
	}
	if len(order) == 0 {
		return
	}
	p.line("\n## Findings\n")
	for _, text := range order {
		p.line("- %s (%s)", text, join(p.medium.rowNames(found[text], maxMarkdownRows), "; "))
	}
}
