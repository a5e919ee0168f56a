package verdict

import "refmatrix/matrix"

// reason is one entry of the verdict table: its condition, the verdict, and the
// texts on it. The condition is put to the raw observation. The detail is worded
// by the cleaned one, and must not be judged on it: see shown.
type reason struct {
	name       matrix.Reason
	outcome    outcome
	confidence confidence
	observed   string                  // the condition, as a reader reads it
	when       func(*Observation) bool // the condition, on raw strings
	detail     func(*shown) string     // one sentence naming what was seen, of cleaned strings
	meaning    string                  // one sentence for a person who meets the reason in a report
	remedies   []string                // what to do, the most likely fix first; a passing row needs none
	source     string                  // where the rule comes from
}

// outcome is what a verdict says about the repository.
type outcome struct {
	severity  matrix.Severity
	referrers matrix.Support
	strategy  matrix.Strategy
}

var (
	works      = outcome{matrix.Pass, matrix.Supported, matrix.ReferrersAPI}
	mistyped   = outcome{matrix.Warn, matrix.Supported, matrix.ReferrersAPI} // most clients do not use this API
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
