package matrix

import (
	"slices"
	"strings"
	"time"
)

// FindLosses sets Lost in each row of m: the links that are gone since before, and those that
// were gone before already. known is as in Compare, for the rows that before could not measure.
//
// A link is lost if the image's digest is the same, the link is in no place, and every place in
// which it stood was read to the end now. A loss stays until the digest moves or the link is
// back. It is back too if a new link of its kind is attached to its subject, because an image
// that is signed again gets a signature of another digest; a loss that was replaced in the scan
// that found it does not stay. The tag of cosign 2 holds one manifest that every further
// signature replaces: what another manifest of the same kind replaced there, or of one that is not
// known, is not lost at all.
func (m *Matrix) FindLosses(before *Matrix, known ...Known) {
	earlier := byKey(before.Rows)
	measured := byImage(known)
	for i := range m.Rows {
		now := &m.Rows[i]
		if was := earlier[now.key()]; was != nil {
			now.Lost, _ = linkChanges(was, measured[was.key()], now, m.Started)
			now.Bound()
		}
	}
	m.Registries = RollUp(m.Rows)
}

// byImage returns rows of before the baseline by their images.
func byImage(known []Known) map[key]*Known {
	out := make(map[key]*Known, len(known))
	for i := range known {
		out[known[i].key()] = &known[i]
	}
	return out
}

// linkChanges returns the links that are gone and those that are new from one row of an image
// to the next. known is the last row that had a verdict before the older one, or nil: it stands
// for an older row without links. since is the start of the newer scan.
func linkChanges(was *Row, known *Known, now *Row, since time.Time) (lost []Lost, added []Link) {
	base := was
	if base.Links == nil && known != nil {
		base = &known.Row
	}
	gone, added := base.linksNotIn(now), now.linksNotIn(base)
	replaced := func(kind LinkKind, subject string) bool {
		return slices.ContainsFunc(added, func(l Link) bool { return kind != "" && l.Kind == kind && l.Subject == subject })
	}
	lost = slices.Clone(now.Lost) // as the newer scan found them, by whatever baseline it had
	for _, loss := range was.Lost {
		if loss.stays(base, now) && !replaced(loss.Kind, loss.Subject) {
			lost = addLost(lost, loss)
		}
	}
	for _, link := range gone {
		lost = addLost(lost, Lost{
			Digest:   link.Digest,
			Kind:     link.Kind,
			Subject:  link.Subject,
			Platform: link.Platform,
			Since:    since.UTC(),
			Replaced: replaced(link.Kind, link.Subject),
		})
	}
	return lost, added
}

// linksNotIn returns the links of r that another row of the same image surely does not have. If
// one of the rows has the referrers API and the other does not, that is a change of its own, and
// shows nothing of what the API listed.
func (r *Row) linksNotIn(other *Row) (out []Link) {
	if r.Links == nil || other.Links == nil || r.Digest != other.Digest {
		return nil
	}
	for _, link := range r.Links.Items {
		sameAPI := r.Referrers == other.Referrers || !slices.Contains(link.Where, PlaceAPI)
		if sameAPI && other.Links.lacks(&link) {
			out = append(out, link)
		}
	}
	return out
}

// addLost adds a loss to others, of which there are MaxLinks at the most, unless it is there.
func addLost(lost []Lost, one Lost) []Lost {
	same := func(other Lost) bool {
		return other.Digest == one.Digest && other.Subject == one.Subject && other.Kind == one.Kind
	}
	if len(lost) == MaxLinks || slices.ContainsFunc(lost, same) {
		return lost
	}
	return append(lost, one)
}

// stays reports whether a loss of the older row is one of the newer row too. If the older
// digest is not known, because an outage was the baseline, the subject shows whether
// the image moved, and for a platform, whether the image has it.
func (l Lost) stays(was, now *Row) bool {
	moved := was.Digest != "" && now.Digest != "" && was.Digest != now.Digest
	switch {
	case l.Platform == "" && now.Digest != "":
		moved = l.Subject != now.Digest
	case l.Platform != "":
		moved = moved || now.Links.isWithout(l.Subject)
	}
	return !l.Replaced && !moved && !now.Links.has(l.Digest, l.Subject)
}

// isWithout reports whether the image has other platforms, and surely not this one.
func (l *Links) isWithout(platform string) bool {
	return l != nil && slices.Contains(l.Asked, PlaceInIndex) && len(l.Platforms) > 0 && len(l.Platforms) < keptLinks &&
		!slices.ContainsFunc(l.Platforms, func(one Platform) bool { return one.Digest == platform })
}

// has reports whether a link is there, in whatever place.
func (l *Links) has(digest, subject string) bool {
	return l != nil && slices.ContainsFunc(l.Items, func(one Link) bool {
		return one.Digest == digest && one.Subject == subject
	})
}

// lacks reports whether a link that another scan of the same image found is surely not in l.
func (l *Links) lacks(link *Link) bool {
	asked := l.askedOf(link)
	unread := func(place Place) bool { return !slices.Contains(asked, place) }
	switch {
	case link.Depth != 1 || len(link.Where) == 0 || slices.ContainsFunc(link.Where, unread):
		return false
	case l.has(link.Digest, link.Subject) || l.cutBefore(link) || l.hides(link):
		return false
	}
	replaced := func(one Link) bool {
		return (one.Kind == link.Kind || one.Kind == "") && one.Subject == link.Subject && slices.Contains(one.Where, PlaceCosignTag)
	}
	return !slices.Contains(link.Where, PlaceCosignTag) || !slices.ContainsFunc(l.Items, replaced)
}

// hides reports whether a secret of one of the scans hides whether l has a link: a digest that
// holds it has stars in the row.
func (l *Links) hides(link *Link) bool {
	starred := func(digest string) bool { return strings.Contains(digest, "*") }
	return starred(link.Digest) || starred(link.Subject) || slices.ContainsFunc(l.Items, func(one Link) bool {
		return starred(one.Subject) || starred(one.Digest) && one.Subject == link.Subject
	})
}

// askedOf returns the places of a link's subject that were read to the end. The index of the
// image lists what is attached to its platforms too.
func (l *Links) askedOf(link *Link) []Place {
	if link.Platform == "" {
		return l.Asked
	}
	for i := range l.Platforms {
		if l.Platforms[i].Digest != link.Subject {
			continue
		}
		if slices.Contains(l.Asked, PlaceInIndex) {
			return append(slices.Clone(l.Platforms[i].Asked), PlaceInIndex)
		}
		return l.Platforms[i].Asked
	}
	return nil
}

// cutBefore reports whether l keeps too few links to show whether it has one.
func (l *Links) cutBefore(link *Link) bool {
	kept := len(l.Items)
	return kept < l.Total && (kept == 0 || compareLinks(*link, l.Items[kept-1]) > 0)
}
