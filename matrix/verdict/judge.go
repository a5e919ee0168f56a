package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// reasons is the verdict table: the first entry whose condition holds decides.
// Faults come first, then what is over a bound of ours, then answers that either step can get, then the manifest
// step's own, then the referrers endpoint's. Conditions are put to the raw
// observation and details are worded by the cleaned one, so that a password that is
// a word of the protocol decides nothing.
var reasons = slices.Concat(faultReasons, boundReasons, refusalReasons, manifestReasons, referrersReasons)

// Description explains a reason.
type Description struct {
	Meaning  string // one sentence for a person who meets the reason in a report
	Observed string // the condition that holds
	Source   string // where the rule comes from
	Severity matrix.Severity
}

// Describe explains r. It returns the zero Description if r is not a reason of this
// refmatrix.
func Describe(r matrix.Reason) Description {
	known := find(r)
	return Description{
		Meaning:  known.meaning,
		Observed: known.observed,
		Source:   known.source,
		Severity: known.outcome.severity,
	}
}

// find returns the entry of r, an empty one if there is none.
func find(r matrix.Reason) reason {
	for i := range reasons {
		if reasons[i].name == r {
			return reasons[i]
		}
	}
	return reason{}
}

// Judge returns the verdict on o: the first reason of the table whose condition
// holds, as the write probe leaves it if that ran. It is a pure function, and the table ends with a reason that always
// holds, so every observation has a verdict. Its detail has strings from the wire
// as they came, made printable; those of a row are cleaned by NewRow.
func Judge(o *Observation) Verdict { return judge(o, show(o, nil)) }

// judge returns the verdict on o, and words it by s.
func judge(o *Observation, s *shown) Verdict {
	for i := range reasons {
		r := &reasons[i]
		if !r.when(o) {
			continue
		}
		sure := r.confidenceIn(o)
		if r.name == matrix.ReferrersEmpty && mayBeProxy(o) {
			sure.because += "; it is about the endpoint, and not about what is attached upstream of a proxy project"
		}
		return afterPush(o, Verdict{
			Severity:         r.outcome.severity,
			Referrers:        r.outcome.referrers,
			Strategy:         r.outcome.strategy,
			Confidence:       sure.level,
			ConfidenceReason: sure.because,
			Reason:           r.name,
			Detail:           r.detail(s),
			Rule:             r.observed,
			Status:           o.decisive().Status,
		})
	}
	panic("verdict: the table of reasons has no closing entry")
}

// confidenceIn raises a likely "supported" to proven if something was seen that a
// web page or a stub cannot show: the write probe's own artifact coming back, or
// descriptors or an announced filter that a digest that cannot exist does not get.
func (r *reason) confidenceIn(o *Observation) confidence {
	if r.outcome.referrers != matrix.Supported {
		return r.confidence
	}
	c, sign := &o.Capabilities, signOfAPI(o)
	switch {
	case o.Referrers.Bound > 0:
		return likely("the list is over refmatrix's bound, and only how it begins was read")
	case c.Push != nil && c.Push.Listed:
		return proven("an artifact pushed by the write probe was listed")
	case c.Push.Unlisted():
		return likely("the list answers, but an artifact that the write probe pushed never came up in it")
	case sign != "" && (c.AbsentSubject == "index" || o.Referrers.SameForAbsent):
		return likely(sign + ", but a digest that cannot exist has descriptors too")
	case sign != "" && slices.Contains(noneForAbsent, c.AbsentSubject):
		return proven(sign + ", and a digest that cannot exist has none")
	case sign != "":
		return likely(sign + "; whether a digest that cannot exist has none was not measured")
	case c.Push != nil && r.name == matrix.ReferrersEmpty:
		return likely("an empty list is all there is to see, and the write probe proved no more")
	}
	return r.confidence
}

// noneForAbsent are the answers that list nothing for a digest that cannot exist. Others,
// such as a 403, are not about the digest.
var noneForAbsent = []string{"empty-index", "http-404", "http-400"}

// signOfAPI returns what an endpoint shows that knows referrers, "" if that is nothing.
func signOfAPI(o *Observation) string {
	c := &o.Capabilities
	switch {
	case o.Referrers.Index != nil && o.Referrers.Index.Total > 0, c.Descriptors != nil && *c.Descriptors > 0:
		return "descriptors were listed"
	case c.FilterAnnounced():
		return "the registry announced OCI-Filters-Applied"
	}
	return ""
}
