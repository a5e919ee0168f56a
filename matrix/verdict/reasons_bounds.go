package verdict

import (
	"fmt"

	"refmatrix/matrix"
)

// boundReasons judge an answer of which refmatrix does not read more. That is our bound
// and not a fault of the registry.
var boundReasons = []reason{
	{
		name:       matrix.TooLarge,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "an answer over refmatrix's own bound, 8 MiB of a manifest, that does not begin as a list of referrers",
		when: func(o *Observation) bool {
			fault := o.decisive().Fault
			return fault != nil && fault.Kind == matrix.TooLarge
		},
		detail: func(s *shown) string {
			return fmt.Sprintf("The answer of %s was not read to its end: %s.", s.endpoint(), s.decisive().Fault.Text)
		},
		meaning: "The answer is larger than what refmatrix reads of one answer; it may be right all the same.",
		remedies: []string{
			"Name an image with a smaller manifest; registries refuse manifests over 4 MiB or so, so look at what answers here.",
		},
		source: "distribution specification v1.1, Pushing Manifests (a limit of 4 MiB or more); SECURITY.md",
	},
}
