package verdict

import (
	"slices"

	"refmatrix/matrix"
)

// maxRemedies bounds the list: what comes first is what helps most.
const maxRemedies = 6

// absences are the reasons that may mean that the image is not there: registries answer
// so for a repository that does not exist.
var absences = []matrix.Reason{matrix.ImageNotFound, matrix.Forbidden, matrix.ManifestRejected}

// remediesFor returns what to do about v, one sentence each: what fits the cause, then
// what fits the write probe, the product and the reason, then the ways out that clients
// have, then what its findings ask for, most of them only if the row passes. If the image
// was not resolved, nothing is said beside the cause. If an image that nobody named may not
// be there, naming one comes first. The list is never nil, so that the JSON has it.
func remediesFor(o *Observation, s *shown, v Verdict) []string {
	out := []string{}
	if s.cause == nil && o.DefaultImage && slices.Contains(absences, v.Reason) {
		out = append(out, nameAnImage)
	}
	if s.cause != nil {
		out = append(out, s.cause.remedies...)
	}
	if e := effectOfPush(o, v); e != nil {
		out = append(out, e.remedies...)
	}
	if s.cause == nil || o.resolved() {
		out = append(out, productRemedies(o, s, v)...)
		out = append(out, reasonRemedies(o, v)...)
	}
	out = append(out, waysOutOf(o, s.clients, v.Reason)...)
	for i := range findingRules {
		if f := &findingRules[i]; (f.always || v.Severity == matrix.Pass) && f.when(o, v) {
			out = append(out, f.remedy)
		}
	}
	return out[:min(len(out), maxRemedies)]
}

// Remedies that look for a release with the API.
const (
	ifReleaseHasAPI = "Where the registry's release has the API, look for a proxy in between that drops /referrers/."
	upgradeForAPI   = "Upgrade the registry where its release has no referrers API, and link by the referrers tag schema until then."
)

// reasonRemedies returns the general lines of the reason. Those about releases are left out
// if no release of the product has the API.
func reasonRemedies(o *Observation, v Verdict) []string {
	remedies := slices.Clone(find(v.Reason).remedies)
	if r, ok := records[o.Product.Name]; !ok || r.has || r.disputed {
		return remedies
	}
	return slices.DeleteFunc(remedies, func(text string) bool {
		return text == ifReleaseHasAPI || text == upgradeForAPI
	})
}

// wayOut is what a client can do where the referrers endpoint stops it, or has it lose what
// it attaches.
type wayOut struct {
	when func(o *Observation, clients map[string]matrix.Forecast) bool
	text string
}

// waysOut were run with oras 1.3.6, cosign 3.1.3, regctl 0.11.7 and containerd 2.4.2 on 405,
// 403 and 5xx. They do not depend on what the endpoint answers, but a registry that refuses
// every push refuses a .sig tag too. The last one needs a client that fails, because regctl
// and containerd fall back on a 404 as well, where all work.
var waysOut = []wayOut{
	{
		when: func(_ *Observation, c map[string]matrix.Forecast) bool {
			return failsToRead(c["oras"])
		},
		text: "Call oras with --distribution-spec v1.1-referrers-tag: it works by the tag schema then, and does not request the referrers.",
	},
	{
		when: func(o *Observation, c map[string]matrix.Forecast) bool {
			return failsToRead(c["cosign"]) && !pushIs(matrix.PushRefused, o)
		},
		text: "Sign with cosign sign --new-bundle-format=false: its .sig tag verifies under every answer, " +
			"while cosign verify reports \"no signatures found\" for bundles here.",
	},
	{
		when: func(o *Observation, c map[string]matrix.Forecast) bool {
			return (failsOnlyToPush(c["cosign"]) || losesWrites(c["cosign"])) && !pushIs(matrix.PushRefused, o)
		},
		text: "Sign with cosign sign --new-bundle-format=false: it writes a .sig tag, while a bundle fails or is lost here.",
	},
	{
		when: func(o *Observation, c map[string]matrix.Forecast) bool {
			reading, pushing := stoppedClients(o, c)
			return reading+pushing != "" && c["regctl"].Read == matrix.OutcomeTag && c["containerd"].Read == matrix.OutcomeTag
		},
		text: "Or use regctl and containerd, which fall back to the tag schema by themselves.",
	},
}

// endpointRefusals are the reasons under which the endpoint alone refuses, if the image was
// resolved: what needs only manifests works. A refusal of the account and a rate limit stop
// those too.
var endpointRefusals = []matrix.Reason{
	matrix.RedirectedAway, matrix.NotFound, matrix.MethodNotAllowed, matrix.SubjectRejected,
	matrix.Rejected, matrix.Forbidden, matrix.ServerError,
}

// waysOutOf returns the ways out of what o has by what clients will do, which is not known
// if the image was not resolved.
func waysOutOf(o *Observation, clients map[string]matrix.Forecast, r matrix.Reason) (out []string) {
	if !slices.Contains(endpointRefusals, r) {
		return nil
	}
	for _, way := range waysOut {
		if way.when(o, clients) {
			out = append(out, way.text)
		}
	}
	return out
}
