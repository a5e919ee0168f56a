package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// findingRules is the findings table, in the order of the reports. Conditions are
// put to raw strings and texts are worded by cleaned ones, as in the table of reasons.
var findingRules = slices.Concat(answerFindings, linkFindings, signatureFindings, boundFindings, pushFindings, scanFindings)

// findingsOn returns every finding on o, worded by s.
func findingsOn(o *Observation, s *shown, v Verdict) []matrix.Finding {
	var out []matrix.Finding
	for i := range findingRules {
		if rule := &findingRules[i]; rule.when(o, v) {
			out = append(out, matrix.Finding{Code: rule.code, Text: rule.text(s, v)})
		}
	}
	return out
}
