package verdict

import "refmatrix/matrix"

// maxRemedies bounds the list: what comes first is what helps most.
const maxRemedies = 4

// remediesFor returns what to do about v, one sentence each: what fits the cause, then
// what fits the product and the reason, and if the row passes, what its findings ask
// for. If the image was not resolved, nothing is said beside the cause. The list is
// never nil, so that the JSON has it.
func remediesFor(o *Observation, s *shown, v Verdict) []string {
	out := []string{}
	if s.cause != nil {
		out = append(out, s.cause.remedies...)
	}
	if s.cause == nil || o.resolved() {
		out = append(out, productRemedies(o, s, v)...)
		out = append(out, find(v.Reason).remedies...)
	}
	if v.Severity == matrix.Pass {
		for i := range findingRules {
			if findingRules[i].when(o, v) {
				out = append(out, findingRules[i].remedy)
			}
		}
	}
	return out[:min(len(out), maxRemedies)]
}
