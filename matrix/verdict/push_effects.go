package verdict

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// pushEffect is one entry of the table of what the write probe changes in a verdict that
// rests on reading alone. Reading may work, and what a client attaches may be lost all the
// same.
type pushEffect struct {
	observed string                               // the condition, as a reader reads it
	when     func(o *Observation, v Verdict) bool // the condition, on the verdict of reading
	severity matrix.Severity                      // at least this
	strategy matrix.Strategy
	detail   string // the clause that the detail ends with
	remedies []string
	source   string
}

// pushEffects is that table; the first entry whose condition holds decides. A push that was
// refused is not in it: what is attached can be read as before, and push-refused says the
// rest.
var pushEffects = []pushEffect{
	{
		observed: "the write probe's artifact was accepted with OCI-Subject, and no list shows it",
		when: func(o *Observation, v Verdict) bool {
			return pushIs(matrix.PushLost, o) && v.Strategy != matrix.StrategyUnknown
		},
		severity: matrix.Warn,
		strategy: matrix.ReferrersTag,
		detail:   "what is pushed is lost: PUT answers with OCI-Subject, and no list shows the artifact",
		remedies: []string{
			"Attach with oras --distribution-spec v1.1-referrers-tag or with notation, which write the referrers tag although OCI-Subject came.",
			"Attach in no other way until GET /referrers/ reaches the registry that took the push, and lists it at once.",
		},
		source: "distribution specification v1.1, Pushing Manifests with Subject; ociserver with DisableReferrersAPI and ociclient, measured",
	},
	{
		observed: "the write probe's artifact was accepted without OCI-Subject, and the list that the API answers does not show it",
		when: func(o *Observation, v Verdict) bool {
			return pushIs(matrix.PushTag, o) && o.Capabilities.Push.Unlisted() && v.Referrers == matrix.Supported
		},
		severity: matrix.Warn,
		strategy: matrix.ReferrersTag,
		detail:   "an artifact that the write probe pushed is never listed",
		remedies: []string{
			"Attach and read by the tag schema (oras --distribution-spec v1.1-referrers-tag): the list that the API answers is not that of the registry.",
			"Look for a stub or a proxy that answers /v2/*/referrers/* in the registry's place.",
		},
		source: listing + "; clients measured on a constant empty list",
	},
}

// effectOfPush returns the entry that holds for v, or nil.
func effectOfPush(o *Observation, v Verdict) *pushEffect {
	at := slices.IndexFunc(pushEffects, func(e pushEffect) bool { return e.when(o, v) })
	if at < 0 {
		return nil
	}
	return &pushEffects[at]
}

// afterPush returns v, the verdict of reading, as the write probe leaves it.
func afterPush(o *Observation, v Verdict) Verdict {
	e := effectOfPush(o, v)
	if e == nil {
		return v
	}
	if !v.Severity.AtLeast(e.severity) {
		v.Severity = e.severity
	}
	v.Strategy = e.strategy
	joint := ", and "
	if v.Referrers == matrix.Supported {
		joint = ", but "
	}
	v.Detail = strings.TrimSuffix(v.Detail, ".") + joint + e.detail + "."
	v.Rule += "; and " + e.observed
	return v
}
