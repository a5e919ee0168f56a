package verdict

// findingRule is one entry of the findings table; every entry whose text is not
// empty is reported.
type findingRule struct {
	code    string
	meaning string // for the documentation
	remedy  string // what to do about it, one sentence
	source  string // where it comes from
	text    func(o *Observation, v Verdict) string
}

// sentence makes a finding's text from a condition and a fixed sentence.
func sentence(when func(*Observation) bool, text string) func(*Observation, Verdict) string {
	return func(o *Observation, _ Verdict) string {
		if when(o) {
			return text
		}
		return ""
	}
}
