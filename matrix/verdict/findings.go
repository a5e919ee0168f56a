package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// findingRules is the findings table, in the order of the reports.
var findingRules = slices.Concat(answerFindings, linkFindings, pushFindings, scanFindings)

// findingsOn returns every finding on o.
func findingsOn(o *Observation, v Verdict) []matrix.Finding {
	var out []matrix.Finding
	for _, rule := range findingRules {
		if text := rule.text(o, v); text != "" {
			out = append(out, matrix.Finding{Code: rule.code, Text: text})
		}
	}
	return out
}
