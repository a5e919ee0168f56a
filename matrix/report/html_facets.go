package report

import (
	"cmp"
	"slices"

	"refmatrix/matrix"
)

// facet is one choice that narrows the table.
type facet struct {
	Key, Title, All string
	Options         []facetOption
}

type facetOption struct {
	Value string
	Count int
}

// facetKinds are the choices that the table offers besides severity.
var facetKinds = []struct {
	key, title, all string
	values          func(*matrix.Row) []string
}{
	{"strategy", "Strategy", "all strategies", cellValue("strategy")},
	{"reason", "Reason", "all reasons", cellValue("reason")},
	{"product", "Product", "all products", func(r *matrix.Row) []string {
		if r.Product == nil {
			return nil
		}
		return []string{r.Product.Name}
	}},
	{"finding", "Finding", "with or without", func(r *matrix.Row) []string {
		var codes []string
		for _, f := range r.Findings {
			codes = append(codes, f.Code)
		}
		return codes
	}},
	{"missing", "Missing", "with or without", missingKinds},
}

// missingKinds returns the required kinds that r lacks, as text.
func missingKinds(r *matrix.Row) []string { return texts(r.Missing()) }

// cellValue returns the values of a cell as a facet counts them.
func cellValue(key string) func(*matrix.Row) []string {
	c := cellOf(key)
	return func(r *matrix.Row) []string { return []string{c.value(r)} }
}

// facets returns the values that occur, the most frequent first.
func facets(rows []matrix.Row) []facet {
	var out []facet
	for _, kind := range facetKinds {
		counts := map[string]int{}
		for i := range rows {
			for _, value := range kind.values(&rows[i]) {
				counts[value]++
			}
		}
		f := facet{
			Key:   kind.key,
			Title: kind.title,
			All:   kind.all,
		}
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
