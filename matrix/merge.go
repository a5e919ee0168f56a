package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Merge joins matrices of shards or of separate networks. Rows stand in the
// order of the registry names given (an inventory's), those it does not name
// behind them in the order of the parts. Where two parts hold the same
// registry and image, the newer scan's row stays; that, and shards that are
// missing, is told in warnings. The error says that the parts do not go
// together.
func Merge(parts []*Matrix, order []string) (*Matrix, []string, error) {
	if len(parts) == 0 {
		return nil, nil, errors.New("nothing to merge")
	}
	joined := &Matrix{Schema: Schema, Tool: parts[0].Tool, Started: parts[0].Started, Finished: parts[0].Finished, Complete: true}
	var warnings []string
	for _, part := range parts {
		if part.Schema != Schema {
			return nil, nil, fmt.Errorf("cannot merge schema %q: this refmatrix reads %s", part.Schema, Schema)
		}
		if part.Tool != joined.Tool {
			warnings = append(warnings, fmt.Sprintf("parts come from %s %s and %s %s", joined.Tool.Name, joined.Tool.Version, part.Tool.Name, part.Tool.Version))
		}
		if part.Started.Before(joined.Started) {
			joined.Started = part.Started
		}
		if part.Finished.After(joined.Finished) {
			joined.Finished = part.Finished
		}
		joined.Complete = joined.Complete && part.Complete
	}
	if missing := missingShards(parts); missing != "" {
		joined.Complete = false
		warnings = append(warnings, missing)
	}
	rows, doubled := joinRows(parts)
	joined.Rows = inOrder(rows, order)
	joined.Summary = Summarise(joined.Rows)
	return joined, append(warnings, doubled...), nil
}

// missingShards words which shards of a set are not there; "" where the parts
// are no shards or are all.
func missingShards(parts []*Matrix) string {
	count := 0
	have := map[int]bool{}
	for _, part := range parts {
		if part.Shard == "" {
			continue
		}
		index, n, err := ParseShard(part.Shard)
		if err != nil || count != 0 && n != count {
			return fmt.Sprintf("shard %q does not belong to a set of %d", part.Shard, count)
		}
		count = n
		have[index] = true
	}
	var missing []string
	for i := 1; i <= count; i++ {
		if !have[i] {
			missing = append(missing, fmt.Sprintf("%d/%d", i, count))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "missing shards: " + strings.Join(missing, ", ")
}

// key names a row across scans.
type key struct{ registry, image string }

func (r *Row) key() key { return key{r.Registry, r.Image} }

// joinRows gives the rows of all parts, each registry and image once.
func joinRows(parts []*Matrix) (rows []Row, warnings []string) {
	type place struct{ at, part int }
	index := map[key]place{}
	for n, part := range parts {
		for _, row := range part.Rows {
			before, twice := index[row.key()]
			if !twice {
				index[row.key()] = place{len(rows), n}
				rows = append(rows, row)
				continue
			}
			kept := before.part
			if part.Finished.After(parts[before.part].Finished) {
				rows[before.at] = row
				index[row.key()] = place{before.at, n}
				kept = n
			}
			warnings = append(warnings, fmt.Sprintf("%s %s is in parts %d and %d: the newer, part %d, stays", row.Registry, row.Image, before.part+1, n+1, kept+1))
		}
	}
	return rows, warnings
}

// inOrder sorts rows by the place of their registry in order, keeping the
// order of the images within one.
func inOrder(rows []Row, order []string) []Row {
	if rows == nil {
		rows = []Row{}
	}
	place := map[string]int{}
	for i, name := range order {
		place[name] = i
	}
	for i := range rows {
		if _, ok := place[rows[i].Registry]; !ok {
			place[rows[i].Registry] = len(place) + len(order)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return place[a.Registry] - place[b.Registry] })
	return rows
}
