package matrix

import "slices"

// CapabilityMixed is a capability that the images of a registry do not agree on.
const CapabilityMixed = "mixed"

// SharedCapability is a capability as a registry has it.
type SharedCapability struct {
	Key   string                     // in Registry.Capabilities
	value func(*Capabilities) string // of one image; "" = not measured

	// weak are values that an image has because it shows nothing else. They give way to what
	// another image shows, the later ones of the list last.
	weak []string
}

// SharedCapabilities lists the capabilities that are rolled up, in the order of reports.
var SharedCapabilities = []SharedCapability{
	{Key: "content_type", value: func(c *Capabilities) string { return string(c.ContentType) }},
	{
		Key:   "filter",
		value: func(c *Capabilities) string { return string(c.Filter) },
		weak:  []string{string(FilterUnseen)},
	},
	{
		Key:   "pagination",
		value: func(c *Capabilities) string { return string(c.Pagination) },
		weak:  []string{string(PageSingle), string(PageBounded)},
	},
	{Key: "absent_subject", value: func(c *Capabilities) string { return c.AbsentSubject }},
	{Key: "malformed_digest", value: func(c *Capabilities) string { return c.MalformedDigest }},
	{Key: "head", value: func(c *Capabilities) string { return c.Head }},
	{
		Key: "tag_schema",
		value: func(c *Capabilities) string {
			if c.TagSchema == nil {
				return ""
			}
			return string(c.TagSchema.State)
		},
		weak: []string{string(TagAbsent), string(TagUnknown)}, // one image that has the tag shows the use
	},
	{
		Key: "cosign_tags",
		value: func(c *Capabilities) string {
			switch {
			case c.CosignTags == nil:
				return ""
			case len(c.CosignTags) == 0:
				return string(TagAbsent)
			}
			return CosignTagsInUse
		},
		weak: []string{string(TagAbsent)},
	},
	{
		Key: "push",
		value: func(c *Capabilities) string {
			if c.Push == nil {
				return ""
			}
			return string(c.Push.Strategy)
		},
		weak: []string{string(PushUnknown)},
	},
}

// CosignTagsInUse is the capability cosign_tags of a registry whose images have such tags.
const CosignTagsInUse = "in-use"

// sharedCapabilities returns what the images of one registry agree on.
func sharedCapabilities(rows []*Row) map[string]string {
	out := map[string]string{}
	for _, shared := range SharedCapabilities {
		value := ""
		for _, r := range rows {
			if r.Capabilities != nil {
				value = shared.agreed(value, shared.value(r.Capabilities))
			}
		}
		if value != "" {
			out[shared.Key] = value
		}
	}
	return out
}

// agreed returns what the values of two images have in common.
func (s *SharedCapability) agreed(a, b string) string {
	// An index of -1 is a value that an image really shows.
	strength := func(value string) int { return slices.Index(s.weak, value) }
	switch {
	case b == "" || a == b:
		return a
	case a == "" || strength(a) >= 0 && strength(b) < strength(a):
		return b
	case strength(b) >= 0 && strength(a) < strength(b):
		return a
	}
	return CapabilityMixed
}

// outcomeRank orders outcomes from harmless to harmful: a client that stops is seen at once,
// but it stops; one that finds nothing passes for success.
var outcomeRank = []Outcome{"", OutcomeAPI, OutcomeTag, OutcomeNothing, OutcomeError}

// worstForecasts returns the worst that each client will do with the images of one registry.
func worstForecasts(rows []*Row) map[string]ClientForecasts {
	out := map[string]ClientForecasts{}
	for _, r := range rows {
		for name, forecast := range r.Clients {
			have, ok := out[name]
			if !ok {
				out[name] = ClientForecasts{
					Read:    forecast.Read,
					Push:    forecast.Push,
					Version: forecast.Version,
				}
				continue
			}
			have.Differs = have.Differs || have.Read != forecast.Read || have.Push != forecast.Push
			have.Read = worseOutcome(have.Read, forecast.Read)
			have.Push = worseOutcome(have.Push, forecast.Push)
			out[name] = have
		}
	}
	return out
}

func worseOutcome(a, b Outcome) Outcome {
	if slices.Index(outcomeRank, b) > slices.Index(outcomeRank, a) {
		return b
	}
	return a
}
