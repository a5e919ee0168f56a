package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
)

// column is one column of the terminal table.
type column struct {
	title string
	from  int  // shown where the terminal has this many columns
	firm  bool // never wrapped: its words are short and of a known set
	right bool
	value func(*matrix.Row) string
}

// tableColumns are the table's columns from left to right.
var tableColumns = []column{
	{"SEV", 0, true, false, func(r *matrix.Row) string { return strings.ToUpper(string(r.Severity)) }},
	{"REGISTRY", 0, false, false, func(r *matrix.Row) string { return r.Registry }},
	{"IMAGE", 0, false, false, func(r *matrix.Row) string { return r.Image }},
	{"STRATEGY", 0, true, false, func(r *matrix.Row) string { return string(r.Strategy) }},
	{"REASON", 0, false, false, func(r *matrix.Row) string {
		if r.Unexpected {
			return string(r.Reason) + " (unexpected)"
		}
		return string(r.Reason)
	}},
	{"HTTP", 100, true, true, func(r *matrix.Row) string { return number(r.Status) }},
	{"CONFIDENCE", 140, true, false, func(r *matrix.Row) string { return string(r.Confidence) }},
	{"PRODUCT", 120, false, false, productWords},
	{"FILTER", 160, true, false, filterWord},
	{"TAG SCHEMA", 160, true, false, tagWord},
	{"PUSH", 180, true, false, pushWord},
	{"REQUESTS", 180, true, true, func(r *matrix.Row) string { return number(r.Requests) }},
	{"MS", 110, true, true, func(r *matrix.Row) string { return strconv.FormatFloat(r.DurationMS, 'f', 1, 64) }},
}

// table renders for a terminal: the matrix, then what does not pass grouped by
// what is wrong, then the counts.
func table(w io.Writer, m *matrix.Matrix, o Options) error {
	p := &lines{w: w, medium: terminal, width: o.Width}
	p.line("%s", markup(grid(m, o)))
	for _, problem := range problems(m.Rows) {
		tableProblem(p, problem, o)
	}
	p.line("")
	for _, line := range tableSummary(m) {
		p.wrapped("", line)
	}
	return p.err
}

// grid draws the table within o.Width; what is too long for its column goes
// on in the next line, so that nothing is cut.
func grid(m *matrix.Matrix, o Options) string {
	shown, cells := visible(m.Rows, o.Width)
	widths := fit(shown, cells, o.Width)
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
		if i == 0 && o.Color {
			config.Transformer = func(value any) string {
				word, _ := value.(string)
				return severityColors[matrix.Severity(strings.ToLower(word))].Sprint(word)
			}
		}
		configs = append(configs, config)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
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
	return strings.Join(rendered, "\n")
}

// visible gives the columns that have a place at this width and something to
// say of these rows, and their cells from top to bottom.
func visible(rows []matrix.Row, width int) (shown []column, cells [][]string) {
	for _, c := range tableColumns {
		if width > 0 && width < c.from {
			continue
		}
		below, empty := make([]string, len(rows)), len(rows) > 0
		for i := range rows {
			below[i] = string(terminal.escape(c.value(&rows[i])))
			empty = empty && below[i] == ""
		}
		if !empty {
			shown, cells = append(shown, c), append(cells, below)
		}
	}
	return shown, cells
}

// fit gives each column the width of its longest cell, and takes from the
// widest of those that may wrap until all fit into width.
func fit(shown []column, cells [][]string, width int) []int {
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
			if !c.firm && widths[j] > minColumn && (widest < 0 || widths[j] > widths[widest]) {
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
		out = append(out, "findings: "+strings.Join(codes, ", ")+"; the Markdown report and refmatrix explain say what each means")
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

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func productWords(r *matrix.Row) string {
	if r.Product == nil {
		return ""
	}
	return strings.TrimSpace(r.Product.Name + " " + r.Product.Version)
}

func filterWord(r *matrix.Row) string {
	if r.Capabilities == nil {
		return ""
	}
	return string(r.Capabilities.Filter)
}

func tagWord(r *matrix.Row) string {
	if r.Capabilities == nil || r.Capabilities.TagSchema == nil {
		return ""
	}
	return string(r.Capabilities.TagSchema.State)
}

func pushWord(r *matrix.Row) string {
	if r.Capabilities == nil || r.Capabilities.Push == nil {
		return ""
	}
	return string(r.Capabilities.Push.Strategy)
}
