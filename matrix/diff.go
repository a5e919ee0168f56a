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

	Registries []RegistryChange `json:"registries,omitempty"` // those all of whose images changed in one way

	MeasuredBy string `json:"measured_by,omitempty"` // version of refmatrix that made the older scan, if another made the newer one
	Reworded   int    `json:"reworded,omitempty"`    // rows that differ only because of that, see Compare
}

// ChangeKind says what a change means.
type ChangeKind string

// The kinds, the most severe first. NotMeasured, Recovered and StillNotMeasured are
// about what could be measured, and not about the registry's support: a registry that
// is down this week has not lost the API.
const (
	Regression       ChangeKind = "regression"   // the API worked and does not any more
	LinksLost        ChangeKind = "links-lost"   // links are gone although the image's digest is the same
	NotMeasured      ChangeKind = "not-measured" // had a verdict and has none now
	Removed          ChangeKind = "removed"
	Improvement      ChangeKind = "improvement"        // the API did not work and does now
	Recovered        ChangeKind = "recovered"          // had no verdict and has one now
	Changed          ChangeKind = "changed"            // another of the fields compared; the support is the same
	StillNotMeasured ChangeKind = "still-not-measured" // has no verdict, now for another reason or for very long
	LinksNew         ChangeKind = "links-new"          // links were attached to the same image
	Added            ChangeKind = "added"
)

// ChangeKinds lists the kinds from the most severe to the mildest.
var ChangeKinds = []ChangeKind{
	Regression, LinksLost, NotMeasured, Removed, Improvement, Recovered, Changed, StillNotMeasured, LinksNew, Added,
}

// ReachabilityOnly reports whether a change of kind k is only about what could be
// measured.
func (k ChangeKind) ReachabilityOnly() bool {
	return k == NotMeasured || k == Recovered || k == StillNotMeasured
}

// Change is one row that differs, or its links. A row that differs in both is two changes.
type Change struct {
	Kind     ChangeKind    `json:"kind"`
	Registry string        `json:"registry"`
	URL      string        `json:"-"` // of the newer row, whose host Detail may name; "" without a Detail
	Image    string        `json:"image"`
	Fields   []FieldChange `json:"fields,omitempty"`
	Known    Strategy      `json:"last_known,omitempty"` // before the older scan, if that could not measure it
	Reason   Reason        `json:"reason,omitempty"`     // of the newer row
	Detail   string        `json:"detail,omitempty"`     // of the newer row
	Remedy   []string      `json:"remedy,omitempty"`     // of the newer row

	Lost  []Lost `json:"lost,omitempty"`  // of links-lost
	Links []Link `json:"links,omitempty"` // of links-new

	UnmeasuredScans int  `json:"unmeasured_scans,omitempty"` // of the newer row
	Significant     bool `json:"significant"`                // it closes the gate of --fail-on change
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

// Significant reports whether a change is significant. It decides --fail-on change.
func (d Diff) Significant() bool {
	return slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Significant })
}

// OnlySignificant returns d with its significant changes alone.
func (d Diff) OnlySignificant() Diff {
	insignificant := func(c Change) bool { return !c.Significant }
	d.Changes = slices.DeleteFunc(slices.Clone(d.Changes), insignificant)
	d.Registries = keepRegistries(d.Registries, d.Changes)
	d.MeasuredBy, d.Reworded = "", 0
	return d
}

// Known is the last row of an image that had a verdict, of a scan before the baseline.
type Known struct {
	Row
	Tool Tool // that measured it
}

