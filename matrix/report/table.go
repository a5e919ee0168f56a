package report

import (
	"fmt"
	"io"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
)

// tableColumn is a cell as the terminal's table shows it.
type tableColumn struct {
	key      string
	minWidth int  // shown if the terminal has this many columns
	noWrap   bool // never wrapped: its values are short and few
	right    bool
	title    string                   // "" = the cell's, in capitals
	value    func(*matrix.Row) string // nil = the cell's
}

// tableColumns are the table's columns from left to right.
var tableColumns = newTableColumns([]tableColumn{
	{key: "severity", noWrap: true, title: "SEV", value: func(r *matrix.Row) string {
		return strings.ToUpper(string(r.Severity))
	}},
	{key: "registry"},
	{key: "image"},
	{key: "strategy", noWrap: true},
	{key: "reason", value: func(r *matrix.Row) string {
		if r.Unexpected {
			return string(r.Reason) + " (unexpected)"
		}
		return string(r.Reason)
	}},
	{key: "status", minWidth: 100, noWrap: true, right: true},
	{key: "confidence", minWidth: 140, noWrap: true},
	{key: "software", minWidth: 120},
	{key: "filter", minWidth: 160, noWrap: true},
	{key: "tag_schema", minWidth: 160, noWrap: true},
	{key: "push", minWidth: 180, noWrap: true},
	{key: "requests", minWidth: 180, noWrap: true, right: true, value: func(r *matrix.Row) string {
		return numberOrNone(r.Requests)
	}},
	{key: "duration_ms", minWidth: 110, noWrap: true, right: true},
})

// newTableColumns returns columns with what they take from their cells.
func newTableColumns(columns []tableColumn) []tableColumn {
	for i := range columns {
		c, from := &columns[i], cellOf(columns[i].key)
		if c.title == "" {
			c.title = strings.ToUpper(from.title)
		}
		if c.value == nil {
			c.value = from.value
		}
	}
	return columns
}

// table renders for a terminal: the matrix, then what does not pass grouped by
// what is wrong, what is attached and what is not, and the counts.
func table(w io.Writer, m *matrix.Matrix, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	p.line("%s", grid(m, o))
	for _, problem := range problems(m.Rows) {
		tableProblem(p, problem, o)
	}
	tableCoverage(p, m)
	tableLosses(p, m)
	p.line("")
	for _, line := range tableSummary(m) {
		p.wrapped("", line)
	}
	return p.err
}

// grid draws the table within o.Width. What is too long for its column goes on
// in the next line, so that nothing is cut.
func grid(m *matrix.Matrix, o Options) markup {
	shown, cells := visible(m.Rows, o.Width)
	widths := fit(shown, cells, o.Width)
	t := newGrid(shown, o)
	for i := range m.Rows {
		var out pretty.Row
		for j := range shown {
			out = append(out, strings.Join(wrap(cells[j][i], widths[j]), "\n"))
		}
		t.AppendRow(out)
	}
	rendered := strings.Split(t.Render(), "\n")
	for i := range rendered {
		// The rule under the header runs on below the gap after the last column.
		rendered[i] = strings.TrimSuffix(strings.TrimRight(rendered[i], " "), "─")
	}
	return markup(strings.Join(rendered, "\n"))
}

// newGrid returns a table with the header of the columns, and no rows yet.
func newGrid(shown []tableColumn, o Options) pretty.Writer {
	t := pretty.NewWriter()
	style := pretty.StyleLight
	style.Options = pretty.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", " "
	t.SetStyle(style)
	var header pretty.Row
	var configs []pretty.ColumnConfig
	for i, c := range shown {
		header = append(header, c.title)
		config := pretty.ColumnConfig{Number: i + 1}
		if c.right {
			config.Align, config.AlignHeader = text.AlignRight, text.AlignRight
		}
		if c.key == "severity" && o.Color {
			config.Transformer = func(value any) string {
				shown, _ := value.(string)
				return severityColors[matrix.Severity(strings.ToLower(shown))].Sprint(shown)
			}
		}
		configs = append(configs, config)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	return t
}

// visible returns the columns that fit this width and have a value in some row,
// and their cells from top to bottom.
func visible(rows []matrix.Row, width int) (shown []tableColumn, cells [][]string) {
	for _, c := range tableColumns {
		if width > 0 && width < c.minWidth || isEmpty(rows, c.value) {
			continue
		}
		below := make([]string, len(rows))
		for i := range rows {
			below[i] = string(terminal.escape(c.value(&rows[i])))
		}
		shown, cells = append(shown, c), append(cells, below)
	}
	return shown, cells
}

// fit returns the width of each column: that of its longest cell, less what the
// widest of those that may wrap give up until all fit into width.
func fit(shown []tableColumn, cells [][]string, width int) []int {
	widths := make([]int, len(shown))
	total := -1 // no gap follows the last column
	for j, c := range shown {
		widths[j] = len(c.title)
		for _, cell := range cells[j] {
			widths[j] = max(widths[j], columns(cell))
		}
		total += widths[j] + 1
	}
	for width > 0 && total > width {
		widest := -1
		for j, c := range shown {
			if !c.noWrap && widths[j] > minColumn && (widest < 0 || widths[j] > widths[widest]) {
				widest = j
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

// Bounds of a problem in the table: the reports hold the rest.
const (
	maxTableRows    = 8
	maxTableAnswers = 3
	maxTableFixes   = 6
)

// tableProblem writes what is wrong, and for each fix where, and what to do.
func tableProblem(p *lines, problem problem, o Options) {
	p.line("\n%s %s (%d)", severityText(problem.severity, o), problem.reason, len(problem.rows))
	for i, f := range problem.fixes {
		if i == maxTableFixes {
			p.wrapped("  ", "and "+matrix.Quantity(len(problem.fixes)-i, "other remedy")+", in the reports")
			break
		}
		if !problem.repeatsDetails(i) {
			tableAnswers(p, f)
		}
		p.items("  at: ", p.medium.rowNames(f.rows, maxTableRows))
		if len(f.remedy) > 0 {
			p.wrapped("  do: ", f.remedy[0])
		}
	}
}

func tableAnswers(p *lines, f fix) {
	for i, a := range f.answers {
		if i == maxTableAnswers {
			p.wrapped("  ", "and "+matrix.Quantity(len(f.answers)-i, "other answer")+", in the reports")
			return
		}
		p.wrapped("  ", a.detail)
	}
}

// tableSummary returns the closing lines of the table.
func tableSummary(m *matrix.Matrix) []string {
	out := []string{rowCounts(m.Summary)}
	var strategies []string
	for _, strategy := range matrix.Strategies {
		strategies = append(strategies, fmt.Sprintf("%s %d", strategy, countStrategy(m.Rows, strategy)))
	}
	out = append(out, "strategy: "+strings.Join(strategies, ", "))
	if codes := findingCounts(m.Rows); len(codes) > 0 {
		const where = "; the Markdown report and refmatrix explain say what each means"
		out = append(out, "findings: "+strings.Join(codes, ", ")+where)
	}
	if m.Summary.Unexpected > 0 {
		out = append(out, unexpectedText(m.Summary.Unexpected))
	}
	if m.Shard != "" {
		out = append(out, "shard "+m.Shard+": the other shards hold the rest of the inventory")
	}
	if !m.Complete {
		out = append(out, "not complete: images of the inventory are missing here")
	}
	return out
}
