package report

import (
	"slices"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
)

// gridColumn is a column of a terminal's table whose lines are each a T.
type gridColumn[T any] struct {
	minWidth int  // shown if the terminal has this many columns
	noWrap   bool // never wrapped: its values are short and few
	least    int  // how narrow it may get; 0 = minColumn
	right    bool
	severity bool // its values are severities in capitals, and get their colours
	title    string
	value    func(*T) string
}

// of returns c with what it takes from its cell: the title in capitals and the value, if it has
// none of its own.
func (c gridColumn[T]) of(from *cell[T]) gridColumn[T] {
	if c.title == "" {
		c.title = strings.ToUpper(from.title)
	}
	if c.value == nil {
		c.value = from.value
	}
	return c
}

// grid draws a table within o.Width. What is too long for its column goes on
// in the next line, so that nothing is cut.
func grid[T any](columns []gridColumn[T], all []T, o Options) markup {
	shown, cells := visible(columns, all, o.Width)
	widths := fit(shown, cells, o.Width)
	t := newGrid(shown, widths, o)
	for i := range all {
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
func newGrid[T any](shown []gridColumn[T], widths []int, o Options) pretty.Writer {
	t := pretty.NewWriter()
	style := pretty.StyleLight
	style.Options = pretty.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", " "
	t.SetStyle(style)
	var header pretty.Row
	var configs []pretty.ColumnConfig
	for i, c := range shown {
		header = append(header, strings.Join(wrap(c.title, widths[i]), "\n"))
		config := pretty.ColumnConfig{Number: i + 1}
		if c.right {
			config.Align, config.AlignHeader = text.AlignRight, text.AlignRight
		}
		if c.severity && o.Color {
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

// visible returns the columns that fit this width and have a value in some line,
// and their cells from top to bottom.
func visible[T any](columns []gridColumn[T], all []T, width int) (shown []gridColumn[T], cells [][]string) {
	for _, c := range columns {
		if width > 0 && width < c.minWidth || isEmpty(all, c.value) {
			continue
		}
		below := make([]string, len(all))
		for i := range all {
			below[i] = string(terminal.escape(c.value(&all[i])))
		}
		shown, cells = append(shown, c), append(cells, below)
	}
	return shown, cells
}

// fit returns the width of each column: that of its longest cell, less what the widest of
// those that may wrap give up until all fit into width. If that is not enough, all columns
// give up, first to minColumn and then to what one wide character takes.
func fit[T any](shown []gridColumn[T], cells [][]string, width int) []int {
	widths := make([]int, len(shown))
	total := -1 // no gap follows the last column
	for j, c := range shown {
		for _, cell := range append(slices.Clone(cells[j]), c.title) {
			widths[j] = max(widths[j], columns(cell))
		}
		total += widths[j] + 1
	}
	if width == 0 {
		return widths
	}
	excess := narrow(widths, total-width, func(j int) int {
		if shown[j].noWrap {
			return widths[j]
		}
		return max(shown[j].least, minColumn)
	})
	for _, least := range []int{minColumn, 2} {
		excess = narrow(widths, excess, func(int) int { return least })
	}
	return widths
}

// narrow takes excess columns from widths, one by one from the widest that is over its least
// width, and returns how many it could not take.
func narrow(widths []int, excess int, least func(column int) int) int {
	for ; excess > 0; excess-- {
		widest := -1
		for j := range widths {
			if widths[j] > least(j) && (widest < 0 || widths[j] > widths[widest]) {
				widest = j
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return excess
}
