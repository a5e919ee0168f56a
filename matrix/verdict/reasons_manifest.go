package verdict

import (
	"net/http"

	"refmatrix/matrix"
)

// manifestReasons judge an image that could not be resolved to a digest.
var manifestReasons = []reason{
	{
		name:       matrix.NotARegistry,
		outcome:    broken,
		confidence: unmeasured,
		observed:   "the manifest request ends in 2xx, 3xx or 404 without a manifest or an OCI error, and GET /v2/ has no challenge, no API version header, no JSON and no OCI error",
		when:       unresolved(func(o *Observation) bool { return o.NotARegistry }),
		detail: func(s *shown) string {
			return titledText(&s.Manifest.Answer) + " on " + s.Manifest.methods() + " of the manifest, and GET /v2/ is not answered as a registry answers it either."
		},
		meaning: "Something else than a registry answers at this address: a web site, or a page to sign in at.",
		remedies: []string{
			"Check the url: in the inventory: it is the address that docker login takes, which can differ from that of the web page by name, port or path.",
			"If a sign-in proxy is in front of the registry, let requests below /v2/ pass it, or scan from where it is not in between.",
		},
		source: "distribution specification v1.1, Determining Support; cloudflare/cloudflared#165",
	},
	{
		name:       matrix.ImageNotFound,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "the manifest answers 404 on HEAD and GET",
		when:       unresolved(statusIs(http.StatusNotFound)),
		detail: func(s *shown) string {
			return answerText(&s.Manifest.Answer) + " on " + s.Manifest.methods() + " of the manifest: the image is not there, or this account may not see it."
		},
		meaning: "The test image does not exist, or the account may not see it, so there was no digest to ask with.",
		remedies: []string{
			"Name an image that exists in the inventory, and check the spelling of its repository (docker.io images need library/).",
			"Where it exists, give the account pull permission: many registries answer 404 for what an account may not see.",
		},
		source: "distribution specification v1.1, Pulling manifests",
	},
	{
		name:       matrix.NoDigest,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "the manifest answered, but its digest cannot be had, is malformed or differs",
		when:       unresolved(statusIs(http.StatusOK)),
		detail: func(s *shown) string {
			return "The manifest answered, but gave no digest to ask with: " + s.Manifest.NoDigest.text() + "."
		},
		meaning: "The manifest came, but no digest to ask with could be had from it.",
		remedies: []string{
			"Name the image by digest (repo@sha256:...), or choose one that the registry serves as an OCI or Docker v2 manifest.",
		},
		source: "distribution specification v1.1, Pulling manifests; image specification, Digests",
	},
	{
		name:       matrix.ManifestRejected,
		outcome:    closed,
		confidence: unmeasured,
		observed:   "the manifest request is refused (400, 405, 406 ...) on HEAD, and on GET where that may differ",
		when:       unresolved(func(*Observation) bool { return true }),
		detail: func(s *shown) string {
			because := s.Manifest.refusedOrIrrelevant("the registry refuses the request itself")
			if s.cause != nil {
				because = s.cause.text
			}
			return answerText(&s.Manifest.Answer) + " on " + s.Manifest.methods() + " of the manifest: " + because + "."
		},
		meaning: "The registry refuses the manifest request itself, so there was no digest to ask with.",
		remedies: []string{
			"Check the image's repository name: some registries refuse names without a project or an account part.",
		},
		source: errorTerm,
	},
}
