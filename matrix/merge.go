package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Part is a matrix to be merged, under the name that warnings call it by.
type Part struct {
	Name string
	*Matrix
}

// Merge joins matrices of shards or of separate networks. Rows are sorted by
// order, the registry names of an inventory; registries that it does not name
// follow, in the order of the parts. If two parts hold the same registry and
// image, the newer scan's row stays. Warnings report that, which shards are
// missing, and which registries have one name and several URLs. The result is
// complete if every part is and no shard is missing. A merge of some shards can
// be merged again with the others. The error says why the parts do not go
// together.
func Merge(parts []Part, order []string) (*Matrix, []string, error) {
	if len(parts) == 0 {
		return nil, nil, errors.New("nothing to merge")
	}
	joined := &Matrix{
		Schema:   Schema,
		Tool:     parts[0].Tool,
		Started:  parts[0].Started,
		Finished: parts[0].Finished,
		Complete: true,
	}
	var warnings []string
	for _, part := range parts {
		if part.Schema != Schema {
			return nil, nil, fmt.Errorf("cannot merge schema %q: this refmatrix reads %s", part.Schema, Schema)
		}
		if part.Tool != joined.Tool {
			warnings = append(warnings, fmt.Sprintf("parts come from %s %s and %s %s",
				joined.Tool.Name, joined.Tool.Version, part.Tool.Name, part.Tool.Version))
		}
		if part.Started.Before(joined.Started) {
			joined.Started = part.Started
		}
		if part.Finished.After(joined.Finished) {
			joined.Finished = part.Finished
		}
		if !part.isSharded() {
			joined.Complete = joined.Complete && part.Complete
		}
		joined.Selection = append(joined.Selection, part.Selection...)
	}
	slices.Sort(joined.Selection)
	joined.Selection = slices.Compact(joined.Selection)
	missing, stray := missingShards(parts)
	if len(missing) > 0 {
		warnings = append(warnings, "missing shards: "+strings.Join(missing, ", "))
	}
	if stray != "" {
		warnings = append(warnings, stray)
	}
	if joined.Complete && stray == "" {
		joined.MissingShards = missing // else the other shards would not make it complete either
	}
	joined.Complete = joined.Complete && len(missing) == 0 && stray == ""
	rows, doubled := joinRows(parts)
	joined.SetRows(inOrder(rows, order))
	return joined, slices.Concat(warnings, doubled, sharedNames(parts)), nil
}

// sharedNames warns of registries that have one name and several URLs. Networks that name their
// registries each for itself can both have a "harbor", and reports roll up by the name.
func sharedNames(parts []Part) (warnings []string) {
	type place struct{ url, part string }
	first := map[string]place{}
	warned := map[string]bool{}
	for _, part := range parts {
		for i := range part.Rows {
			r := &part.Rows[i]
			have, ok := first[r.Registry]
			switch {
			case !ok:
				first[r.Registry] = place{r.URL, part.Name}
			case have.url != r.URL && !warned[r.Registry]:
				warned[r.Registry] = true
				warnings = append(warnings, fmt.Sprintf("%s is %s in %s and %s in %s: reports count it as one registry; "+
					"if it is not, give it two names", r.Registry, have.url, have.part, r.URL, part.Name))
			}
		}
	}
	return warnings
}

// isSharded reports whether m is a shard, or a merge that lacks some.
func (m *Matrix) isSharded() bool { return m.Shard != "" || len(m.MissingShards) > 0 }

// missingShards names the shards, I/N, that are not there whole. It names none if
// the parts are not shards. stray says that the shards are not of one set.
func missingShards(parts []Part) (missing []string, stray string) {
	count := 0
	whole := map[int]bool{}
	for _, part := range parts {
		named := part.MissingShards
		if part.Shard != "" {
			named = []string{part.Shard}
		}
		lacks := map[int]bool{}
		for _, shard := range named {
			index, n, err := ParseShard(shard)
			if err != nil || count != 0 && n != count {
				return nil, fmt.Sprintf("shard %q of %s does not belong to a set of %d", shard, part.Name, count)
			}
			count = n
			lacks[index] = true
		}
		switch {
		case len(part.MissingShards) > 0:
			for i := 1; i <= count; i++ {
				whole[i] = whole[i] || !lacks[i]
			}
		case part.Shard != "" && part.Complete:
			for index := range lacks {
				whole[index] = true
			}
		}
	}
	for i := 1; i <= count; i++ {
		if !whole[i] {
			missing = append(missing, fmt.Sprintf("%d/%d", i, count))
		}
	}
	return missing, ""
}

// key names a row across scans.
type key struct{ registry, image string }

func (r *Row) key() key { return key{r.Registry, r.Image} }

// joinRows returns the rows of all parts, each registry and image once.
func joinRows(parts []Part) (rows []Row, warnings []string) {
	type position struct{ at, part int }
	index := map[key]position{}
	for n, part := range parts {
		for _, row := range part.Rows {
			before, twice := index[row.key()]
			if !twice {
				index[row.key()] = position{len(rows), n}
				rows = append(rows, row)
				continue
			}
			kept := before.part
			if part.Finished.After(parts[before.part].Finished) {
				rows[before.at] = row
				index[row.key()] = position{before.at, n}
				kept = n
			}
			warnings = append(warnings, fmt.Sprintf("%s %s is in %s and %s: the newer, of %s, stays",
				row.Registry, row.Image, parts[before.part].Name, part.Name, parts[kept].Name))
		}
	}
	return rows, warnings
}

// inOrder sorts rows by the position of their registry in order, keeping the
// order of the images within one.
func inOrder(rows []Row, order []string) []Row {
	if rows == nil {
		rows = []Row{}
	}
	position := map[string]int{}
	for i, name := range order {
		position[name] = i
	}
	for i := range rows {
		if _, ok := position[rows[i].Registry]; !ok {
			position[rows[i].Registry] = len(position) + len(order)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return position[a.Registry] - position[b.Registry] })
	return rows
}
