package verdict

import (
	"slices"
	"strings"

	"refmatrix/matrix"
)

// shown is an observation as a row shows it: every string from the wire is
// cleaned, and every word of ours is whole. The tables keep the two apart by type:
// a condition takes an *Observation, which is raw, and a text takes a *shown. A
// secret can be a word of the protocol, such as "json", and changes no verdict so.
//
// A text asks a shown no more than whether a string is there, which cleaning does
// not change. What it needs to know beyond that is a field here, judged beforehand.
type shown struct {
	Observation
	clients   map[string]matrix.Forecast // what each client will do, by name
	links     *matrix.Links              // what is attached, each link once; nil if it was not probed
	typedAway int                        // artifacts that are listed under a type that hides what they are

	linkBounds      LinkBounds
	absentPlatforms int // of the image's index

	cause *cause // what is behind a refusal or fault; nil if nothing shows it
}

// show returns o with all that came from the wire cleaned. What no row shows is
// left out: of the referrers their number stays. A new string of the wire needs
// its line in one of the functions below, which TestNothingRaw holds them to.
func show(o *Observation, clean func(string) string) *shown {
	c := cleanerOf(clean)
	s := &shown{Observation: *o, clients: forecast(o), cause: causeOf(o)}
	s.Manifest = Manifest{
		Answer:    c.answer(o.Manifest.Answer),
		Method:    o.Manifest.Method,
		Digest:    c.text(o.Manifest.Digest),
		NoDigest:  o.Manifest.NoDigest,
		MediaType: c.text(o.Manifest.MediaType),
	}
	s.Manifest.NoDigest.Claimed = c.text(o.Manifest.NoDigest.Claimed)
	s.Referrers.Answer = c.answer(o.Referrers.Answer)
	s.Referrers.Elsewhere = c.text(o.Referrers.Elsewhere)
	s.Referrers.FiltersApplied = c.text(o.Referrers.FiltersApplied)
	if end := o.Referrers.End; end != nil {
		s.Referrers.End = &RedirectEnd{Answer: c.answer(end.Answer), Elsewhere: c.text(end.Elsewhere)}
	}
	if index := o.Referrers.Index; index != nil {
		s.Referrers.Index = &Index{Null: index.Null, Total: index.Total, Invalid: index.Invalid}
	}
	s.Capabilities = c.capabilities(o.Capabilities)
	s.Links, s.links, s.typedAway = nil, c.links(o.Links), o.Links.typedAway()
	if o.Links != nil {
		s.linkBounds, s.absentPlatforms = o.Links.Bounds, o.Links.absentPlatforms()
	}
	// The tag is of the digest, cut: it may hold a part of a secret that the digest
	// holds whole.
	tag, unclean := s.Capabilities.TagSchema, s.Manifest.Digest != o.Manifest.Digest
	if tag != nil && unclean && tag.Tag == o.Capabilities.TagSchema.Tag {
		tag.Tag = hidden
	}
	s.Product = c.product(o.Product)
	return s
}

// cleaner makes a string from the wire fit for a row.
type cleaner func(string) string

// cleanerOf returns clean, or what only makes a string printable if that is nil.
func cleanerOf(clean func(string) string) cleaner {
	if clean == nil {
		return matrix.Printable
	}
	return clean
}

// text cleans one string. What is there stays there, if only as stars. The result
// is a copy, because a short string of the wire may be part of a long one.
func (c cleaner) text(raw string) string {
	if raw == "" {
		return ""
	}
	if clean := c(raw); clean != "" {
		return strings.Clone(clean)
	}
	return hidden
}

// ShowsAsSent reports whether a row of o would show every string as it was sent, but for what
// is not printable: none holds a secret that clean knows, and none is cut.
func ShowsAsSent(o *Observation, clean func(string) string) bool {
	asSent := true
	show(o, func(raw string) string {
		text := clean(raw)
		asSent = asSent && text == matrix.Printable(raw)
		return text
	})
	return asSent
}

// hidden stands for a string that cannot be shown.
const hidden = "***"

func (c cleaner) texts(raw []string) []string {
	out := slices.Clone(raw)
	for i := range out {
		out[i] = c.text(out[i])
	}
	return out
}

// answer cleans an answer. Its Fault was cleaned where it was made.
func (c cleaner) answer(a Answer) Answer {
	a.ContentType, a.Location, a.Codes = c.text(a.ContentType), c.text(a.Location), c.texts(a.Codes)
	a.Message = c.message(a.Message)
	return a
}

// maxMessage bounds the message of a registry as a row shows it, in characters.
const maxMessage = 200

// message returns the first line of a message that is not blank. The message is cleaned as a
// whole before, because a secret can have blanks and line breaks too, and the line again: the
// blanks of a secret may have been others, as a web page has them.
func (c cleaner) message(raw string) string {
	line := ""
	for part := range strings.SplitSeq(lineBreaks.Replace(c.text(raw)), "\n") {
		if line = c.text(strings.Join(strings.Fields(part), " ")); line != "" {
			break
		}
	}
	if runes := []rune(line); len(runes) > maxMessage {
		return strings.TrimSuffix(string(runes[:maxMessage]), "...") + "..."
	}
	return line
}

// lineBreaks turns what matrix.Printable writes for blanks into blanks.
var lineBreaks = strings.NewReplacer(`\x0a`, "\n", `\x0d`, "\n", `\x09`, " ", `\u00a0`, " ")

// product cleans what the registry sent of its product; its name and the labels of
// its signs are of our tables.
func (c cleaner) product(p Product) Product {
	if p.Signs = slices.Clone(p.Signs); p.VersionIn != "" && !strings.Contains(c(p.VersionIn), p.Version) {
		p.Version = hidden
	}
	p.Version, p.VersionIn = c.text(p.Version), ""
	for i := range p.Signs {
		p.Signs[i].Value = c.text(p.Signs[i].Value)
	}
	return p
}

// capabilities cleans the types, digests and links of capabilities. All else is
// ours: states, counts, "http-404", the suffixes of cosign's tags, and all of the
// write probe, which pushed where the inventory says and computed its digests.
func (c cleaner) capabilities(raw matrix.Capabilities) matrix.Capabilities {
	raw.ArtifactTypes = c.artifactTypes(raw.ArtifactTypes)
	if raw.FilterType != AbsentType {
		raw.FilterType = c.text(raw.FilterType)
	}
	if raw.TagSchema == nil {
		return raw
	}
	tag := *raw.TagSchema // its digest is computed
	tag.Tag, tag.OnlyTag, tag.OnlyAPI = c.text(tag.Tag), c.texts(tag.OnlyTag), c.texts(tag.OnlyAPI)
	tag.Links = slices.Clone(tag.Links)
	for i := range tag.Links {
		link := &tag.Links[i]
		link.Digest = c.text(link.Digest)
		link.MediaType, link.ArtifactType = c.text(link.MediaType), c.text(link.ArtifactType)
	}
	raw.TagSchema = &tag
	return raw
}

// artifactTypes cleans artifact types, and counts together those that look the same
// afterwards.
func (c cleaner) artifactTypes(raw []matrix.ArtifactType) []matrix.ArtifactType {
	var out []matrix.ArtifactType
	for _, one := range raw {
		one.Type = c.text(one.Type)
		same := func(other matrix.ArtifactType) bool { return other.Type == one.Type }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Count += one.Count
			continue
		}
		out = append(out, one)
	}
	return out
}
