package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// reason is one entry of the verdict table: when it holds, what it comes to, and
// what is said of it.
type reason struct {
	name       matrix.Reason
	outcome    outcome
	confidence confidence
	observed   string                    // the condition, as a reader reads it
	when       func(*Observation) bool   // the condition
	detail     func(*Observation) string // one sentence naming what was seen
	meaning    string                    // one sentence for a person who meets the reason in a report
	remedies   []string                  // what to do, the most likely fix first; a passing row needs none
	source     string                    // where the rule comes from
}

// reasons is the verdict table: the first entry whose condition holds decides.
// Faults come first, then answers that either step can get, then the manifest
// step's own, then the referrers endpoint's.
var reasons = slices.Concat(faultReasons, refusalReasons, manifestReasons, referrersReasons)

// outcome is what a verdict says of the repository.
type outcome struct {
	severity  matrix.Severity
	referrers matrix.Support
	strategy  matrix.Strategy
}

var (
	works      = outcome{matrix.Pass, matrix.Supported, matrix.ReferrersAPI}
	mistyped   = outcome{matrix.Warn, matrix.Supported, matrix.ReferrersAPI} // the API is there, and most clients do not use it
	without    = outcome{matrix.Warn, matrix.Unsupported, matrix.ReferrersTag}
	misleading = outcome{matrix.Warn, matrix.Invalid, matrix.ReferrersTag} // a 200 that is not the API's
	closed     = outcome{matrix.Info, matrix.SupportUnknown, matrix.StrategyUnknown}
	broken     = outcome{matrix.Fail, matrix.SupportUnknown, matrix.StrategyUnknown}
)

// confidence is how far the evidence carries a verdict, and why, one clause.
type confidence struct {
	level   matrix.Confidence
	because string
}

func proven(because string) confidence { return confidence{matrix.Proven, because} }
func likely(because string) confidence { return confidence{matrix.Likely, because} }

var unmeasured = confidence{matrix.Assumed, "the API's answer was never seen"}

const oneReading = "the answer leaves no other reading"

// Sources that several entries name.
const (
	listing   = "distribution specification v1.1, Listing Referrers"
	errorTerm = "distribution specification v1.1, Error Codes"
)

// Description is what is to be known of a reason beside the verdict.
type Description struct {
	Meaning  string // one sentence for a person who meets the reason in a report
	Observed string // the condition that holds
	Source   string // where the rule comes from
}

// Describe returns what is to be known of r. It is the zero Description if r is
// not a reason of this refmatrix.
func Describe(r matrix.Reason) Description {
	known := find(r)
	return Description{Meaning: known.meaning, Observed: known.observed, Source: known.source}
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
