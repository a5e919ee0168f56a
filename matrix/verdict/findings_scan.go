package verdict

// nameAnImage is what to do if the image that is tried by default says little of the
// registry, or is not there.
const nameAnImage = "In the inventory, name an image of this registry under images:."

// scanFindings are about the scan itself.
var scanFindings = []findingRule{
	{
		code:    "cut-short",
		meaning: "The scan ended before every step was asked.",
		remedy:  "Scan again, with a longer --deadline where there is one.",
		source:  "refmatrix",
		when:    seen(func(o *Observation) bool { return o.CutShort }),
		text: sentence("The scan ended after the verdict and before every step was asked: capabilities that are missing " +
			"were not measured."),
	},
	{
		code:    "default-image",
		meaning: "The inventory has no images for this registry, and a common one was tried.",
		remedy:  nameAnImage,
		source:  "refmatrix",
		when:    seen(func(o *Observation) bool { return o.DefaultImage }),
		text:    sentence("No images were given: library/alpine:latest was tried."),
	},
}
