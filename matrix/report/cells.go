package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"refmatrix/matrix"
)

// cell is one value of a T, which is a row or a registry. Every format that shows them
// picks its columns among the cells by their keys.
type cell[T any] struct {
	key    string // its column in CSV, or what that would be called
	title  string // for people
	value  func(*T) string
	isName bool // the value names a registry or an image
}

type rowCell = cell[matrix.Row]

// rowCells is the one table of what a row can show. The value is "" if the row has
// none, and a column that is empty in every row is left out where people read.
var rowCells = []rowCell{
	{key: "registry", title: "Registry", value: func(r *matrix.Row) string { return r.Registry }, isName: true},
	{key: "url", title: "URL", value: func(r *matrix.Row) string { return r.URL }},
	{key: "image", title: "Image", value: func(r *matrix.Row) string { return r.Image }, isName: true},
	{key: "digest", title: "Digest", value: func(r *matrix.Row) string { return r.Digest }},
	{key: "severity", title: "Severity", value: func(r *matrix.Row) string { return string(r.Severity) }},
	{key: "referrers", title: "Referrers", value: func(r *matrix.Row) string { return string(r.Referrers) }},
	{key: "strategy", title: "Strategy", value: func(r *matrix.Row) string { return string(r.Strategy) }},
	{key: "confidence", title: "Confidence", value: func(r *matrix.Row) string { return string(r.Confidence) }},
	{key: "reason", title: "Reason", value: func(r *matrix.Row) string { return string(r.Reason) }},
	{key: "status", title: "HTTP", value: func(r *matrix.Row) string { return numberOrNone(r.Status) }},
	{key: "product", title: "Product", value: func(r *matrix.Row) string { return productOf(r).Name }},
	{key: "version", title: "Version", value: func(r *matrix.Row) string { return productOf(r).Version }},
	{key: "software", title: "Product", value: func(r *matrix.Row) string { return productOf(r).NameAndVersion() }},
	{key: "filter", title: "Filter", value: func(r *matrix.Row) string { return string(capabilitiesOf(r).Filter) }},
	{key: "pagination", title: "Pagination", value: func(r *matrix.Row) string {
		return string(capabilitiesOf(r).Pagination)
	}},
	{key: "tag_schema", title: "Tag schema", value: func(r *matrix.Row) string {
		if tag := capabilitiesOf(r).TagSchema; tag != nil {
			return string(tag.State)
		}
		return ""
	}},
	{key: "cosign_tags", title: "Cosign tags", value: func(r *matrix.Row) string {
		return strings.Join(capabilitiesOf(r).CosignTags, " ")
	}},
	{key: "push", title: "Push", value: func(r *matrix.Row) string {
		if push := capabilitiesOf(r).Push; push != nil {
			return string(push.Strategy)
		}
		return ""
	}},
	{key: "findings", title: "Findings", value: func(r *matrix.Row) string { return numberOrNone(len(r.Findings)) }},
	{key: "expect", title: "Expected", value: func(r *matrix.Row) string { return r.Expect }},
	{key: "unexpected", title: "Unexpected", value: func(r *matrix.Row) string {
		if r.Expect == "" {
			return "" // nothing is expected
		}
		return strconv.FormatBool(r.Unexpected)
	}},
	{key: "credentials", title: "Credentials", value: func(r *matrix.Row) string { return r.Credentials }},
	{key: "requests", title: "Requests", value: func(r *matrix.Row) string { return strconv.Itoa(r.Requests) }},
	{key: "duration_ms", title: "ms", value: func(r *matrix.Row) string {
		return strconv.FormatFloat(r.DurationMS, 'f', 1, 64)
	}},
	{key: "detail", title: "Detail", value: func(r *matrix.Row) string { return r.Detail }},
	{key: "links", title: "Links", value: func(r *matrix.Row) string {
		if r.Links == nil {
			return "" // not probed, which is not 0
		}
		return strconv.Itoa(r.Links.Total)
	}},
	{key: "links_by_kind", title: "Links by kind", value: func(r *matrix.Row) string {
		return kindCountsText(r.Links.Counts())
	}},
	{key: "coverage", title: "Coverage", value: coverageText},
	{key: "lost", title: "Lost", value: func(r *matrix.Row) string { return numberOrNone(len(r.Lost)) }},
	{key: "action", title: "What to do", value: (*matrix.Row).Action},
}

// cellIn returns the cell with the key. Keys are written in this package alone,
// so an unknown one is a mistake that every test shows.
func cellIn[T any](cells []cell[T], key string) *cell[T] {
	i := slices.IndexFunc(cells, func(c cell[T]) bool { return c.key == key })
	if i < 0 {
		panic("report: no cell " + key)
	}
	return &cells[i]
}

// cellOf returns the cell of a row with the key.
func cellOf(key string) *rowCell { return cellIn(rowCells, key) }

func cellsOf(keys ...string) []*rowCell {
	out := make([]*rowCell, len(keys))
	for i, key := range keys {
		out[i] = cellOf(key)
	}
	return out
}

// show returns the value of one T as m shows it.
func (c *cell[T]) show(one *T, m medium) markup {
	if c.isName {
		return m.escape(nameText(c.value(one)))
	}
	return m.escape(c.value(one))
}

// isEmpty reports whether there are rows or registries, and none of them has a value.
func isEmpty[T any](all []T, value func(*T) string) bool {
	for i := range all {
		if value(&all[i]) != "" {
			return false
		}
	}
	return len(all) > 0
}

// labelKeys returns every label key of the rows, sorted.
func labelKeys(rows []matrix.Row) []string {
	keys := map[string]bool{}
	for i := range rows {
		for key := range rows[i].Labels {
			keys[key] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// productOf returns the product of r, empty if none is known.
func productOf(r *matrix.Row) matrix.Product {
	if r.Product == nil {
		return matrix.Product{}
	}
	return *r.Product
}

// noCapabilities stands for those of a row that has none.
var noCapabilities matrix.Capabilities

func capabilitiesOf(r *matrix.Row) *matrix.Capabilities {
	if r.Capabilities == nil {
		return &noCapabilities
	}
	return r.Capabilities
}

// numberOrNone is n, or nothing in place of 0.
func numberOrNone(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
