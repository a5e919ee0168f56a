package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"refmatrix/matrix"
)

// page is what the template shows. The template escapes every text for its
// place.
type page struct {
	*assets
	Headline, Images, Risk         string
	Started, Duration, Tool, Shard string
	Complete                       bool
	Summary                        matrix.Summary
	Actions, MoreActions           []pageAction
	Columns                        []htmlColumn
	Registries                     []pageRegistry // the first of all
	MoreRegistries                 int
	DiffersNote                    string
	Coverage                       *pageCoverage // nil if nothing is required
	Losses                         []pageLoss
	LossNote                       string
	Shares                         []share
	Trend                          *trend // nil if there is one scan only
	payload                        *payload
}

// pageRegistry is a line of the matrix.
type pageRegistry struct {
	ID       string
	Rows     []pageRow // that stand below it without the script
	registry *matrix.Registry
	columns  []htmlColumn
	cells    []string
}

// pageRow is one image.
type pageRow struct {
	ID  string
	row *matrix.Row
	of  int // index of its registry in the page
}

// Bounds of what the page shows without its script, because most of a large page is read with
// it: registries, and images of all of them.
const (
	maxStaticRegistries = 500
	maxStaticImages     = 200
)

// Cells are the cells of the line.
func (r pageRegistry) Cells() []pageCell {
	out := make([]pageCell, len(r.cells))
	for i, text := range r.cells {
		out[i] = pageCell{Class: r.columns[i].Class(), Text: newBreakable(text)}
		if r.columns[i].Marked {
			out[i].Class += markClass(text)
		}
	}
	return out
}

// pageCell is one cell of a line.
type pageCell struct {
	Class string
	Text  breakable
}

// Name, Severity, Reason and Detail are for the template.
func (r pageRow) Name() breakable           { return newBreakable(r.row.Image) }
func (r pageRow) Severity() matrix.Severity { return r.row.Severity }
func (r pageRow) Reason() matrix.Reason     { return r.row.Reason }
func (r pageRow) Detail() string            { return r.row.Detail }

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

// newPage gathers what the template shows of m. Registries and rows keep the ids that their
// names have before they are made printable.
func newPage(m *matrix.Matrix, o Options) *page {
	shown := printableCopy(m)
	p := &page{
		Headline:    registryHeadline(shown.Registries),
		Images:      imagesHeadline(shown),
		Risk:        riskSentence(shown.Registries),
		Started:     scanTime(m.Started),
		Tool:        shown.Tool.Name + " " + shown.Tool.Version,
		Shard:       shown.Shard,
		Complete:    m.Complete,
		Summary:     m.Summary,
		Columns:     shownColumns(shown.Registries),
		DiffersNote: differsNote,
		LossNote:    lossNote,
	}
	if took := m.Finished.Sub(m.Started); took > 0 {
		p.Duration = took.Round(100 * time.Millisecond).String()
	}
	scans, now := olderScans(m, o.History), m.ScanCounts()
	p.Shares = shares(now, scans)
	p.Trend = newTrend(append(scans, now))
	p.addLines(m, shown)
	ids := map[string]string{}
	for _, r := range p.payload.registries {
		ids[r.registry.Name] = r.ID
	}
	p.Coverage, p.Losses = newPageCoverage(shown, ids), newPageLosses(shown, ids)
	p.Actions = newPageActions(shown.Rows, ids)
	if len(p.Actions) > maxActions {
		p.Actions, p.MoreActions = p.Actions[:maxActions], p.Actions[maxActions:]
	}
	return p
}

// addLines sets the lines of the matrix. shown is the printable copy of m.
func (p *page) addLines(m, shown *matrix.Matrix) {
	index := map[string]int{}
	names := matrix.WorstFirst(m.Registries)
	for i, r := range matrix.WorstFirst(shown.Registries) { // in the order of names
		index[names[i].Name] = i
		line := pageRegistry{
			ID:       anchor("reg-", names[i].Name),
			registry: r,
			columns:  p.Columns,
		}
		for _, c := range p.Columns {
			line.cells = append(line.cells, registryCellOf(c.Key).value(r))
		}
		p.Registries = append(p.Registries, line)
	}
	ids := rowIDs(m.Rows)
	rows := make([]pageRow, len(m.Rows))
	for i := range rows {
		rows[i] = pageRow{ids[i], &shown.Rows[i], index[m.Rows[i].Registry]}
		if len(rows) <= maxStaticImages {
			to := &p.Registries[rows[i].of]
			to.Rows = append(to.Rows, rows[i])
		}
	}
	p.payload = &payload{p.Columns, p.Registries, rows}
	if all := len(p.Registries); all > maxStaticRegistries {
		p.Registries, p.MoreRegistries = p.Registries[:maxStaticRegistries], all-maxStaticRegistries
	}
}

// rowIDs returns for each row the id that links address. It follows from
// registry and image alone, so a link made last week finds the row of this week.
func rowIDs(rows []matrix.Row) []string {
	out := make([]string, len(rows))
	seen := map[string]int{}
	for i := range rows {
		id := anchor("row-", rows[i].Registry+"\x00"+rows[i].Image)
		if seen[id]++; seen[id] > 1 {
			id += fmt.Sprintf("-%d", seen[id])
		}
		out[i] = id
	}
	return out
}

// anchor is the id of what has a name.
func anchor(prefix, name string) string {
	sum := sha256.Sum256([]byte(name))
	return prefix + hex.EncodeToString(sum[:6])
}
