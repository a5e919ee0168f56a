package verdict

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
}
