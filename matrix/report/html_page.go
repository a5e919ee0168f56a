package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"refmatrix/matrix"
)

// page is what the template shows. Every text from the matrix in it went
// through matrix.Printable, so that neither control characters nor bidirectional
// overrides reach a screen; the template escapes it for its place.
type page struct {
	*frame
	Started, Duration, Tool, Shard string
	Complete                       bool
	Summary                        matrix.Summary
	Shares                         []share
	Past                           *past // nil where there is one scan only
	Problems                       []pageProblem
	MoreProblems                   []pageProblem
	Facets                         []facet
	LabelKeys                      []string
	Rows                           []pageRow
	Empty                          []string // columns without a value in any row
	Data                           template.JS
}

// pageRow is one line of the table.
type pageRow struct {
	Registry, Image                                         name
	ID, Strategy, Confidence, Reason, Product               string
	Filter, Tag, Push, Status, Findings, MS, Expect, Detail string
	Severity                                                string
}

// name is a text in the parts that a line may break between.
type name []string

// newName parts text behind what separates the parts of an image reference.
func newName(text string) name {
	var out name
	for text != "" {
		end := strings.IndexAny(text, "/:@") + 1
		if end == 0 {
			end = len(text)
		}
		out = append(out, text[:end])
		text = text[end:]
	}
	return out
}

// String is the text as it was.
func (n name) String() string { return strings.Join(n, "") }

// minorColumns are those that the page leaves out where no row has a value.
var minorColumns = []struct {
	class string
	value func(*pageRow) string
}{
	{"confidence", func(r *pageRow) string { return r.Confidence }}, {"status", func(r *pageRow) string { return r.Status }},
	{"product", func(r *pageRow) string { return r.Product }}, {"filter", func(r *pageRow) string { return r.Filter }},
	{"tag", func(r *pageRow) string { return r.Tag }}, {"push", func(r *pageRow) string { return r.Push }},
	{"findings", func(r *pageRow) string { return r.Findings }},
}

// emptyColumns names the columns that say nothing of any row.
func emptyColumns(rows []pageRow) []string {
	var out []string
	for _, column := range minorColumns {
		said := false
		for i := range rows {
			said = said || column.value(&rows[i]) != ""
		}
		if !said {
			out = append(out, column.class)
		}
	}
	return out
}

// pageProblem is the rows that do not pass for one reason, by what they need.
type pageProblem struct {
	Severity, Reason string
	Count, More      int // rows; fixes that are not shown
	Fixes            []pageFix
}

// pageFix is the rows that need the same to be done.
type pageFix struct {
	Detail, Remedy string // no detail where it is the one before
	Registries     []string
	More           int // registries that are not named
}

// facet is one choice that narrows the table.
type facet struct {
	Key, Title, All string
	Options         []facetOption
}

type facetOption struct {
	Value string
	Count int
}

// newPage gathers what the template shows of m.
func newPage(m *matrix.Matrix, o Options) (*page, error) {
	p := &page{
		Started: scanTime(m.Started), Tool: matrix.Printable(m.Tool.Name + " " + m.Tool.Version), Shard: matrix.Printable(m.Shard),
		Complete: m.Complete, Summary: m.Summary, Facets: facets(m.Rows), LabelKeys: cleanAll(labelKeys(m.Rows)),
	}
	if took := m.Finished.Sub(m.Started); took > 0 {
		p.Duration = took.Round(100 * time.Millisecond).String()
	}
	scans := pastScans(m, o.History)
	now := m.ScanCounts()
	p.Shares = shares(now, scans)
	p.Past = newPast(append(scans, now))
	p.Problems = pageProblems(m.Rows)
	if len(p.Problems) > maxProblems {
		p.Problems, p.MoreProblems = p.Problems[:maxProblems], p.Problems[maxProblems:]
	}
	ids := rowIDs(m.Rows)
	for i := range m.Rows {
		p.Rows = append(p.Rows, newPageRow(&m.Rows[i], ids[i]))
	}
	p.Empty = emptyColumns(p.Rows)
	data, err := island(m.Rows, p.Rows)
	p.Data = data
	return p, err
}

