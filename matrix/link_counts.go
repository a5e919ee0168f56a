package matrix

import "slices"

// LinkCounts counts the links of one registry's images.
type LinkCounts struct {
	Registry string

	// Found is of depth 1 by kind, "" for links whose kind is not known. A kind that no
	// image has is there with 0 only if that is certain: every place of every image was read
	// to the end, and the kind of each link is known.
	Found map[LinkKind]int
	Lost  map[LinkKind]int // by kind, as Found; without zeros, because a scan without a baseline finds no loss
}

// CountLinks counts the links of rows by registry, in the order of the rows.
func CountLinks(rows []Row) []LinkCounts {
	var out []LinkCounts
	index, certain := map[string]int{}, []bool{}
	for i := range rows {
		r := &rows[i]
		at, ok := index[r.Registry]
		if !ok {
			at = len(out)
			index[r.Registry] = at
			out = append(out, LinkCounts{Registry: r.Registry, Found: map[LinkKind]int{}, Lost: map[LinkKind]int{}})
			certain = append(certain, true)
		}
		for _, counted := range r.Links.Counts() {
			out[at].Found[counted.Kind] += counted.N
		}
		for _, loss := range r.Lost {
			out[at].Lost[knownKind(loss.Kind)]++
		}
		certain[at] = certain[at] && r.Links.complete() && (r.Omitted == nil || r.Omitted.Links == 0)
	}
	for i, counts := range out {
		if !certain[i] || counts.Found[""] > 0 {
			continue
		}
		for _, kind := range LinkKinds {
			counts.Found[kind] += 0
		}
	}
	return out
}

// KindCount is the number of links of one kind.
type KindCount struct {
	Kind LinkKind // "" for links whose kind is not known
	N    int
}

// Counts returns the numbers of the links of depth 1, without zeros, in the order of
// LinkKinds, the links whose kind is not known last. It is nil if l is nil.
func (l *Links) Counts() []KindCount {
	if l == nil {
		return nil
	}
	return countKinds(l.Total, l.ByKind)
}

// Counts returns the numbers of the links, as those of an image.
func (l *RegistryLinks) Counts() []KindCount {
	if l == nil {
		return nil
	}
	return countKinds(l.Total, l.ByKind)
}

// countKinds returns the numbers of total links without zeros. Those that byKind does not count
// are of unknown kind.
func countKinds(total int, byKind map[LinkKind]int) (out []KindCount) {
	unknown := total
	for _, kind := range LinkKinds {
		if n := byKind[kind]; n > 0 {
			out = append(out, KindCount{kind, n})
			unknown -= n
		}
	}
	if unknown > 0 {
		out = append(out, KindCount{"", unknown})
	}
	return out
}

// complete reports whether every place of the image and of each platform was read to the end.
// It is false for more platforms than a row keeps.
func (l *Links) complete() bool {
	if l == nil || len(l.Platforms) == MaxLinks {
		return false
	}
	whole := func(asked []Place) bool {
		return !slices.ContainsFunc(Places, func(place Place) bool { return !slices.Contains(asked, place) })
	}
	partly := func(platform Platform) bool {
		return !whole(l.askedOf(&Link{Platform: platform.Platform, Subject: platform.Digest}))
	}
	return whole(l.Asked) && !slices.ContainsFunc(l.Platforms, partly)
}

// knownKind returns kind, or "" if this version does not know it.
func knownKind(kind LinkKind) LinkKind {
	if slices.Contains(LinkKinds, kind) {
		return kind
	}
	return ""
}
