package verdict

import "refmatrix/matrix"

const otherOrigin = "Where the registry redirects the question to another origin, name that registry in the inventory: credentials do not follow."

// remediesByReason says what to do for each reason, most likely mend first.
// A passing row needs nothing, unless it says otherwise.
var remediesByReason = map[matrix.Reason][]string{
	matrix.ReferrersListed: {},
	matrix.ReferrersEmpty:  {},
	matrix.IndexOn404: {
		"Ask the vendor to answer 200: the specification forbids 404 from a registry that has the API.",
		"Until then let clients use the referrers tag schema, which is what they do on a 404.",
	},
	matrix.WrongContentType: {
		"Upgrade the registry, or mend the proxy rule that rewrites Content-Type: the answer must be " + IndexMediaType + ".",
		"Until then link by the referrers tag schema (oras --distribution-spec v1.1-referrers-tag).",
	},
	matrix.NotFound: {
		"Link by the referrers tag schema, and exempt sha256-* tags from clean-up and immutability rules.",
		"Where the registry's release has the API, look for a proxy in between that drops /referrers/.",
		"A pull-through proxy has the API only where its upstream has it (replicated-docs#4287): scan the upstream too.",
	},
	matrix.MethodNotAllowed: {
		"Switch the referrers API on in the registry's configuration, or let the proxy pass GET on /referrers/.",
		"Otherwise force the tag schema (oras --distribution-spec v1.1-referrers-tag): oras and cosign do not fall back on a 405.",
	},
	matrix.Rejected: {
		"Look for a proxy or firewall rule that refuses /v2/*/referrers/*; the registry itself should answer 200 or 404.",
		"Upgrade the registry where its release has no referrers API, and link by the referrers tag schema until then.",
	},
	matrix.RedirectedAway: {
		"Link by the referrers tag schema: referrers requests are sent to a web site.",
		"Where that is a sign-in page, let /v2/*/referrers/* pass the proxy that asks for it.",
	},
	matrix.NotAnIndex: {
		"Look for a sign-in page or a single-page application that answers for unknown paths, and let /v2/*/referrers/* reach the registry.",
		"Force the referrers tag schema until then: clients that trust the 200 lose links.",
	},
	matrix.SubjectRejected: {
		"Ask the vendor why GET referrers refuses a digest whose manifest it serves; try an image whose manifest is of an OCI media type.",
	},
	matrix.ImageNotFound: {
		"Name an image that exists in the inventory, and check the spelling of its repository (docker.io images need library/).",
		"Where it exists, give the account pull permission: many registries answer 404 for what an account may not see.",
	},
	matrix.ManifestRejected: {
		"Check the image's repository name: some registries refuse names without a project or an account part.",
	},
	matrix.Unauthorized: {
		"Give the inventory entry working credentials (auth:), or log in with docker login so that the docker config has them.",
		"Check the spelling: Docker Hub and others answer 401 insufficient_scope, never 404, for a repository that is absent or private.",
		otherOrigin,
	},
	matrix.Forbidden: {
		"Give the account pull permission on the repository.",
		otherOrigin,
	},
	matrix.RateLimited: {
		"Lower rate: for this registry, or scan it later.",
		"Sign in: accounts have higher limits than anonymous requests.",
	},
	matrix.NoDigest: {
		"Name the image by digest (repo@sha256:...), or choose one that the registry serves as an OCI or Docker v2 manifest.",
	},
	matrix.ServerError: {
		"Look into the registry's own log for this request, then scan again.",
	},
	matrix.TokenError: {
		"Ask for a token by hand with the curl line of refmatrix explain, and look into the token service's log.",
	},
	matrix.DNS: {
		"Check the url: in the inventory, and that this machine resolves the name.",
	},
	matrix.Connect: {
		"Check that the registry is up and that a firewall or proxy lets this machine reach it.",
	},
	matrix.TLS: {
		"Give the authority that signed the certificate as tls.caFile, or mend the certificate.",
	},
	matrix.Timeout: {
		"Scan again; raise timeout: for this registry where it is known to be slow.",
	},
	matrix.Protocol: {
		"Check that the url: names an OCI registry; something else, or a broken proxy, answers there.",
	},
	matrix.Redirect: {
		"Mend the registry's or proxy's redirect; refmatrix follows none to http, to itself in a circle, or to loopback, link-local and metadata addresses.",
	},
	matrix.AuthRefused: {
		"Mend the realm in the registry's configuration: it must be https, on an address that is not loopback, link-local or metadata; name it under auth.realms where a list is given.",
	},
	matrix.Credentials: {
		"Run the credential helper by hand, and check that it is on the PATH and knows this registry.",
	},
}

// maxRemedies bounds the list: what comes first is what helps most.
const maxRemedies = 4

// remedies says what to do about v, one sentence each: what fits the product,
// then what fits the reason, and where the row passes, what its findings ask
// for. It is never nil, so that the JSON has the list.
func remedies(o *Observation, v Verdict) []string {
	out := append([]string{}, productRemedies(o, v)...)
	out = append(out, remediesByReason[v.Reason]...)
	if v.Severity == matrix.Pass {
		for i := range findingRules {
			if findingRules[i].text(o, v) != "" {
				out = append(out, findingRules[i].remedy)
			}
		}
	}
	return out[:min(len(out), maxRemedies)]
}
