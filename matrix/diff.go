package matrix

import (
	"cmp"
	"slices"
	"time"
)

// DiffSchema names the format of a diff's JSON.
const DiffSchema = "refmatrix-diff/v1"

// Diff is what changed from one scan to a later one.
type Diff struct {
	Schema  string    `json:"schema"`
	Before  time.Time `json:"before"` // start of the older scan
	After   time.Time `json:"after"`  // start of the newer one
	Changes []Change  `json:"changes"`
}

// ChangeKind says what a change means.
type ChangeKind string

// The kinds, the most severe first. Unreachable, recovered and still-unreachable
// are about what could be measured, not about the registry's support: a registry
// that is down this week has not lost the API.
const (
	Regression       ChangeKind = "regression"  // the API worked and does not any more
	Unreachable      ChangeKind = "unreachable" // was measured and now could not be
	Removed          ChangeKind = "removed"
	Improvement      ChangeKind = "improvement"       // the API did not work and does now
	Recovered        ChangeKind = "recovered"         // could not be measured and now was
	Changed          ChangeKind = "changed"           // another of the fields compared; the support is the same
	StillUnreachable ChangeKind = "still-unreachable" // could not be measured, now for another reason
	Added            ChangeKind = "added"
)

// ChangeKinds lists the kinds from the most severe to the mildest.
var ChangeKinds = []ChangeKind{
	Regression, Unreachable, Removed, Improvement, Recovered, Changed, StillUnreachable, Added,
}

// ReachabilityOnly reports whether a change of kind k is only about what could be
// measured.
func (k ChangeKind) ReachabilityOnly() bool {
	return k == Unreachable || k == Recovered || k == StillUnreachable
}

// Change is one row that differs.
type Change struct {
	Kind     ChangeKind    `json:"kind"`
	Registry string        `json:"registry"`
	Image    string        `json:"image"`
	Fields   []FieldChange `json:"fields,omitempty"`
	Known    Strategy      `json:"last_known,omitempty"` // before the older scan, if that could not measure it
	Detail   string        `json:"detail,omitempty"`     // of the newer row
	Remedy   []string      `json:"remedy,omitempty"`     // of the newer row
}

// FieldChange is one value that differs.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Empty reports whether nothing changed.
func (d Diff) Empty() bool { return len(d.Changes) == 0 }

// Count returns the number of changes of a kind.
func (d Diff) Count(kind ChangeKind) int {
	n := 0
	for i := range d.Changes {
		if d.Changes[i].Kind == kind {
			n++
		}
	}
	return n
}

// Significant reports whether anything changed beside what could be measured. It
// decides --fail-on change.
func (d Diff) Significant() bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return !c.Kind.ReachabilityOnly() })
}

// Compare returns what changed from older to newer, the most severe first. If
// older could not measure an image, newer is compared with its row in known, the
// last of an earlier scan, so that an outage hides nothing. An image is added or
// removed only if both scans were meant to measure its registry. A scan that was
// ended early, or that is over another part of the inventory, does not show
// whether an image is gone.
func Compare(older, newer *Matrix, known ...Row) Diff {
	d := Diff{Schema: DiffSchema, Before: older.Started, After: newer.Started, Changes: []Change{}}
	before, earlier := byKey(older.Rows), byKey(known)
	sameScope := older.Scope().Equal(newer.Scope())
	olderCovers := covered(older, sameScope)
	newerCovers := covered(newer, sameScope)
	for i := range newer.Rows {
		now := &newer.Rows[i]
		if was, ok := before[now.key()]; ok {
			delete(before, now.key())
			if change, differs := compareRows(was, earlier[now.key()], now); differs {
				d.Changes = append(d.Changes, change)
			}
		} else if olderCovers(now.Registry) {
			d.Changes = append(d.Changes, newChange(Added, now))
		}
	}
	for _, gone := range before {
		if newerCovers(gone.Registry) {
			d.Changes = append(d.Changes, Change{Kind: Removed, Registry: gone.Registry, Image: gone.Image})
		}
	}
	slices.SortFunc(d.Changes, func(a, b Change) int {
		return cmp.Or(slices.Index(ChangeKinds, a.Kind)-slices.Index(ChangeKinds, b.Kind),
			cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Image, b.Image))
	})
	return d
}

