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

// Judge returns the verdict on o: the first reason of the table whose condition
// holds. It is a pure function, and the table ends with a reason that always
// holds, so every observation has a verdict.
func Judge(o *Observation) Verdict {
	for i := range reasons {
		r := &reasons[i]
		if !r.when(o) {
			continue
		}
		sure := r.confidenceIn(o)
		return Verdict{
			Severity:         r.outcome.severity,
			Referrers:        r.outcome.referrers,
			Strategy:         r.outcome.strategy,
			Confidence:       sure.level,
			ConfidenceReason: sure.because,
			Reason:           r.name,
			Detail:           r.detail(o),
			Rule:             r.observed,
			Status:           o.decisive().Status,
		}
	}
	panic("verdict: the table of reasons has no closing entry")
}

// confidenceIn raises a likely "supported" to proven if something was seen that a
// web page or a stub cannot show: descriptors, an announced filter, or the write
// probe's own artifact coming back.
func (r *reason) confidenceIn(o *Observation) confidence {
	if r.confidence.level != matrix.Likely || r.outcome.referrers != matrix.Supported {
		return r.confidence
	}
	c := &o.Capabilities
	switch {
	case o.Referrers.Index != nil && o.Referrers.Index.Total > 0, c.Descriptors != nil && *c.Descriptors > 0:
		return proven("descriptors were listed")
	case c.FilterAnnounced():
		return proven("the registry announced OCI-Filters-Applied")
	case c.Push != nil && c.Push.Listed:
		return proven("an artifact pushed by the write probe was listed")
	case c.Push.Unlisted():
		return likely("the list answers, but an artifact that the write probe pushed never came up in it")
	case c.Push != nil && r.name == matrix.ReferrersEmpty:
		return likely("an empty list is all there is to see, and the write probe proved no more")
	}
	return r.confidence
}

// maxRemedies bounds the list: what comes first is what helps most.
const maxRemedies = 4

// remedies says what to do about v, one sentence each: what fits the product,
// then what fits the reason, and if the row passes, what its findings ask for. It
// is never nil, so that the JSON has the list.
func remedies(o *Observation, v Verdict) []string {
	out := append([]string{}, productRemedies(o, v)...)
	out = append(out, find(v.Reason).remedies...)
	if v.Severity == matrix.Pass {
		for i := range findingRules {
			if findingRules[i].text(o, v) != "" {
				out = append(out, findingRules[i].remedy)
			}
		}
	}
	return out[:min(len(out), maxRemedies)]
}