func newPageRow(r *matrix.Row, id string) pageRow {
	return pageRow{
		ID: id, Severity: matrix.Printable(string(r.Severity)), Registry: newName(matrix.Printable(r.Registry)), Image: newName(matrix.Printable(r.Image)), Strategy: matrix.Printable(string(r.Strategy)),
		Confidence: matrix.Printable(string(r.Confidence)), Reason: matrix.Printable(string(r.Reason)), Product: matrix.Printable(cellOf("software").value(r)),
		Filter: matrix.Printable(cellOf("filter").value(r)), Tag: matrix.Printable(cellOf("tag_schema").value(r)), Push: matrix.Printable(cellOf("push").value(r)), Status: numberOrNone(r.Status),
		Findings: numberOrNone(len(r.Findings)), MS: strconv.FormatFloat(r.DurationMS, 'f', 1, 64),
		Expect: unexpected(r), Detail: matrix.Printable(r.Detail),
	}
}

// unexpected is what the inventory expects of a row that differs from it.
func unexpected(r *matrix.Row) string {
	if !r.Unexpected {
		return ""
	}
	return matrix.Printable(r.Expect)
}

// rowIDs gives each row the id that links address. It follows from registry
// and image alone, so a link made last week finds the row of this week.
func rowIDs(rows []matrix.Row) []string {
	out := make([]string, len(rows))
	seen := map[string]int{}
	for i := range rows {
		sum := sha256.Sum256([]byte(rows[i].Registry + "\x00" + rows[i].Image))
		id := "row-" + hex.EncodeToString(sum[:6])
		if seen[id]++; seen[id] > 1 {
			id += fmt.Sprintf("-%d", seen[id])
		}
		out[i] = id
	}
	return out
}

// Bounds of what is shown at once: other problems unfold, and the rows tell
// the rest.
const (
	maxProblems       = 6
	maxPageFixes      = 4
	maxPageRegistries = 6
)

func pageProblems(rows []matrix.Row) []pageProblem {
	var out []pageProblem
	for _, found := range problems(rows) {
		p := pageProblem{Severity: matrix.Printable(string(found.severity)), Reason: matrix.Printable(string(found.reason)), Count: len(found.rows)}
		for i, f := range found.fixes {
			p.Fixes = append(p.Fixes, newPageFix(f))
			if found.repeatsDetails(i) {
				p.Fixes[i].Detail = ""
			}
		}
		if len(p.Fixes) > maxPageFixes {
			p.Fixes, p.More = p.Fixes[:maxPageFixes], len(p.Fixes)-maxPageFixes
		}
		out = append(out, p)
	}
	return out
}

func newPageFix(f fix) pageFix {
	out := pageFix{Detail: matrix.Printable(f.answers[0].detail)}
	switch more := len(f.answers) - 1; {
	case more == 1:
		out.Detail += " (and one other answer)"
	case more > 1:
		out.Detail += fmt.Sprintf(" (and %d other answers)", more)
	}
	for _, registry := range groupBy(f.rows, func(r *matrix.Row) string { return r.Registry }) {
		out.Registries = append(out.Registries, matrix.Printable(registry[0].Registry))
	}
	if len(out.Registries) > maxPageRegistries {
		out.Registries, out.More = out.Registries[:maxPageRegistries], len(out.Registries)-maxPageRegistries
	}
	if len(f.remedy) > 0 {
		out.Remedy = matrix.Printable(f.remedy[0])
	}
	return out
}

// facetKinds are the choices that the table offers, beside severity.
var facetKinds = []struct {
	key, title, all string
	values          func(*matrix.Row) []string
}{
	{"strategy", "Strategy", "all strategies", func(r *matrix.Row) []string { return []string{string(r.Strategy)} }},
	{"reason", "Reason", "all reasons", func(r *matrix.Row) []string { return []string{string(r.Reason)} }},
	{"product", "Product", "all products", func(r *matrix.Row) []string {
		if r.Product == nil {
			return nil
		}
		return []string{r.Product.Name}
	}},
	{"finding", "Finding", "with or without", findingCodes},
}

func findingCodes(r *matrix.Row) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, matrix.Printable(f.Code))
	}
	return out
}

// facets lists the values that occur, the most frequent first.
func facets(rows []matrix.Row) []facet {
	var out []facet
	for _, kind := range facetKinds {
		counts := map[string]int{}
		for i := range rows {
			for _, value := range kind.values(&rows[i]) {
				counts[matrix.Printable(value)]++
			}
		}
		f := facet{Key: kind.key, Title: kind.title, All: kind.all}
		for value, n := range counts {
			f.Options = append(f.Options, facetOption{value, n})
		}
		slices.SortFunc(f.Options, func(a, b facetOption) int {
			return cmp.Or(b.Count-a.Count, cmp.Compare(a.Value, b.Value))
		})
		if len(f.Options) > 0 {
			out = append(out, f)
		}
	}
	return out
}
