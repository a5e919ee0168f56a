package verdict

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// findingRule is one line of the findings table; every line whose text is not
// empty is reported.
type findingRule struct {
	code    string
	meaning string // for the documentation
	remedy  string // what to do about it, one sentence
	source  string // where it comes from
	text    func(o *Observation, v Verdict) string
}

// findingRules is the findings table, in the order of the reports.
var findingRules = slices.Concat(answerFindings, linkFindings, pushFindings, scanFindings)

// sentence makes a finding's text from a condition and a fixed sentence.
func sentence(when func(*Observation) bool, text string) func(*Observation, Verdict) string {
	return func(o *Observation, _ Verdict) string {
		if when(o) {
			return text
		}
		return ""
	}
}

func filterIs(f matrix.Filter) func(*Observation) bool {
	return func(o *Observation) bool { return o.Capabilities.Filter == f }
}

// answerFindings are about what the referrers endpoint answers.
var answerFindings = []findingRule{
	{"spec-404", "An index came under 404, which the specification forbids.",
		"Ask the vendor to answer 200 where the API is there.", listing,
		func(_ *Observation, v Verdict) string {
			if v.Reason != matrix.IndexOn404 {
				return ""
			}
			return "A registry with the API must not answer 404 here (distribution specification v1.1, Listing Referrers); clients treat every 404 as no API and use the tag schema."
		}},
	{"type-parameters", "The index type is written with parameters or in capitals.",
		"Let the registry, or the proxy that adds the charset, send " + IndexMediaType + " and nothing else.", "RFC 9110 section 8.3.1; clients measured",
		sentence(func(o *Observation) bool {
			return okIndex(o) && MatchType(o.Referrers.ContentType) == matrix.TypeParameters
		},
			"The Content-Type carries parameters or capitals: oras, notation and cosign compare it whole and fall back to tags, regctl and containerd do not.")},
	{"clients-fail", "Some clients fail on this answer instead of falling back.",
		"Use the other clients here, or force the tag schema (oras --distribution-spec v1.1-referrers-tag), until the answer is mended.", "clients measured, see the forecast table",
		func(o *Observation, _ Verdict) string {
			read := clientsThat(o, func(f matrix.Forecast) bool { return f.Read == matrix.OutcomeError })
			push := clientsThat(o, func(f matrix.Forecast) bool { return f.Push == matrix.OutcomeError && f.Read != matrix.OutcomeError })
			switch {
			case read != "" && push != "":
				return fmt.Sprintf("This answer stops %s with an error when they read, and %s when they attach: they do not fall back to the tag schema.", read, push)
			case read != "":
				return fmt.Sprintf("This answer stops %s with an error when they read: they do not fall back to the tag schema.", read)
			case push != "":
				return fmt.Sprintf("This answer stops %s with an error when they attach: they do not fall back to the tag schema.", push)
			}
			return ""
		}},
	{"writes-lost", "What a client attaches is not found afterwards.",
		"Attach with a client that writes the tag here, or force the tag schema, until the answer is mended.", "clients measured, see the forecast table",
		func(o *Observation, _ Verdict) string {
			lost := clientsThat(o, func(f matrix.Forecast) bool { return f.Push == matrix.OutcomeNothing })
			if lost == "" || o.Capabilities.Push.Unlisted() {
				return ""
			}
			return fmt.Sprintf("%s take this for a registry with the API and write no tag, but do not read its list: what they attach is found by nobody later.", lost)
		}},
	{"page-loop", "The pages of the list do not end or lead away.",
		"Mend the next links of the registry or of the proxy before it: they have to lead on, on the same origin, to an OCI index.", listing + "; RFC 8288",
		func(o *Observation, _ Verdict) string {
			switch o.Capabilities.Pagination {
			case matrix.PageLoop:
				return "The next links of the list run in a circle: clients that follow them hang or repeat."
			case matrix.PageForeign:
				return "A next link of the list leads to another origin; it was not followed, and clients lose the credentials there."
			case matrix.PageBroken:
				return "A next link of the list answered no OCI index: clients see only the pages before it."
			}
			return ""
		}},
	{"filter-ignored", "?artifactType= changes nothing, and clients must filter themselves.",
		"Expect clients to fetch the whole list of an image; they filter it themselves.", listing,
		sentence(filterIs(matrix.FilterIgnored), "The artifactType filter is ignored; clients filter themselves, at the price of the whole list.")},
	{"filter-misstated", "OCI-Filters-Applied came with a list that was not filtered.",
		"Ask the vendor to leave the header out where the filter was not applied, and filter by artifact type on the client's side.", listing,
		sentence(filterIs(matrix.FilterMisstated), "OCI-Filters-Applied says that the artifactType filter was applied, but other types are listed: clients that trust the header, as oras does, take them for what they asked for.")},
	{"filter-fails", "The filtered list leaves out what it was asked for, or is refused.",
		"List without an artifact type and filter on the client's side, and ask the vendor to mend the filter.", listing,
		sentence(filterIs(matrix.FilterFails), "A request with ?artifactType= is refused or leaves out the very type it asks for: clients that filter find nothing.")},
	{"contradicts-record", "The measurement differs from what is reported of this product and version.",
		"Scan the registry from beside it, without the proxy, and compare.", "the product table", contradiction},
}