// Compare returns what changed from older to newer, the most severe first.
//
// If older has no verdict on an image, newer is compared with its row in known, so that
// an outage hides nothing. An image is added or removed only if both scans were meant
// to measure its registry. A scan that was ended early, or that is over another part of
// the inventory, does not show whether an image is gone.
//
// A change is significant if the registry, the inventory or the access to the registry
// changed. That a row has no verdict now is significant if its registry refuses the
// account, the repository or the listing, or if this is the 4th scan in a row without
// one, and every 4th after it (Row.UnmeasuredScans): a registry that is down for a week
// is not.
//
// What only one of the scans measured is not compared: a verdict that rests on the write
// probe or on a deeper --probe, if the other scan did not take that step.
//
// If another version of refmatrix made the older scan, one rule parts what the registry
// changed from what refmatrix words otherwise: a row whose decisive answer is the same in
// both scans has not changed. The answer is the same if the HTTP status is, and the kind
// of Content-Type of the referrers list. The row is then counted in Reworded, whatever
// its strategy, support, severity and reason are. What the registry itself reports is
// still compared: its version, if both rows name the same product, and what the write
// probe observed. With another answer, all of the row is compared.
func Compare(older, newer *Matrix, known ...Known) Diff {
	d := Diff{
		Schema:  DiffSchema,
		Before:  older.Started,
		After:   newer.Started,
		Changes: []Change{},
	}
	before, earlier := byKey(older.Rows), byImage(known)
	sameScope := older.Scope().Equal(newer.Scope())
	olderCovers := covered(older, sameScope)
	newerCovers := covered(newer, sameScope)
	for i := range newer.Rows {
		now := &newer.Rows[i]
		if was, ok := before[now.key()]; ok {
			delete(before, now.key())
			d.addRow(pair{was, now, older.Tool.Version == newer.Tool.Version}, earlier[now.key()], newer.Tool)
			d.addLinks(was, earlier[now.key()], now)
		} else if olderCovers(now.Registry) {
			d.Changes = append(d.Changes, newChange(Added, now))
		}
	}
	for _, gone := range before {
		if newerCovers(gone.Registry) {
			d.Changes = append(d.Changes, Change{
				Kind:        Removed,
				Registry:    gone.Registry,
				Image:       gone.Image,
				Significant: true,
			})
		}
	}
	if d.Reworded > 0 {
		d.MeasuredBy = older.Tool.Version
	}
	slices.SortFunc(d.Changes, func(a, b Change) int {
		return cmp.Or(slices.Index(ChangeKinds, a.Kind)-slices.Index(ChangeKinds, b.Kind),
			cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Image, b.Image))
	})
	d.Registries = registryChanges(d.Changes, countImages(older.Rows, newer.Rows))
	return d
}

// addRow adds what changed from one row of an image to the next. known is the last row
// that had a verdict before the older one, or nil; tool measured the newer one.
func (d *Diff) addRow(p pair, known *Known, tool Tool) {
	c := p.change()
	if c.Kind == Recovered && known != nil {
		c.Known = known.Strategy
		since := pair{&known.Row, p.now, known.Tool.Version == tool.Version}
		if change := since.change(); len(change.Fields) > 0 {
			change.Known = known.Strategy
			c = change
		}
	}
	c.Significant = !c.Kind.ReachabilityOnly() || p.accessLost(known, tool)
	if n := p.now.UnmeasuredScans; n > 0 && n%longUnmeasured == 0 {
		c.Significant = true
	} else if len(c.Fields) == 0 {
		if p.reworded() {
			d.Reworded++
		}
		return
	}
	d.Changes = append(d.Changes, c)
}

// addLinks adds the links that are gone and those that are new from one row of an image to
// the next. Neither is significant: the gate of losses is GateLost.
func (d *Diff) addLinks(was *Row, known *Known, now *Row) {
	lost, added := linkChanges(was, known, now, d.After)
	if len(lost) > 0 {
		d.Changes = append(d.Changes, Change{
			Kind:     LinksLost,
			Registry: now.Registry,
			Image:    now.Image,
			Lost:     lost,
			Remedy:   []string{lossRemedy},
		})
	}
	if len(added) > 0 {
		d.Changes = append(d.Changes, Change{
			Kind:     LinksNew,
			Registry: now.Registry,
			Image:    now.Image,
			Links:    added,
		})
	}
}

// lossRemedy is what to do about a lost link (Azure/acr-cli#131 and #133,
// aws/containers-roadmap#2613: clean-up deletes what has no tag of its own).
const lossRemedy = "Attach what is lost again, and exempt sha256-* tags and untagged manifests with a subject " +
	"from clean-up and lifecycle rules."

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

// newChange returns a change to now, without the fields that differ.
func newChange(kind ChangeKind, now *Row) Change {
	return Change{
		Kind:            kind,
		Registry:        now.Registry,
		URL:             now.URL,
		Image:           now.Image,
		Reason:          now.Reason,
		Detail:          now.Detail,
		Remedy:          now.Remedy,
		UnmeasuredScans: now.UnmeasuredScans,
		Significant:     !kind.ReachabilityOnly(),
	}
}
