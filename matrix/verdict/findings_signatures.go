package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// signed makes a condition of one on the links of an image, if they were probed.
func signed(when func(*Links) bool) func(*Observation, Verdict) bool {
	return seen(func(o *Observation) bool { return o.Links != nil && when(o.Links) })
}

// signatureFindings are about where the signatures of an image are. Each holds only if that is
// certain: nothing that was refused or not read could show another signature.
var signatureFindings = []findingRule{
	{
		code:    "signed-index-alone",
		meaning: "The index is signed, and none of its platforms is.",
		remedy:  "Sign with cosign sign --recursive if clients verify the digest of a platform.",
		source:  "cloudnative-pg/postgres-containers#484",
		when: signed(func(l *Links) bool {
			image, platforms := l.spread(matrix.KindSignature)
			all := len(l.present())
			return image == has && all > 0 && len(platforms[lacks]) == all
		}),
		text: sentence("The index is signed, and none of its platforms is: " +
			"a client that verifies the digest of a platform finds no signature."),
	},
	{
		code:    "signed-platforms-alone",
		meaning: "Some platforms are signed. Others are not, nor is the index.",
		remedy:  "Sign the index and every platform: cosign sign --recursive.",
		source:  "NVIDIA/aicr#2213",
		when: signed(func(l *Links) bool {
			covered, _ := l.coverage(matrix.KindSignature)
			return covered == matrix.CoveragePartial
		}),
		text: sentence("Some platforms are signed, and others are not, nor is the index: " +
			"whether a signature is found depends on the platform."),
	},
	{
		code:    "signed-by-tag-alone",
		meaning: "All signatures are those of cosign 2, under .sig tags.",
		remedy: "Sign with cosign 3, which attaches a referrer, and keep the .sig tags: " +
			"podman, policy-controller and kubewarden read nothing else.",
		source: "coreos/chunkah#117, podman-container-tools/container-libs#1153; cosign 3.1.3, measured",
		when:   signed((*Links).signedByTagAlone),
		text: sentence("All signatures are under .sig tags, which have no subject: " +
			"clients that list referrers do not find them, and a copy without tags leaves them behind."),
	},
}

// signedByTagAlone reports whether there are signatures, and a cosign tag names each of them. The
// API may list it as well, as Harbor does.
func (l *Links) signedByTagAlone() bool {
	signatures := 0
	for _, link := range merged(l.Found) {
		switch {
		case link.Depth != 1:
		case link.Kind == "":
			return false
		case link.Kind == matrix.KindSignature && !slices.Contains(link.Where, matrix.PlaceCosignTag):
			return false
		case link.Kind == matrix.KindSignature:
			signatures++
		}
	}
	return signatures > 0 && l.readToTheEnd()
}
