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
	image, platforms := l.spread(kind)
	known := slices.Contains(l.Asked, matrix.PlaceInIndex) // which platforms there are
	switch all := len(l.present()); {
	case image == has || known && all > 0 && len(platforms[has]) == all:
		return matrix.CoveragePresent, nil
	case image == lacks && len(platforms[lacks]) == all:
		return matrix.CoverageAbsent, nil
	case image == lacks && len(platforms[has]) > 0 && len(platforms[lacks]) > 0:
		return matrix.CoveragePartial, platforms[lacks]
	}
	return matrix.CoverageUnknown, nil
}

// spread returns whether the image itself has a link of the kind, and which platforms do.
func (l *Links) spread(kind matrix.LinkKind) (image presence, platforms map[presence][]string) {
	const itself = "" // the image
	bySubject := map[string]map[matrix.LinkKind]bool{}
	note := func(subject string, kind matrix.LinkKind) {
		if bySubject[subject] == nil {
			bySubject[subject] = map[matrix.LinkKind]bool{}
		}
		bySubject[subject][kind] = true
	}
	for i := range l.Found {
		link := &l.Found[i]
		if link.Depth != 1 {
			continue
		}
		note(link.Subject, link.Kind)
		if link.Platform == "" {
			note(itself, link.Kind)
		}
	}
	platforms = map[presence][]string{}
	for _, platform := range l.present() {
		found := presenceOf(kind, bySubject[platform.Digest], l.askedOf(platform))
		platforms[found] = append(platforms[found], platform.Platform)
	}
	return presenceOf(kind, bySubject[itself], l.Asked), platforms
}

// present returns the platforms whose manifests the registry has. A mirror may have the index
// without the others, and nobody can run those.
func (l *Links) present() []matrix.Platform {
	return slices.DeleteFunc(slices.Clone(l.Platforms), func(p matrix.Platform) bool { return p.Absent })
}

// presence is whether one subject has a link of a kind.
type presence int

const (
	unknown presence = iota
	has
	lacks
)

// presenceOf returns whether a subject has a link of the kind. kinds are those of its links, and
// asked the places that were read to the end.
func presenceOf(kind matrix.LinkKind, kinds map[matrix.LinkKind]bool, asked []matrix.Place) presence {
	switch {
	case kinds[kind]:
		return has
	case kinds[""] || !whole(asked):
		return unknown
	}
	return lacks
}

// askedOf returns the places of a platform that were read to the end. The index of the image
// lists what is attached to its platforms too.
func (l *Links) askedOf(platform matrix.Platform) []matrix.Place {
	if slices.Contains(l.Asked, matrix.PlaceInIndex) {
		return append(slices.Clone(platform.Asked), matrix.PlaceInIndex)
	}
	return platform.Asked
}

// readToTheEnd reports whether every place was, of the image and of each platform.
func (l *Links) readToTheEnd() bool {
	cut := func(platform matrix.Platform) bool { return !whole(l.askedOf(platform)) }
	return whole(l.Asked) && !slices.ContainsFunc(l.Platforms, cut)
}

// whole reports whether asked has every place.
func whole(asked []matrix.Place) bool {
	return !slices.ContainsFunc(matrix.Places, func(place matrix.Place) bool { return !slices.Contains(asked, place) })
}
