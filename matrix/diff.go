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

// The kinds, the gravest first. Unreachable and recovered tell of the
// measuring, not of the registry's support: a registry that is down this week
// has not lost the API.
const (
	Regression  ChangeKind = "regression"  // the API worked and does not any more
	Unreachable ChangeKind = "unreachable" // was measured and now could not be
	Removed     ChangeKind = "removed"
	Improvement ChangeKind = "improvement" // the API did not work and does now
	Recovered   ChangeKind = "recovered"   // could not be measured and now was
	Changed     ChangeKind = "changed"     // reason, severity or version, the support being the same
	Added       ChangeKind = "added"
)

// ChangeKinds lists the kinds from the gravest to the mildest.
var ChangeKinds = []ChangeKind{Regression, Unreachable, Removed, Improvement, Recovered, Changed, Added}

// Change is one row that differs.
type Change struct {
	Kind     ChangeKind    `json:"kind"`
	Registry string        `json:"registry"`
	Image    string        `json:"image"`
	Fields   []FieldChange `json:"fields,omitempty"`
	Detail   string        `json:"detail,omitempty"` // of the newer row
	Remedy   []string      `json:"remedy,omitempty"` // of the newer row
}

// FieldChange is one value that differs.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Empty reports whether nothing changed.
func (d Diff) Empty() bool { return len(d.Changes) == 0 }

// Count is the number of changes of a kind.
func (d Diff) Count(kind ChangeKind) int {
	n := 0
	for i := range d.Changes {
		if d.Changes[i].Kind == kind {
			n++
		}
	}
	return n
}

// Compare gives what changed from older to newer, the gravest first. Images
// that newer did not measure because it was ended early are not removed.
func Compare(older, newer *Matrix) Diff {
	d := Diff{Schema: DiffSchema, Before: older.Started, After: newer.Started, Changes: []Change{}}
	before := map[key]*Row{}
	for i := range older.Rows {
		before[older.Rows[i].key()] = &older.Rows[i]
	}
	for i := range newer.Rows {
		now := &newer.Rows[i]
		was, ok := before[now.key()]
		delete(before, now.key())
		if !ok {
			d.Changes = append(d.Changes, Change{Kind: Added, Registry: now.Registry, Image: now.Image, Detail: now.Detail, Remedy: now.Remedy})
			continue
		}
		if change, differs := compareRows(was, now); differs {
			d.Changes = append(d.Changes, change)
		}
	}
	if newer.Complete {
		for _, gone := range before {
			d.Changes = append(d.Changes, Change{Kind: Removed, Registry: gone.Registry, Image: gone.Image})
		}
	}
	slices.SortFunc(d.Changes, func(a, b Change) int {
		return cmp.Or(slices.Index(ChangeKinds, a.Kind)-slices.Index(ChangeKinds, b.Kind),
			cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Image, b.Image))
	})
	return d
}

// compareRows compares what a reader acts on. A new digest is no change: the
// tag moved on, which tags are for.
func compareRows(was, now *Row) (Change, bool) {
	c := Change{Registry: now.Registry, Image: now.Image, Detail: now.Detail, Remedy: now.Remedy}
	for _, f := range []FieldChange{
		{"strategy", string(was.Strategy), string(now.Strategy)},
		{"referrers", string(was.Referrers), string(now.Referrers)},
		{"severity", string(was.Severity), string(now.Severity)},
		{"reason", string(was.Reason), string(now.Reason)},
		{"product", was.productName(), now.productName()},
		{"version", was.productVersion(), now.productVersion()},
	} {
		// A version that is not shown this time is not a change of version.
		if f.Before == f.After || (f.Field == "version" || f.Field == "product") && (f.Before == "" || f.After == "") {
			continue
		}
		c.Fields = append(c.Fields, f)
	}
	c.Kind = kindOf(was, now)
	return c, len(c.Fields) > 0
}

func kindOf(was, now *Row) ChangeKind {
	switch {
	case was.Strategy == now.Strategy && was.Referrers == now.Referrers:
		return Changed
	case now.Referrers == SupportUnknown:
		return Unreachable
	case was.Referrers == SupportUnknown:
		return Recovered
	case now.Referrers == Supported:
		return Improvement
	case was.Referrers == Supported:
		return Regression
	}
	return Changed
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
