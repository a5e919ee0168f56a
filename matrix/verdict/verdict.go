// Package verdict turns what was observed of an image at a registry into its
// row: the verdict, findings, what clients will do, product and remedies. Every
// rule is an entry of a table. It does no I/O.
package verdict

import "refmatrix/matrix"

// Verdict is what follows from an observation.
type Verdict struct {
	Severity         matrix.Severity
	Referrers        matrix.Support
	Strategy         matrix.Strategy
	Confidence       matrix.Confidence
	ConfidenceReason string // why the confidence is what it is, one clause
	Reason           matrix.Reason
	Detail           string // one plain sentence naming what was seen
	Rule             string // the condition that held, as a reader reads it
	Status           int    // the HTTP status that decided; 0 if no answer came
}
