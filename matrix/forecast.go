package matrix

// Outcome is what a client does at a registry.
type Outcome string

// The outcomes of reading referrers and of pushing one.
const (
	OutcomeAPI     Outcome = "api"           // uses the referrers API
	OutcomeTag     Outcome = "tag"           // uses the referrers tag schema
	OutcomeError   Outcome = "error"         // fails, without falling back
	OutcomeNothing Outcome = "nothing-found" // reads an empty list, or writes nothing that is found later
)

// Forecast is what one client will do, and the library version it was seen on.
type Forecast struct {
	Read    Outcome `json:"read"`
	Push    Outcome `json:"push,omitempty"` // empty: the client attaches nothing
	Version string  `json:"version"`
}
