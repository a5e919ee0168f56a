package verdict

import "refmatrix/matrix"

// maxRemedies bounds the list: what comes first is what helps most.
const maxRemedies = 4

// remediesFor returns what to do about v, one sentence each: what fits the product,
// then what fits the reason, and if the row passes, what its findings ask for. It
// is never nil, so that the JSON has the list.
func remediesFor(o *Observation, s *shown, v Verdict) []string {
	out := append([]string{}, productRemedies(o, s, v)...)
	out = append(out, find(v.Reason).remedies...)
	if v.Severity == matrix.Pass {
		for i := range findingRules {
			if findingRules[i].when(o, v) {
				out = append(out, findingRules[i].remedy)
			}
		}
	}
	return out[:min(len(out), maxRemedies)]
}
