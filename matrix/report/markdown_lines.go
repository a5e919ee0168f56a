package report

import (
	"strings"

	"refmatrix/matrix"
)

// The media of Markdown: a line of text, and a cell of a table.
var (
	markdownLine = medium{text: markdownText, name: markdownCode, quotation: markdownCode}
	markdownCell = medium{text: markdownText, name: markdownCellCode, quotation: markdownCellCode}
)

// tableHead writes the first two lines of a Markdown table.
func (l *lines) tableHead(titles ...any) {
	l.tableRow(titles...)
	l.line("|%s", markup(strings.Repeat(" --- |", len(titles))))
}

// tableRow writes a line of a Markdown table.
func (l *lines) tableRow(cells ...any) {
	row := make([]markup, len(cells))
	for i, cell := range cells {
		row[i] = markdownCell.escape(cell)
	}
	l.line("| %s |", join(row, " | "))
}

// codeBlock is a line of an indented block of code, where nothing is markup.
func codeBlock(text string) markup { return markup(matrix.Printable(text)) }