// covered returns a test of whether m was meant to measure a registry, so that an
// image missing from m is really gone. sameScope says that the other scan was over
// the same part of the inventory.
func covered(m *Matrix, sameScope bool) func(registry string) bool {
	has := map[string]bool{}
	for i := range m.Rows {
		has[m.Rows[i].Registry] = true
	}
	return func(registry string) bool {
		return m.Complete && (sameScope || m.Scope().Whole() || has[registry])
	}
}

func byKey(rows []Row) map[key]*Row {
	out := make(map[key]*Row, len(rows))
	for i := range rows {
		out[rows[i].key()] = &rows[i]
	}
	return out
}

// compareRows compares what a reader acts on. A new digest is not a change,
// because tags are there to be moved. known is the last row that was measured
// before was, or nil.
func compareRows(was, known, now *Row) (Change, bool) {
	c := newChange(kindOf(was, now), now)
	c.Fields = fieldsOf(was, now)
	if c.Kind == Recovered && known != nil {
		c.Known = known.Strategy
		if fields := fieldsOf(known, now); len(fields) > 0 {
			c.Kind, c.Fields = kindOf(known, now), fields
		}
	}
	return c, len(c.Fields) > 0
}

// newChange returns a change to now, without the fields that differ.
func newChange(kind ChangeKind, now *Row) Change {
	return Change{
		Kind:     kind,
		Registry: now.Registry,
		Image:    now.Image,
		Detail:   now.Detail,
		Remedy:   now.Remedy,
	}
}

// fieldsOf lists what differs. A value that one of the scans did not probe, or
// could not see, is not a change.
func fieldsOf(was, now *Row) []FieldChange {
	var out []FieldChange
	for _, f := range []struct {
		FieldChange
		shown bool // it is compared only if both scans show it
	}{
		{FieldChange{"strategy", string(was.Strategy), string(now.Strategy)}, false},
		{FieldChange{"referrers", string(was.Referrers), string(now.Referrers)}, false},
		{FieldChange{"severity", string(was.Severity), string(now.Severity)}, false},
		{FieldChange{"reason", string(was.Reason), string(now.Reason)}, false},
		{FieldChange{"unexpected", YesNo(was.Unexpected), YesNo(now.Unexpected)}, false},
		{FieldChange{"push", was.pushStrategy(), now.pushStrategy()}, true},
		{FieldChange{"product", was.productName(), now.productName()}, true},
		{FieldChange{"version", was.productVersion(), now.productVersion()}, true},
	} {
		if f.Before != f.After && (!f.shown || f.Before != "" && f.After != "") {
			out = append(out, f.FieldChange)
		}
	}
	return out
}

func kindOf(was, now *Row) ChangeKind {
	switch {
	case was.Referrers == SupportUnknown && now.Referrers == SupportUnknown:
		return StillUnreachable
	case now.Referrers == SupportUnknown:
		return Unreachable
	case was.Referrers == SupportUnknown:
		return Recovered
	case was.Strategy == now.Strategy && was.Referrers == now.Referrers:
		return Changed
	case now.Referrers == Supported:
		return Improvement
	case was.Referrers == Supported:
		return Regression
	}
	return Changed
}

// pushStrategy is "" if the write probe did not run or learned nothing.
func (r *Row) pushStrategy() string {
	if r.Capabilities == nil || r.Capabilities.Push == nil || r.Capabilities.Push.Strategy == PushUnknown {
		return ""
	}
	return string(r.Capabilities.Push.Strategy)
}

func (r *Row) productName() string {
	if r.Product == nil {
		return ""
	}
	return r.Product.Name
}

func (r *Row) productVersion() string {
	if r.Product == nil {
		return ""
	}
	return r.Product.Version
}
