package report

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"refmatrix/matrix"
)

// terminal is a screen, a log or a mail of plain text.
var terminal = medium{text: matrix.Printable, name: matrix.Printable}

// minColumn is how narrow a column may get before a table or a paragraph grows
// wider than the terminal.
const minColumn = 8

var severityColors = map[matrix.Severity]text.Colors{
	matrix.Pass: {text.FgGreen},
	matrix.Info: {text.FgCyan},
	matrix.Warn: {text.FgYellow},
	matrix.Fail: {text.FgRed, text.Bold},
}

// severityText is the severity in capitals, in its colour if the terminal shows
// colours.
func severityText(severity matrix.Severity, o Options) markup {
	shown := terminal.escape(strings.ToUpper(string(severity)))
	if o.Color {
		return markup(severityColors[severity].Sprint(string(shown)))
	}
	return shown
}

// columns is how many columns of a terminal line takes up.
func columns(line string) int { return text.StringWidthWithoutEscSequences(line) }

// breakAfter are the characters after which a name is best broken.
const breakAfter = "/:@,;-"

// wrap breaks a paragraph into lines of at most width columns, 0 for no bound. A line
// ends at a blank, which is dropped; without one, after one of breakAfter;
// without these either, anywhere. A character that is wider than width stands
// alone.
func wrap(paragraph string, width int) []string {
	if width <= 0 || columns(paragraph) <= width {
		return []string{paragraph}
	}
	var out []string
	for runes := []rune(paragraph); len(runes) > 0; {
		end, next := lineEnd(runes, width)
		if part := strings.TrimRight(string(runes[:end]), " "); part != "" {
			out = append(out, part)
		}
		for next < len(runes) && runes[next] == ' ' {
			next++
		}
		runes = runes[next:]
	}
	return out
}

// lineEnd returns where the first line of runes ends and where the next begins.
func lineEnd(runes []rune, width int) (end, next int) {
	used, blank, mark := 0, 0, 0
	for end < len(runes) && (end == 0 || used+text.RuneWidth(runes[end]) <= width) {
		used += text.RuneWidth(runes[end])
		switch {
		case runes[end] == ' ':
			blank = end
		case strings.ContainsRune(breakAfter, runes[end]):
			mark = end + 1
		}
		end++
	}
	switch {
	case end == len(runes) || runes[end] == ' ':
		return end, end
	case blank > 0:
		return blank, blank
	case mark > 0:
		return mark, mark
	}
	return end, end
}