// linkFindings are about what hangs on the image, and where.
var linkFindings = []findingRule{
	{"links-only-tags", "The tag schema lists descriptors that the API does not.",
		"Attach these links again by the API, or have the registry index the referrers tags, as it must when it turns the API on.", "distribution specification v1.1, Enabling the Referrers API",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || v.Referrers != matrix.Supported || t.MissingFromAPI() == 0 {
				return ""
			}
			return fmt.Sprintf("The API works, but %d of %s in the tag schema exist only there: clients that trust the API miss them.", t.MissingFromAPI(), matrix.Quantity(t.Descriptors, "link"))
		}},
	{"links-only-api", "The API lists descriptors that an existing referrers tag does not.",
		"Delete the stale referrers tag once the API lists all that it lists.", "distribution specification v1.1, Referrers Tag Schema",
		func(o *Observation, _ Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || t.MissingFromTag() == 0 {
				return ""
			}
			return fmt.Sprintf("The referrers tag %s is stale: %s by the API only.", t.Tag, matrix.Quantity(t.MissingFromTag(), "link"))
		}},
	{"links-not-compared", "There are a referrers tag and the API, and the two lists were not compared.",
		"Scan with --probe full, which reads the pages of the list; mend its next links where they do not lead on.", "distribution specification v1.1, Enabling the Referrers API",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || t.State != matrix.TagIndex || t.Compared || v.Referrers != matrix.Supported {
				return ""
			}
			return fmt.Sprintf("The referrers tag lists %s, and the API's list was not read to its end: whether they agree is not known.", matrix.Quantity(t.Descriptors, "link"))
		}},
	{"tag-is-subject", "The registry resolves the referrers tag to the subject itself.",
		"Keep oras from writing referrers tags here: attach by cosign's own tags, or move to a registry that tells the two apart.", "oras-go#1396",
		sentence(func(o *Observation) bool {
			return o.Capabilities.TagSchema != nil && o.Capabilities.TagSchema.State == matrix.TagSubject
		}, "The registry resolves the referrers tag to the subject itself: clients list its children as referrers, and a push can overwrite it (oras-go#1396).")},
	{"sha-tag-in-use", "Links exist by the tag schema where the registry has no API.",
		"Exempt sha256-* tags from clean-up and immutability rules.", "distribution specification v1.1, Referrers Tag Schema",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || t.State != matrix.TagIndex || v.Referrers == matrix.Supported {
				return ""
			}
			return fmt.Sprintf("The tag schema is in use here: %s lists %s. Clean-up rules must keep such tags.", t.Tag, matrix.Quantity(t.Descriptors, "link"))
		}},
	{"tag-cut", "The digest is too long for a referrers tag, and clients disagree on its name.",
		"Use sha256 digests where links go by the tag schema.", "distribution specification v1.1, Referrers Tag Schema; regclient and oras-go, sources read",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			_, encoded, _ := strings.Cut(o.Manifest.Digest, ":")
			if len(encoded) <= 64 || v.Strategy != matrix.ReferrersTag && (t == nil || t.State != matrix.TagIndex) {
				return ""
			}
			return "The image's digest is longer than a referrers tag may name: regctl cuts it to 64 characters as the specification says and as was asked here, oras does not, so neither finds what the other wrote."
		}},
	{"cosign-tags", "Signatures or attestations hang on cosign's own tags.",
		"Copy them along in a migration (cosign copy, regctl image copy --digest-tags), and exempt sha256-*.sig, .att and .sbom from clean-up.", "cosign signature specification, tag-based discovery",
		func(o *Observation, _ Verdict) string {
			if len(o.Capabilities.CosignTags) == 0 {
				return ""
			}
			return fmt.Sprintf("cosign tags exist for this image (%s): clients of the referrers API do not see them.", strings.Join(o.Capabilities.CosignTags, ", "))
		}},
}

