package verdict

import (
	"fmt"
	"strings"

	"refmatrix/matrix"
)

// pushIs reports whether the write probe ran and came to strategy.
func pushIs(strategy matrix.PushStrategy, o *Observation) bool {
	return o.Capabilities.Push != nil && o.Capabilities.Push.Strategy == strategy
}

// pushFindings are about what the write probe saw, or would see.
var pushFindings = []findingRule{
	{
		code:    "push-refused",
		meaning: "The write probe's push was refused.",
		remedy:  "Grant the account permission to push, or attach at the registry behind this one: a pull-through proxy and a read-only mirror take no writes.",
		always:  true,
		source:  "a pull-through proxy of Distribution (405), ocifilter.ReadOnly (400) and olareg (403), measured",
		when:    seen(func(o *Observation) bool { return pushIs(matrix.PushRefused, o) }),
		text: func(s *shown, _ Verdict) string {
			p := s.Capabilities.Push
			return fmt.Sprintf("Clients that attach artifacts here with this account fail, as the write probe did in %s: the %s",
				p.Repository, strings.TrimPrefix(p.Detail, "The "))
		},
	},
	{
		code:    "dual-write",
		meaning: "The API lists referrers, but PUT answers without OCI-Subject.",
		remedy:  "Let clean-up and copies handle both the API's list and the referrers tag.",
		source:  "distribution specification v1.1, Pushing Manifests with Subject; go-containerregistry pkg/registry, measured",
		when:    seen(func(o *Observation) bool { return pushIs(matrix.PushDual, o) }),
		text: sentence("The API lists what is pushed, but PUT answers without OCI-Subject, so oras, notation and regctl " +
			"write the referrers tag as well; clean-up has to handle both."),
	},
	{
		code:    "no-oci-subject",
		meaning: "The product is recorded as sending no OCI-Subject.",
		remedy:  "Run the write probe to see what this registry sends, and let clean-up handle the referrers tag as well.",
		source:  "the product table",
		when:    unsent,
		text:    unsentText,
	},
	{
		code:    "push-lost",
		meaning: "OCI-Subject came, but no list shows the artifact.",
		remedy:  "Attach nothing here until GET /referrers/ reaches the registry that took the push, and lists it at once.",
		source:  "distribution specification v1.1, Pushing Manifests with Subject; clients measured",
		when:    seen(func(o *Observation) bool { return pushIs(matrix.PushLost, o) }),
		text: func(s *shown, _ Verdict) string {
			because := "does not show it: a proxy in between or slow indexing"
			if s.Capabilities.Push.NoList {
				because = "answers no list: the API is switched off, or a proxy drops the request"
			}
			return fmt.Sprintf("In %s the registry took the link (OCI-Subject), but GET /referrers/ %s; "+
				"what oras and regctl push is lost.", s.Capabilities.Push.Repository, because)
		},
	},
	{
		code:    "never-listed",
		meaning: "An artifact was accepted, and the API answers a list without it.",
		remedy:  "Do not trust the empty list: force the tag schema, and look for a stub or a proxy that answers in the registry's place.",
		source:  listing,
		when: func(o *Observation, v Verdict) bool {
			return pushIs(matrix.PushTag, o) && o.Capabilities.Push.Unlisted() && v.Referrers == matrix.Supported
		},
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("An artifact was accepted in %s but never listed: the list here is not to be trusted, "+
				"and cosign and crane, which believe it, write no tag.", s.Capabilities.Push.Repository)
		},
	},
	{
		code:    "scratch-differs",
		meaning: "The write probe's repository has no referrers API, and the image's has.",
		remedy:  "Name a repository of the images' own kind as writeProbe, in Artifactory one of type OCI.",
		source:  "JFrog release notes 7.90.1",
		when: func(o *Observation, v Verdict) bool {
			p := o.Capabilities.Push
			return p != nil && p.WithoutAPI() && v.Referrers == matrix.Supported
		},
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The API works for this image, but not in %s, where the write probe pushed: "+
				"what a push comes to beside this image is not known.", s.Capabilities.Push.Repository)
		},
	},
	{
		code:    "left-behind",
		meaning: "The write probe could not delete all it pushed.",
		remedy:  "Delete the named digests by hand, or let garbage collection take them; grant the account the permission to delete.",
		always:  true,
		source:  "distribution specification v1.1, Deleting Manifests",
		when: seen(func(o *Observation) bool {
			p := o.Capabilities.Push
			return p != nil && (len(p.LeftBehind) > 0 || p.LeftBlob != "")
		}),
		text: func(s *shown, _ Verdict) string {
			p := s.Capabilities.Push
			if len(p.LeftBehind) == 0 {
				return fmt.Sprintf("The write probe left a blob in %s, %s: an unreferenced blob is garbage-collected.", p.Repository, p.LeftBlob)
			}
			blob := ""
			if p.LeftBlob != "" {
				blob = ", and the blob " + p.LeftBlob
			}
			return fmt.Sprintf("The write probe left %s in %s that the registry did not delete, or not within the time: %s%s.", matrix.Quantity(len(p.LeftBehind), "manifest"), p.Repository, strings.Join(p.LeftBehind, ", "), blob)
		},
	},
	{
		code:    "write-skipped",
		meaning: "The write probe could not run with the first image.",
		remedy:  "Put an image that exists first in the registry's list of images.",
		source:  "the write probe runs once in a registry, with the first image whose referrers are answered",
		when:    seen(func(o *Observation) bool { return o.WriteSkipped }),
		text: sentence("The write probe did not run with this image, the first of the registry, because its referrers could " +
			"not be probed: it runs with the first image whose referrers can."),
	},
}
