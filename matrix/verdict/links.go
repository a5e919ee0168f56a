package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// Links is what the probe read of the links of an image. Its strings are raw.
type Links struct {
	// Found holds a link for each place in which it was found and each of its kinds.
	Found []matrix.Link

	Asked     []matrix.Place    // as in matrix.Links
	Platforms []matrix.Platform // all that the image's index names; not the manifests of attestations
	Bounds    LinkBounds
}

// LinkBounds says what of the links was not read, though nothing refused it.
type LinkBounds struct {
	Links     int // entries of lists that were read, if there are more; 0 = all were
	Platforms int // platforms whose links were not requested, because there are too many of them
	Nested    int // indexes in the image's index, whose own platforms were not read
	Manifests int // artifacts whose manifest would show what they are, and that were not read
	Long      int // lists and manifests that are longer than is read
	Misplaced int // attestations in the image's index that name none of its platforms
}

// merged returns each link once, with every place in which it was found. A list may name an
// artifact without what its kind is known by: if another list names the kind, it is that.
func merged(found []matrix.Link) []matrix.Link {
	type key struct{ digest, subject string }
	type artifact struct {
		matrix.Link
		kinds []matrix.LinkKind
	}
	index := map[key]*artifact{}
	var order []*artifact
	for _, link := range found {
		at := key{link.Digest, link.Subject}
		one := index[at]
		if one == nil {
			one = &artifact{Link: link}
			one.Where = nil
			index[at], order = one, append(order, one)
		}
		one.Where = append(one.Where, link.Where...)
		one.TypedAway = one.TypedAway || link.TypedAway
		if link.Kind != "" && !slices.Contains(one.kinds, link.Kind) {
			one.kinds = append(one.kinds, link.Kind)
		}
	}
	var out []matrix.Link
	for _, one := range order {
		one.Where = slices.DeleteFunc(slices.Clone(matrix.Places), func(place matrix.Place) bool {
			return !slices.Contains(one.Where, place)
		})
		for _, kind := range one.kinds {
			one.Kind = kind
			out = append(out, one.Link)
		}
		if one.kinds == nil {
			out = append(out, one.Link)
		}
	}
	return out
}

// typedAway counts the artifacts that are listed under a type that hides what they are.
func (l *Links) typedAway() int {
	digests := map[string]bool{}
	if l != nil {
		for i := range l.Found {
			if l.Found[i].TypedAway {
				digests[l.Found[i].Digest] = true
			}
		}
	}
	return len(digests)
}

// links returns what a row shows of the links, nil if they were not probed.
func (c cleaner) links(raw *Links) *matrix.Links {
	if raw == nil {
		return nil
	}
	links := matrix.NewLinks(merged(raw.Found), raw.Asked, raw.Platforms)
	for i := range links.Items {
		link := &links.Items[i]
		link.Digest, link.Subject = c.text(link.Digest), c.text(link.Subject)
		link.ArtifactType, link.Platform = c.text(link.ArtifactType), c.text(link.Platform)
	}
	for i := range links.Platforms {
		platform := &links.Platforms[i]
		platform.Platform, platform.Digest = c.text(platform.Platform), c.text(platform.Digest)
	}
	return links
}
