package verdict

// findingRule is one entry of the findings table. Its condition is put to the raw
// observation. Its text is worded by the cleaned one, and must not be judged on it:
// see shown.
type findingRule struct {
	code    string
	meaning string                               // for the documentation
	remedy  string                               // what to do about it, one sentence
	always  bool                                 // the row has the remedy even if it does not pass
	source  string                               // where it comes from
	when    func(o *Observation, v Verdict) bool // the condition, on raw strings
	text    func(s *shown, v Verdict) string     // one sentence, of cleaned strings
}

// seen makes a condition of one that does not need the verdict.
func seen(when func(*Observation) bool) func(*Observation, Verdict) bool {
	return func(o *Observation, _ Verdict) bool { return when(o) }
}

// sentence is the text of a finding that says the same of every case.
func sentence(text string) func(*shown, Verdict) string {
	return func(*shown, Verdict) string { return text }
}
