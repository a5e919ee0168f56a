package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"refmatrix/matrix"
)

// page is what the template shows. The template escapes every text for its
// place.
type page struct {
	*assets
	Started, Duration, Tool, Shard string
	Complete                       bool
	Summary                        matrix.Summary
	Shares                         []share
	Trend                          *trend // nil if there is one scan only
	Problems                       []pageProblem
	MoreProblems                   []pageProblem
	Coverage                       *pageCoverage // nil if nothing is required
	Losses                         *pageLosses   // nil if nothing was lost
	Facets                         []facet
	Groups                         []*rowCell
	LabelKeys                      []string
	Columns                        []htmlColumn
	Empty                          []string // keys of columns without a value in any row
	Rows                           []pageRow
	payload                        *payload
}

// pageRow is one line of the table.
type pageRow struct {
	ID    string
	Cells []pageCell
}

// pageCell is one cell of a line.
type pageCell struct {
	cell     *rowCell
	Class    string
	Text     string
	Name     breakable // in place of Text
	Unfolds  bool      // it holds the link that unfolds the row
	Expected string    // what the inventory expects of a row that differs from it
	Detail   string    // what was seen, for readers without the script
}

// breakable is a text in the parts that a line may break between.
type breakable []string

// newBreakable parts text after what separates the parts of an image reference.
func newBreakable(text string) breakable {
	var out breakable
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

// newPage gathers what the template shows of m. Rows keep the ids that their
// names have before they are made printable.
func newPage(m *matrix.Matrix, o Options) *page {
	ids := rowIDs(m.Rows)
	m = printableCopy(m)
	p := &page{
		Started:   scanTime(m.Started),
		Tool:      m.Tool.Name + " " + m.Tool.Version,
		Shard:     m.Shard,
		Complete:  m.Complete,
		Summary:   m.Summary,
		Problems:  pageProblems(m.Rows),
		Coverage:  newPageCoverage(m),
		Losses:    newPageLosses(m),
		Facets:    facets(m.Rows),
		Groups:    cellsOf("registry", "severity", "strategy", "reason", "product"),
		LabelKeys: labelKeys(m.Rows),
		Columns:   htmlColumns,
		Empty:     emptyColumns(m.Rows),
		Rows:      make([]pageRow, len(m.Rows)),
	}
	if took := m.Finished.Sub(m.Started); took > 0 {
		p.Duration = took.Round(100 * time.Millisecond).String()
	}
	scans, now := olderScans(m, o.History), m.ScanCounts()
	p.Shares = shares(now, scans)
	p.Trend = newTrend(append(scans, now))
	if len(p.Problems) > maxProblems {
		p.Problems, p.MoreProblems = p.Problems[:maxProblems], p.Problems[maxProblems:]
	}
	empty := pageCells(htmlColumns)
	for i := range m.Rows {
		p.Rows[i] = newPageRow(&m.Rows[i], ids[i], empty)
	}
	p.payload = &payload{rows: m.Rows, ids: ids}
	return p
}

// pageCells returns the cells of a row that has no values yet.
func pageCells(columns []htmlColumn) []pageCell {
	out := make([]pageCell, len(columns))
	for i, c := range columns {
		out[i] = pageCell{
			cell:    cellOf(c.Key),
			Class:   c.Class(),
			Unfolds: c.Key == "registry",
		}
	}
	return out
}

func newPageRow(r *matrix.Row, id string, empty []pageCell) pageRow {
	out := pageRow{
		ID:    id,
		Cells: slices.Clone(empty),
	}
	for i := range out.Cells {
		to := &out.Cells[i]
		to.Text = to.cell.value(r)
		switch {
		case to.cell.isName:
			to.Name = newBreakable(to.Text)
		case to.cell.key == "severity":
			to.Class += " " + to.Text
		case to.cell.key == "reason":
			to.Detail = r.Detail
			if r.Unexpected {
				to.Expected = r.Expect
			}
		}
	}
	return out
}

// rowIDs returns for each row the id that links address. It follows from
// registry and image alone, so a link made last week finds the row of this week.
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
