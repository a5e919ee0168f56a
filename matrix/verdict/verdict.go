// Package verdict turns what was observed of an image at a registry into its
// row: the verdict, findings, what clients will do, product and remedies. Every
// rule is an entry of a table. It does no I/O.
package verdict

import "refmatrix/matrix"

// Verdict is what follows from an observation.
type Verdict struct {
	Severity         matrix.Severity
	Referrers        matrix.Support
	Strategy         matrix.Strategy
	Confidence       matrix.Confidence
	ConfidenceReason string // why the confidence is what it is, one clause
	Reason           matrix.Reason
	Detail           string // one plain sentence naming what was seen
	Rule             string // the condition that held, in words
	Status           int    // the HTTP status that decided; 0 where no answer came
}

// Judge gives the verdict on o: the first rule of the table whose condition
// holds. It is a pure function, and the table ends with a rule that always
// holds, so every observation has a verdict.
func Judge(o *Observation) Verdict {
	for i := range rules {
		r := &rules[i]
		if !r.when(o) {
			continue
		}
		v := Verdict{
			Severity: r.Severity, Referrers: r.Referrers, Strategy: r.Strategy, Reason: r.Reason,
			Detail: r.detail(o), Rule: r.Observed, Status: o.deciding().Status,
		}
		v.Confidence, v.ConfidenceReason = confidence(r, o)
		return v
	}
	panic("verdict: the verdict table has no closing rule")
}

// confidence raises a likely "supported" to proven where something was seen
// that a web page or a stub cannot show: descriptors, an announced filter, or
// the write probe's own artifact coming back.
func confidence(r *Rule, o *Observation) (matrix.Confidence, string) {
	if r.Confidence != matrix.Likely || r.Referrers != matrix.Supported {
		return r.Confidence, r.because
	}
	c := &o.Capabilities
	switch {
	case o.Referrers.Index != nil && o.Referrers.Index.Total > 0, c.Descriptors != nil && *c.Descriptors > 0:
		return matrix.Proven, "descriptors were listed"
	case c.FilterAnnounced():
		return matrix.Proven, "the registry announced OCI-Filters-Applied"
	case c.Push != nil && c.Push.Listed:
		return matrix.Proven, "an artifact pushed by the write probe was listed"
	case c.Push.Unlisted():
		return r.Confidence, "the list answers, but an artifact that the write probe pushed never came up in it"
	case c.Push != nil && r.Reason == matrix.ReferrersEmpty:
		return r.Confidence, "an empty list is all there is to see, and the write probe proved no more"
	}
	return r.Confidence, r.because
}
