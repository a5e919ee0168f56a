package report

import (
	"io"
	"strings"

	"refmatrix/matrix"
)

// markdownSection is a part of a Markdown report. If the report is too large, the last items of a
// section are left out and counted.
type markdownSection struct {
	head  string   // whole lines before the items
	items []string // each of whole lines
	noun  string   // what an item is, for matrix.Quantity
	which markup   // what follows the noun; may be ""
	files string   // the reports that hold every item
	share int      // it may take one part in so many of what is left; 0 = all of it
}

// rest is the line that stands in place of n items.
func (s *markdownSection) rest(n int) string {
	return written(func(p *lines) {
		p.line("\n%s%s left out of this report for its size: see %s.", matrix.Quantity(n, s.noun), s.which, s.files)
	})
}

// size returns the bytes of the section with all of its items.
func (s *markdownSection) size() int {
	if len(s.items) == 0 {
		return 0
	}
	n := len(s.head)
	for _, item := range s.items {
		n += len(item)
	}
	return n
}

// least returns the bytes that the section takes without its items.
func (s *markdownSection) least() int { return min(s.size(), len(s.rest(len(s.items)))) }

// fit returns the section within limit bytes, which are s.least() or more.
func (s *markdownSection) fit(limit int) string {
	size, shown := s.size(), len(s.items)
	if size <= limit {
		return s.text(shown)
	}
	size += len(s.rest(shown))
	for shown > 0 && size > limit {
		shown--
		size -= len(s.items[shown])
	}
	return s.text(shown) + s.rest(len(s.items)-shown)
}

// text returns the section with its first n items, "" if n is 0.
func (s *markdownSection) text(n int) string {
	if n == 0 {
		return ""
	}
	return s.head + strings.Join(s.items[:n], "")
}

// fitAll returns the texts of sections, which have limit bytes together. The last ones are cut
// first, but for those that may have a share alone.
func fitAll(sections []markdownSection, limit int) []string {
	limit -= leastSize(sections)
	out := make([]string, len(sections))
	for i := range sections {
		least := sections[i].least()
		out[i] = sections[i].fit(least + limit/max(1, sections[i].share))
		limit += least - len(out[i])
	}
	return out
}

// leastSize returns the bytes that sections take without their items.
func leastSize(sections []markdownSection) (n int) {
	for i := range sections {
		n += sections[i].least()
	}
	return n
}

// totalSize returns the bytes of whole sections.
func totalSize(sections []markdownSection) (n int) {
	for i := range sections {
		n += sections[i].size()
	}
	return n
}

// written returns what write writes as Markdown.
func written(write func(p *lines)) string {
	var out strings.Builder
	write(&lines{w: &out, medium: markdownLine})
	return out.String()
}

// detail is how much a report says about each thing to do.
type detail struct {
	registries int  // that are named
	answers    int  // that are quoted
	further    int  // remedies after the first
	commands   bool // they are written
}

// details are the choices, the fullest first. The last one still says what to do.
var details = []detail{
	{registries: maxNamedRegistries, answers: 10, further: 10, commands: true},
	{registries: 20, answers: 5, further: 5, commands: true},
	{registries: 10, answers: 3, further: 3, commands: true},
	{registries: 5, answers: 2, further: 2, commands: true},
	{registries: 2, answers: 1, further: 1, commands: true},
	{commands: true},
	{},
}

// fullestOf returns the sections with the most detail that fit into limit bytes.
func fullestOf(limit int, sections func(detail) []markdownSection) (out []markdownSection) {
	for _, d := range details {
		if out = sections(d); totalSize(out) <= limit {
			break
		}
	}
	return out
}

// maxAnswerRegistries bounds the registries that an answer names of those an action names.
const maxAnswerRegistries = 3

// maxShort bounds in characters what stands in every report, however small it has to be.
const maxShort = 60

// short cuts a text that a file of somebody else's can hold at any length.
func short(text string) string {
	if runes := []rune(text); len(runes) > maxShort {
		return string(runes[:maxShort]) + "…"
	}
	return text
}

func writeTexts(w io.Writer, texts []string) error {
	for _, text := range texts {
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
