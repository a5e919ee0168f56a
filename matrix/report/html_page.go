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
// through clean, so that neither control characters nor bidirectional
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
	Count, More      int // rows; mends that are not shown
	Mends            []pageMend
}

// pageMend is a set of rows that need the same mend.
type pageMend struct {
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
		Started: scanTime(m.Started), Tool: clean(m.Tool.Name + " " + m.Tool.Version), Shard: clean(m.Shard),
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
	if len(p.Problems) > shownProblems {
		p.Problems, p.MoreProblems = p.Problems[:shownProblems], p.Problems[shownProblems:]
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

func scanTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func newPageRow(r *matrix.Row, id string) pageRow {
	return pageRow{
		ID: id, Severity: clean(string(r.Severity)), Registry: newName(clean(r.Registry)), Image: newName(clean(r.Image)), Strategy: clean(string(r.Strategy)),
		Confidence: clean(string(r.Confidence)), Reason: clean(string(r.Reason)), Product: clean(productWords(r)),
		Filter: clean(filterWord(r)), Tag: clean(tagWord(r)), Push: clean(pushWord(r)), Status: number(r.Status),
		Findings: number(len(r.Findings)), MS: strconv.FormatFloat(r.DurationMS, 'f', 1, 64),
		Expect: unexpected(r), Detail: clean(r.Detail),
	}
}

// unexpected is what the inventory expects of a row that differs from it.
func unexpected(r *matrix.Row) string {
	if !r.Unexpected {
		return ""
	}
	return clean(r.Expect)
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
	shownProblems   = 6
	shownPageMends  = 4
	shownPagePlaces = 6
)

func pageProblems(rows []matrix.Row) []pageProblem {
	var out []pageProblem
	for _, found := range problems(rows) {
		p := pageProblem{Severity: clean(string(found.severity)), Reason: clean(string(found.reason)), Count: len(found.rows)}
		for i, m := range found.mends {
			p.Mends = append(p.Mends, newPageMend(m))
			if i > 0 && slices.Equal(m.details(), found.mends[i-1].details()) {
				p.Mends[i].Detail = ""
			}
		}
		if len(p.Mends) > shownPageMends {
			p.Mends, p.More = p.Mends[:shownPageMends], len(p.Mends)-shownPageMends
		}
		out = append(out, p)
	}
	return out
}

func newPageMend(m mend) pageMend {
	out := pageMend{Detail: clean(m.seen[0].detail)}
	switch more := len(m.seen) - 1; {
	case more == 1:
		out.Detail += " (and one other answer)"
	case more > 1:
		out.Detail += fmt.Sprintf(" (and %d other answers)", more)
	}
	for _, registry := range alike(m.rows, func(r *matrix.Row) string { return r.Registry }) {
		out.Registries = append(out.Registries, clean(registry[0].Registry))
	}
	if len(out.Registries) > shownPagePlaces {
		out.Registries, out.More = out.Registries[:shownPagePlaces], len(out.Registries)-shownPagePlaces
	}
	if len(m.remedy) > 0 {
		out.Remedy = clean(m.remedy[0])
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
		out = append(out, clean(f.Code))
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
				counts[clean(value)]++
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
