package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// cover returns whether an image has each kind that is required of it, and the platforms
// that lack a kind which is partial, cleaned. links is nil if none were probed. Both are nil if
// nothing is required.
func cover(require []matrix.LinkKind, links *Links, clean cleaner) (
	coverage map[matrix.LinkKind]matrix.Coverage, lacking map[matrix.LinkKind][]string,
) {
	if len(require) == 0 {
		return nil, nil
	}
	coverage, lacking = map[matrix.LinkKind]matrix.Coverage{}, map[matrix.LinkKind][]string{}
	for _, kind := range require {
		covered, without := links.coverage(kind)
		coverage[kind] = covered
		for _, platform := range without {
			lacking[kind] = append(lacking[kind], clean.text(platform))
		}
	}
	return coverage, lacking
}

// coverage returns whether the image has the kind, on the image itself or on every platform,
// and, if it is partial, the platforms that lack it.
//
// A subject lacks a kind only if every place was read to the end and the kind of each of its
// links is known. An image that may have the kind itself is never partial or absent, and one
// is partial only if a platform has the kind and another lacks it.
func (l *Links) coverage(kind matrix.LinkKind) (covered matrix.Coverage, lacking []string) {
	if l == nil {
		return matrix.CoverageUnknown, nil
	}
	image := l.on(kind, l.Asked, func(link *matrix.Link) bool { return link.Platform == "" })
	counts := map[presence]int{}
	for _, platform := range l.Platforms {
		asked := platform.Asked
		if slices.Contains(l.Asked, matrix.PlaceInIndex) {
			asked = append(slices.Clone(asked), matrix.PlaceInIndex)
		}
		found := l.on(kind, asked, func(link *matrix.Link) bool { return link.Subject == platform.Digest })
		counts[found]++
		if found == lacks {
			lacking = append(lacking, platform.Platform)
		}
	}
	switch all := len(l.Platforms); {
	case image == has || all > 0 && counts[has] == all:
		return matrix.CoveragePresent, nil
	case image == lacks && counts[lacks] == all:
		return matrix.CoverageAbsent, nil
	case image == lacks && counts[has] > 0 && counts[lacks] > 0:
		return matrix.CoveragePartial, lacking
	}
	return matrix.CoverageUnknown, nil
}

// presence is whether one subject has a link of a kind.
type presence int

const (
	unknown presence = iota
	has
	lacks
)

// on returns whether a subject has a link of the kind. asked is the places of the subject
// that were read to the end, and isOf reports whether a link is attached to it.
func (l *Links) on(kind matrix.LinkKind, asked []matrix.Place, isOf func(*matrix.Link) bool) presence {
	found := lacks
	for _, place := range matrix.Places {
		if !slices.Contains(asked, place) {
			found = unknown
		}
	}
	for i := range l.Found {
		link := &l.Found[i]
		switch {
		case link.Depth != 1 || !isOf(link):
		case link.Kind == kind:
			return has
		case link.Kind == "":
			found = unknown
		}
	}
	return found
}
