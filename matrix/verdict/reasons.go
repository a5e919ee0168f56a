package verdict

import "refmatrix/matrix"

// Note is what is to be known of a reason beside the rule that gives it.
type Note struct {
	Meaning string // one sentence for a person who meets the reason in a report
	Source  string // where the rule comes from
}

// NoteOf returns the note on a reason, the zero Note where the reason is not
// one of refmatrix.
func NoteOf(r matrix.Reason) Note { return notes[r] }

const (
	listing   = "distribution specification v1.1, Listing Referrers"
	errorTerm = "distribution specification v1.1, Error Codes"
)

var notes = map[matrix.Reason]Note{
	matrix.ReferrersListed:  {"The referrers API works and lists what is attached to this image.", listing},
	matrix.ReferrersEmpty:   {"The referrers API answers with an empty list; nothing is attached to this image, or not by the API.", listing},
	matrix.IndexOn404:       {"A valid list comes under a status that clients take for 'no API'.", listing + " (a registry with the API must not answer 404)"},
	matrix.WrongContentType: {"The API is there, but its answers carry a media type that most clients refuse.", listing + "; harbor#18865"},
	matrix.NotFound:         {"The registry has no referrers API, and clients fall back to the referrers tag schema.", listing + ", Referrers Tag Schema"},
	matrix.MethodNotAllowed: {"The endpoint is known but switched off; some clients fail here instead of falling back.", "RFC 9110 section 15.5.6; olareg with the API off, measured"},
	matrix.Rejected:         {"The request is refused for another reason than its absence: an old registry, a proxy or a firewall.", "harbor#18305 (401 without a challenge), go-containerregistry#1962 (406)"},
	matrix.RedirectedAway:   {"The registry sends the question to its web site, which knows nothing of referrers.", "artifacthub/hub#4785, kubernetes/registry.k8s.io#287"},
	matrix.NotAnIndex:       {"A 200 that is no referrers list: a sign-in page or a web application answers in the registry's place.", "sigstore-js#1187, kubernetes/registry.k8s.io#287"},
	matrix.SubjectRejected:  {"The endpoint is there but refuses the very digest whose manifest it serves.", "quay#3071"},
	matrix.ImageNotFound:    {"The test image does not exist, or the account may not see it, so there was no digest to ask with.", "distribution specification v1.1, Pulling manifests"},
	matrix.ManifestRejected: {"The registry refuses the manifest request itself, so there was no digest to ask with.", errorTerm},
	matrix.Unauthorized:     {"The credentials, or their absence, do not open this repository.", "RFC 9110 section 15.5.2; " + errorTerm},
	matrix.Forbidden:        {"The account is known but lacks the permission.", "RFC 9110 section 15.5.4; " + errorTerm},
	matrix.RateLimited:      {"The registry asked to come back later, more often than the retries allow.", "RFC 6585 section 4; RFC 9110 section 10.2.3"},
	matrix.NoDigest:         {"The manifest came, but no digest to ask with could be had from it.", "distribution specification v1.1, Pulling manifests; image specification, Digests"},
	matrix.ServerError:      {"The registry or a proxy before it broke while answering.", "RFC 9110 section 15.6"},
	matrix.TokenError:       {"The token service that the registry names gave no token.", "distribution token specification"},
	matrix.DNS:              {"The registry's name leads to no address from here.", "RFC 1035"},
	matrix.Connect:          {"Nothing answers at the registry's address, or what answered hung up.", "RFC 9293"},
	matrix.TLS:              {"The connection could not be made safe.", "RFC 8446, RFC 5280"},
	matrix.Timeout:          {"The registry did not answer completely in time.", "the inventory's timeout"},
	matrix.Protocol:         {"What answers does not speak HTTP as a registry does.", "RFC 9112, RFC 9113"},
	matrix.Redirect:         {"A redirect led where refmatrix does not go.", "RFC 9110 section 15.4; SECURITY.md"},
	matrix.AuthRefused:      {"The registry asked for the credentials to be sent where they must not go; nothing was sent.", "GHSA-xf85-363p-868w, CVE-2020-15157; SECURITY.md"},
	matrix.Credentials:      {"The credentials could not be fetched from the helper or file that holds them.", "docker-credential-helpers protocol"},
}
