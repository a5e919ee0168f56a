package verdict

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// findingRule is one line of the findings table; every line whose text is not
// empty is reported.
type findingRule struct {
	code    string
	meaning string // for the documentation
	remedy  string // what to do about it, one sentence
	source  string // where it comes from
	text    func(o *Observation, v Verdict) string
}

// findingRules is the findings table, in the order of the reports.
var findingRules = slices.Concat(answerFindings, linkFindings, pushFindings, scanFindings)

// sentence makes a finding's text from a condition and a fixed sentence.
func sentence(when func(*Observation) bool, text string) func(*Observation, Verdict) string {
	return func(o *Observation, _ Verdict) string {
		if when(o) {
			return text
		}
		return ""
	}
}

// scanFindings are about the scan itself.
var scanFindings = []findingRule{
	{
		code:    "cut-short",
		meaning: "The scan ended before every step was asked.",
		remedy:  "Scan again, with a longer --deadline where there is one.",
		source:  "refmatrix",
		text: sentence(func(o *Observation) bool { return o.CutShort },
			"The scan ended after the verdict and before every step was asked: capabilities that are missing were not measured."),
	},
}

// clientsThat names the clients whose forecast holds, in the order of the
// forecast table.
func clientsThat(o *Observation, holds func(matrix.Forecast) bool) string {
	all := forecast(o)
	var names []string
	for _, l := range libraries {
		for _, client := range l.clients {
			if does, ok := all[client]; ok && holds(does) {
				names = append(names, client)
			}
		}
	}
	return strings.Join(names, ", ")
}

// findings gives every finding on o.
func findings(o *Observation, v Verdict) []matrix.Finding {
	var out []matrix.Finding
	for _, rule := range findingRules {
		if text := rule.text(o, v); text != "" {
			out = append(out, matrix.Finding{Code: rule.code, Text: text})
		}
	}
	return out
}
