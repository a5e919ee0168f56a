package verdict

import (
	"fmt"
	"strings"

	"refmatrix/matrix"
)

// tagIs reports whether the referrers tag was requested and is what state says.
func tagIs(state matrix.TagState, o *Observation) bool {
	return o.Capabilities.TagSchema != nil && o.Capabilities.TagSchema.State == state
}

// linkFindings are about what is attached to the image, and how.
var linkFindings = []findingRule{
	{
		code:    "links-only-tags",
		meaning: "The tag schema lists descriptors that the API does not.",
		remedy:  "Attach these links again by the API, or have the registry index the referrers tags, as it must when it turns the API on.",
		source:  "distribution specification v1.1, Enabling the Referrers API",
		when: func(o *Observation, v Verdict) bool {
			t := o.Capabilities.TagSchema
			return t != nil && v.Referrers == matrix.Supported && t.MissingFromAPI() > 0
		},
		text: func(s *shown, _ Verdict) string {
			t := s.Capabilities.TagSchema
			return fmt.Sprintf("The API works, but %d of %s in the tag schema exist only there: clients that trust the API miss them.", t.MissingFromAPI(), matrix.Quantity(t.Descriptors, "link"))
		},
	},
	{
		code:    "links-only-api",
		meaning: "The API lists descriptors that an existing referrers tag does not.",
		remedy:  "Delete the stale referrers tag once the API lists all that it lists.",
		source:  "distribution specification v1.1, Referrers Tag Schema",
		when: seen(func(o *Observation) bool {
			t := o.Capabilities.TagSchema
			return t != nil && t.MissingFromTag() > 0
		}),
		text: func(s *shown, _ Verdict) string {
			t := s.Capabilities.TagSchema
			return fmt.Sprintf("The referrers tag %s is stale: %s by the API only.", t.Tag, matrix.Quantity(t.MissingFromTag(), "link"))
		},
	},
	{
		code:    "links-not-compared",
		meaning: "There are a referrers tag and the API, and the two lists were not compared.",
		remedy:  "Scan with --probe full, which reads the pages of the list; fix its next links where they do not lead on.",
		source:  "distribution specification v1.1, Enabling the Referrers API",
		when: func(o *Observation, v Verdict) bool {
			return tagIs(matrix.TagIndex, o) && !o.Capabilities.TagSchema.Compared && v.Referrers == matrix.Supported
		},
		text: func(s *shown, _ Verdict) string {
			t := s.Capabilities.TagSchema
			return fmt.Sprintf("The referrers tag lists %s, and the API's list was not read to its end: whether they agree is not known.", matrix.Quantity(t.Descriptors, "link"))
		},
	},
	{
		code:    "tag-is-subject",
		meaning: "The referrers tag names the image itself.",
		remedy: "Copy with regctl image copy --referrers --digest-tags, and attach by cosign's own tags here: " +
			"a push by the tag schema can overwrite the image.",
		source: "cosign 3.1.3, measured; oras-go#1396",
		when:   seen(func(o *Observation) bool { return tagIs(matrix.TagSubject, o) }),
		text: sentence("The referrers tag names the image itself. `cosign copy`, which is deprecated, leaves such a tag; " +
			"else the registry may resolve the tag to the image (oras-go#1396). Clients list the image's children as referrers."),
	},
	{
		code:    "sha-tag-in-use",
		meaning: "Links exist by the tag schema where the registry has no API.",
		remedy:  "Exempt sha256-* tags from clean-up and immutability rules.",
		source:  "distribution specification v1.1, Referrers Tag Schema",
		when: func(o *Observation, v Verdict) bool {
			return tagIs(matrix.TagIndex, o) && v.Referrers != matrix.Supported
		},
		text: func(s *shown, _ Verdict) string {
			t := s.Capabilities.TagSchema
			return fmt.Sprintf("The tag schema is in use here: %s lists %s. Clean-up rules must keep such tags.", t.Tag, matrix.Quantity(t.Descriptors, "link"))
		},
	},
	{
		code:    "tag-cut",
		meaning: "The digest is too long for a referrers tag, and clients disagree on its name.",
		remedy:  "Use sha256 digests where links go by the tag schema.",
		source:  "distribution specification v1.1, Referrers Tag Schema; regclient and oras-go, sources read",
		when: func(o *Observation, v Verdict) bool {
			_, encoded, _ := strings.Cut(o.Manifest.Digest, ":")
			return len(encoded) > 64 && (v.Strategy == matrix.ReferrersTag || tagIs(matrix.TagIndex, o))
		},
		text: sentence("The image's digest is longer than a referrers tag may name: " +
			"regctl cuts it to 64 characters as the specification says and as was asked here, oras does not, " +
			"so neither finds what the other wrote."),
	},
	{
		code:    "cosign-tags",
		meaning: "Signatures or attestations are attached by cosign's own tags.",
		remedy:  "Copy cosign's tags along in a migration (regctl image copy --referrers --digest-tags), and exempt sha256-*.sig, .att and .sbom from clean-up.",
		source:  "cosign signature specification, tag-based discovery; Harbor 2.15.2 and oras 1.3.6, measured",
		when:    seen(func(o *Observation) bool { return len(o.Capabilities.CosignTags) > 0 }),
		text: func(s *shown, _ Verdict) string {
			c := &s.Capabilities
			text := fmt.Sprintf("cosign tags exist for this image (%s): ", strings.Join(c.CosignTags, ", "))
			switch listed := strings.Join(c.CosignListed, ", "); {
			case listed == "":
				return text + "clients of the referrers API do not see them."
			case c.Descriptors != nil && *c.Descriptors == len(c.CosignListed):
				return text + "the API lists " + listed + " and nothing else, which is the same artifact and not a second one, and oras cp -r exits 1 and copies nothing."
			default:
				return text + "the API lists " + listed + " as well, which is the same artifact and not a second one."
			}
		},
	},
	{
		code:    "typed-away",
		meaning: "Artifacts are listed under a type that says nothing of them, though their manifests name another.",
		remedy: "Attach them again with a client that lists the manifest's own artifact type. " +
			"If the registry makes the list, upgrade it.",
		source: "distribution specification v1.1, Listing Referrers; kyverno/kyverno#16664, docker/buildx#4010",
		when:   seen(func(o *Observation) bool { return o.Links.typedAway() > 0 }),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The lists name a type that says nothing, or none, for %s whose manifest has one: "+
				"kyverno, BuildKit and others that choose by the artifact type do not find what is there.", matrix.Quantity(s.typedAway, "artifact"))
		},
	},
}
