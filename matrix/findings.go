package matrix

import (
	"fmt"
	"strings"
)

// Finding is something worth knowing beside the verdict.
type Finding struct {
	Code string `json:"code"`
	Text string `json:"text"` // one sentence
}

// findingRule is one line of the findings table; every line whose text is not
// empty is reported.
type findingRule struct {
	code    string
	meaning string // for the documentation
	source  string // where it comes from
	text    func(o *Observation, v Verdict) string
}

// sentence makes a finding's text from a condition and a fixed sentence.
func sentence(when func(*Observation) bool, text string) func(*Observation, Verdict) string {
	return func(o *Observation, _ Verdict) string {
		if when(o) {
			return text
		}
		return ""
	}
}

var findingRules = []findingRule{
	{"spec-404", "An index came under 404, which the specification forbids.", listing,
		func(_ *Observation, v Verdict) string {
			if v.Reason != IndexOn404 {
				return ""
			}
			return "A registry with the API must not answer 404 here (distribution specification v1.1, Listing Referrers); clients treat every 404 as no API and use the tag schema."
		}},
	{"type-parameters", "The index type carries parameters.", "RFC 9110 section 8.3.1; clients measured",
		sentence(func(o *Observation) bool { return okIndex(o) && MatchType(o.Referrers.ContentType) == TypeParameters },
			"The Content-Type carries parameters: oras, notation and cosign compare it whole and fall back to tags, regctl and containerd do not.")},
	{"clients-fail", "Some clients fail on this answer instead of falling back.", "clients measured, see the forecast table",
		func(o *Observation, _ Verdict) string {
			var failing []string
			for _, f := range []family{orasFamily, notationFamily, ggcrFamily} {
				for _, client := range f.clients {
					if forecast(o)[client].Read == OutcomeError {
						failing = append(failing, client)
					}
				}
			}
			if len(failing) == 0 {
				return ""
			}
			return fmt.Sprintf("This answer stops %s with an error when they read: they do not fall back to the tag schema.", strings.Join(failing, ", "))
		}},
	{"writes-lost", "What a client attaches is not found afterwards.", "go-containerregistry, measured",
		func(o *Observation, _ Verdict) string {
			if forecast(o)["cosign"].Push != OutcomeNothing {
				return ""
			}
			return "cosign and crane take every 200 for a working API and write no tag, so what they attach is found by nobody later."
		}},
	{"links-only-tags", "The tag schema lists descriptors that the API does not.", "distribution specification v1.1, Enabling the Referrers API",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || v.Referrers != Supported || len(t.OnlyTag) == 0 {
				return ""
			}
			return fmt.Sprintf("The API works, but %d of %s in the tag schema exist only there: clients that trust the API miss them.", len(t.OnlyTag), count(t.Descriptors, "link"))
		}},
	{"links-only-api", "The API lists descriptors that an existing referrers tag does not.", "distribution specification v1.1, Referrers Tag Schema",
		func(o *Observation, _ Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || t.State != TagIndex || len(t.OnlyAPI) == 0 {
				return ""
			}
			return fmt.Sprintf("The referrers tag %s is stale: %s by the API only.", t.Tag, count(len(t.OnlyAPI), "link"))
		}},
	{"tag-is-subject", "The registry resolves the referrers tag to the subject itself.", "oras-go#1396",
		sentence(func(o *Observation) bool {
			return o.Capabilities.TagSchema != nil && o.Capabilities.TagSchema.State == TagSubject
		}, "The registry resolves the referrers tag to the subject itself: clients list its children as referrers, and a push can overwrite it (oras-go#1396).")},
	{"dual-write", "The API lists referrers, but PUT answers without OCI-Subject.", "distribution specification v1.1, Pushing Manifests with Subject; go-containerregistry pkg/registry, measured",
		sentence(func(o *Observation) bool {
			return o.Capabilities.Push != nil && o.Capabilities.Push.Strategy == PushDual
		},
			"The API lists what is pushed, but PUT answers without OCI-Subject, so oras, notation and regctl write the referrers tag as well; clean-up has to handle both.")},
	{"left-behind", "The write probe could not delete all it pushed.", "distribution specification v1.1, Deleting Manifests",
		func(o *Observation, _ Verdict) string {
			p := o.Capabilities.Push
			if p == nil || len(p.LeftBehind) == 0 {
				return ""
			}
			return fmt.Sprintf("The write probe left %s in %s that the registry would not delete: %s.", count(len(p.LeftBehind), "manifest"), p.Repository, strings.Join(p.LeftBehind, ", "))
		}},
	{"page-loop", "The pages of the list do not end or lead away.", listing + "; RFC 8288",
		func(o *Observation, _ Verdict) string {
			switch o.Capabilities.Pagination {
			case PageLoop:
				return "The next links of the list run in a circle: clients that follow them hang or repeat."
			case PageForeign:
				return "A next link of the list leads to another origin; it was not followed, and clients lose the credentials there."
			case PageBroken:
				return "A next link of the list answered no OCI index: clients see only the pages before it."
			}
			return ""
		}},
	{"filter-ignored", "?artifactType= changes nothing, and clients must filter themselves.", listing,
		sentence(func(o *Observation) bool { return o.Capabilities.Filter == FilterIgnored },
			"The artifactType filter is ignored; clients filter themselves, at the price of the whole list.")},
	{"sha-tag-in-use", "Links exist by the tag schema where the registry has no API.", "distribution specification v1.1, Referrers Tag Schema",
		func(o *Observation, v Verdict) string {
			t := o.Capabilities.TagSchema
			if t == nil || t.State != TagIndex || v.Referrers == Supported {
				return ""
			}
			return fmt.Sprintf("The tag schema is in use here: %s lists %s. Clean-up rules must keep such tags.", t.Tag, count(t.Descriptors, "link"))
		}},
	{"contradicts-record", "The measurement differs from what is reported of this product and version.", "the product table", contradiction},
	{"cosign-tags", "Signatures or attestations hang on cosign's own tags.", "cosign signature specification, tag-based discovery",
		func(o *Observation, _ Verdict) string {
			if len(o.Capabilities.CosignTags) == 0 {
				return ""
			}
			return fmt.Sprintf("cosign tags exist for this image (%s): clients of the referrers API do not see them.", strings.Join(o.Capabilities.CosignTags, ", "))
		}},
}

// findings gives every finding on o.
func findings(o *Observation, v Verdict) []Finding {
	var out []Finding
	for _, rule := range findingRules {
		if text := rule.text(o, v); text != "" {
			out = append(out, Finding{rule.code, text})
		}
	}
	return out
}
