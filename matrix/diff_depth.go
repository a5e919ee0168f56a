package matrix

import (
	"slices"
	"strings"
)

// oneMeasuredMore reports whether the verdicts differ only because one of the scans took a
// step that the other did not: it ran the write probe, or its --probe was deeper.
func (p pair) oneMeasuredMore() bool {
	return p.was.decidedBeyond(p.now) || p.now.decidedBeyond(p.was)
}

// decidedBeyond reports whether the verdict of r rests on a step that less, a row of the
// same image, has no result of.
func (r *Row) decidedBeyond(less *Row) bool {
	byPush := r.Reason == less.Reason && r.pushLost() && less.pushStrategy() == ""
	byAbsentSubject := r.Reason == IgnoresDigest && r.absentSubject() == "index" &&
		less.Referrers == Supported && less.absentSubject() == ""
	return byPush || byAbsentSubject
}

// pushLost reports whether the write probe's artifact was accepted and never listed, which
// decides the strategy.
func (r *Row) pushLost() bool {
	return r.Capabilities != nil && r.Capabilities.Push.Unlisted()
}

// absentSubject is "" if no digest that cannot exist was requested.
func (r *Row) absentSubject() string {
	if r.Capabilities == nil {
		return ""
	}
	return r.Capabilities.AbsentSubject
}

// sameProduct reports whether two names may be of one product. A challenge that two
// products send names both, "Gitea or Forgejo", until the version decides, and not every
// scan gets the version.
func sameProduct(a, b string) bool {
	names := strings.Split(a, " or ")
	return slices.ContainsFunc(strings.Split(b, " or "), func(name string) bool {
		return slices.Contains(names, name)
	})
}