// pushFindings are about what the write probe saw, or would see.
var pushFindings = []findingRule{
	{"dual-write", "The API lists referrers, but PUT answers without OCI-Subject.",
		"Let clean-up and copies handle both the API's list and the referrers tag.", "distribution specification v1.1, Pushing Manifests with Subject; go-containerregistry pkg/registry, measured",
		sentence(func(o *Observation) bool {
			return o.Capabilities.Push != nil && o.Capabilities.Push.Strategy == matrix.PushDual
		},
			"The API lists what is pushed, but PUT answers without OCI-Subject, so oras, notation and regctl write the referrers tag as well; clean-up has to handle both.")},
	{"no-oci-subject", "The product is recorded as sending no OCI-Subject.",
		"Run the write probe to see what this registry sends, and let clean-up handle the referrers tag as well.", "the product table", unsent},
	{"push-lost", "OCI-Subject came, but no list shows the artifact.",
		"Let GET /referrers/ reach the registry that took the push, or wait until it indexes at once, before anything is attached here.", "distribution specification v1.1, Pushing Manifests with Subject; clients measured",
		func(o *Observation, _ Verdict) string {
			p := o.Capabilities.Push
			if p == nil || p.Strategy != matrix.PushLost {
				return ""
			}
			return fmt.Sprintf("In %s the registry took the link (OCI-Subject), but GET /referrers/ does not show it: a proxy in between or slow indexing; what oras and regctl push is lost.", p.Repository)
		}},
	{"never-listed", "An artifact was accepted, and the API answers a list without it.",
		"Do not trust the empty list: force the tag schema, and look for a stub or a proxy that answers in the registry's place.", listing,
		func(o *Observation, v Verdict) string {
			p := o.Capabilities.Push
			if p == nil || p.Strategy != matrix.PushTag || !p.Unlisted() || v.Referrers != matrix.Supported {
				return ""
			}
			return fmt.Sprintf("An artifact was accepted in %s but never listed: the list here is not to be trusted, and cosign and crane, which believe it, write no tag.", p.Repository)
		}},
	{"scratch-differs", "The write probe's repository has no referrers API, and the image's has.",
		"Name a repository of the images' own kind as writeProbe, in Artifactory one of type OCI.", "JFrog release notes 7.90.1",
		func(o *Observation, v Verdict) string {
			p := o.Capabilities.Push
			if p == nil || !p.WithoutAPI() || v.Referrers != matrix.Supported {
				return ""
			}
			return fmt.Sprintf("The API works for this image, but not in %s, where the write probe pushed: what a push comes to beside this image is not known.", p.Repository)
		}},
	{"left-behind", "The write probe could not delete all it pushed.",
		"Delete the named digests by hand, or let garbage collection take them; grant the account the permission to delete.", "distribution specification v1.1, Deleting Manifests",
		func(o *Observation, _ Verdict) string {
			p := o.Capabilities.Push
			switch {
			case p == nil || len(p.LeftBehind) == 0 && p.LeftBlob == "":
				return ""
			case len(p.LeftBehind) == 0:
				return fmt.Sprintf("The write probe left a blob in %s, %s: an unreferenced blob is garbage-collected.", p.Repository, p.LeftBlob)
			}
			blob := ""
			if p.LeftBlob != "" {
				blob = ", and the blob " + p.LeftBlob
			}
			return fmt.Sprintf("The write probe left %s in %s that the registry did not delete, or not within the time: %s%s.", matrix.Quantity(len(p.LeftBehind), "manifest"), p.Repository, strings.Join(p.LeftBehind, ", "), blob)
		}},
	{"write-skipped", "The write probe was asked for and did not run.",
		"Put an image that exists first in the registry's list of images.", "the write probe runs with the first image of a registry",
		sentence(func(o *Observation) bool { return o.WriteSkipped },
			"The write probe did not run: it goes with the first image of a registry, and the referrers of this one could not be asked for.")},
}

// scanFindings are about the scan itself.
var scanFindings = []findingRule{
	{"cut-short", "The scan ended before every step was asked.",
		"Scan again, with a longer --deadline where there is one.", "refmatrix",
		sentence(func(o *Observation) bool { return o.CutShort },
			"The scan ended after the verdict and before every step was asked: capabilities that are missing were not measured.")},
}

// clientsThat names the clients whose forecast holds, in the order of the
// forecast table.
func clientsThat(o *Observation, holds func(matrix.Forecast) bool) string {
	all := forecast(o)
	var names []string
	for _, f := range []family{orasFamily, notationFamily, ggcrFamily, regclientFamily, containerdFamily} {
		for _, client := range f.clients {
			if does, ok := all[client]; ok && holds(does) {
				names = append(names, client)
			}
		}
	}
	return strings.Join(names, ", ")
}

// findings gives every finding on o.
func findings(o *Observation, v Verdict) []matrix.Finding {
	var out []matrix.Finding
	for _, rule := range findingRules {
		if text := rule.text(o, v); text != "" {
			out = append(out, matrix.Finding{Code: rule.code, Text: text})
		}
	}
	return out
}
