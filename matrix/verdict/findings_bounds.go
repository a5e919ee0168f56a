package verdict

import (
	"fmt"
	"strings"
)

// boundFindings are about links that were not read, or that lead nowhere.
var boundFindings = []findingRule{
	{
		code:    "links-bounded",
		meaning: "There is more attached, or there are more platforms, than is read of one image.",
		remedy: "Look at what was not read with regctl artifact tree or oras discover: " +
			"coverage counts it as unknown.",
		source: "refmatrix",
		when:   seen(func(o *Observation) bool { return o.Links != nil && o.Links.Bounds.notRead() != "" }),
		text: func(s *shown, _ Verdict) string {
			return "These were not read: " + s.linkBounds.notRead() + "."
		},
	},
	{
		code:    "in-index-misplaced",
		meaning: "The image's index holds attestations that name none of its platforms.",
		remedy:  "Build the image again: tools that follow the attestations of an index do not find these.",
		source:  "Docker, Image attestation storage",
		when:    seen(func(o *Observation) bool { return o.Links != nil && o.Links.Bounds.Misplaced > 0 }),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The image's index holds attestations that name none of its platforms: %d.", s.linkBounds.Misplaced)
		},
	},
	{
		code:    "sparse-index",
		meaning: "The registry has the image's index without the manifests of some platforms.",
		remedy:  "Mirror all platforms if clients of the others use this registry.",
		source:  "CNCF Distribution 3, configuration validation.manifests.indexes.platforms; containers/image, sparse manifest lists",
		when:    seen(func(o *Observation) bool { return o.Links.absentPlatforms() > 0 }),
		text: func(s *shown, _ Verdict) string {
			return fmt.Sprintf("The index names platforms whose manifests are not here, and coverage leaves them out: %d.", s.absentPlatforms)
		},
	},
	{
		code:    "quota-kept",
		meaning: "The registry has few pulls left, and requests that count as pulls were not sent.",
		remedy:  "Scan again when the quota is renewed, with an account that has a larger one, or with a lower leavePulls.",
		source:  "Docker Hub, Pull usage and limits",
		when:    seen(func(o *Observation) bool { return o.QuotaKept }),
		text: sentence("The registry has fewer pulls left than leavePulls wants to leave: " +
			"what a further GET of a manifest would have shown is not known."),
	},
}

// notRead says what a bound kept from being read, "" if nothing.
func (b LinkBounds) notRead() string {
	var what []string
	for _, one := range []struct {
		count int
		text  string
	}{
		{b.Links, "the lists after their first %d entries"},
		{b.Platforms, "%d of the platforms"},
		{b.Nested, "the platforms of nested indexes (%d)"},
		{b.Long, "lists or manifests that are too long (%d)"},
		{b.Manifests, "the manifests of artifacts (%d), which would show their kinds"},
	} {
		if one.count > 0 {
			what = append(what, fmt.Sprintf(one.text, one.count))
		}
	}
	return strings.Join(what, "; ")
}

// absentPlatforms counts the platforms whose manifests the registry does not have.
func (l *Links) absentPlatforms() (n int) {
	if l == nil {
		return 0
	}
	return len(l.Platforms) - len(l.present())
}
