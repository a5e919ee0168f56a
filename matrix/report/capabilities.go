package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"refmatrix/matrix"
)

// capability is one thing that was measured beside the verdict. Formats
// take all of the table, or pick some by their names.
type capability struct {
	name   string
	values func(*matrix.Capabilities) [][]string // every time it is shown, in parts; an empty part was not measured
	brief  func(*matrix.Capabilities) []string   // every time in one line; nil = the parts with blanks between them
}

// capabilities is the one table of what was measured.
var capabilities = []capability{
	{name: "descriptors listed", values: func(c *matrix.Capabilities) [][]string {
		if c.Descriptors == nil {
			return nil
		}
		return one(strconv.Itoa(*c.Descriptors))
	}},
	{name: "descriptors not valid", values: func(c *matrix.Capabilities) [][]string {
		if c.Invalid == 0 {
			return nil
		}
		return one(strconv.Itoa(c.Invalid))
	}},
	{name: "artifact type", values: artifactTypes, brief: artifactTypesBrief},
	{name: "content type", values: func(c *matrix.Capabilities) [][]string { return one(string(c.ContentType)) }},
	{name: "filter", values: func(c *matrix.Capabilities) [][]string { return one(string(c.Filter), c.FilterType) }},
	{name: "pagination", values: func(c *matrix.Capabilities) [][]string { return one(string(c.Pagination)) }},
	{name: "pages", values: func(c *matrix.Capabilities) [][]string {
		if c.Pages < 2 {
			return nil
		}
		return one(strconv.Itoa(c.Pages))
	}},
	{name: "absent subject", values: func(c *matrix.Capabilities) [][]string { return one(c.AbsentSubject) }},
	{name: "malformed digest", values: func(c *matrix.Capabilities) [][]string { return one(c.MalformedDigest) }},
	{name: "HEAD", values: func(c *matrix.Capabilities) [][]string { return one(c.Head) }},
	{name: "tag schema", values: ofTag(func(t *matrix.TagSchema) [][]string {
		return one(string(t.State), t.Tag, t.Digest)
	}), brief: tagSchemaBrief},
	{name: "linked by the tag", values: ofTag(func(t *matrix.TagSchema) [][]string {
		var out [][]string
		for _, link := range t.Links {
			out = append(out, []string{link.Digest, link.ArtifactType, link.MediaType})
		}
		return out
	})},
	{name: "only by the tag", values: ofTag(func(t *matrix.TagSchema) [][]string {
		return bounded(t.OnlyTag, t.MissingFromAPI())
	})},
	{name: "only by the API", values: ofTag(func(t *matrix.TagSchema) [][]string {
		return bounded(t.OnlyAPI, t.MissingFromTag())
	})},
	{name: "cosign tags", values: func(c *matrix.Capabilities) [][]string {
		if c.CosignTags == nil {
			return nil
		}
		return one(orDash(strings.Join(c.CosignTags, " ")))
	}},
	{name: "push", values: ofPush(func(p *matrix.Push) [][]string {
		return one(string(p.Strategy), "in "+p.Repository, p.Detail)
	}), brief: pushBrief},
	{name: "OCI-Subject", values: ofPush(func(p *matrix.Push) [][]string { return one(matrix.YesNo(p.OCISubject)) })},
	{name: "push listed", values: ofPush(func(p *matrix.Push) [][]string {
		return one(matrix.YesNo(p.Listed) + onTheFirstTry(p))
	})},
	{name: "left behind", values: ofPush(func(p *matrix.Push) [][]string { return one(p.LeftBehind...) })},
	{name: "blob left behind", values: ofPush(func(p *matrix.Push) [][]string { return one(p.LeftBlob) })},
	{name: "from the repository", values: func(c *matrix.Capabilities) [][]string {
		return one(strings.Join(c.FromRepository, ", "))
	}, brief: fromRepositoryBrief},
}

// capabilityOf returns the capability with the name. As with cells, an unknown
// one is a mistake in this package.
func capabilityOf(name string) *capability {
	i := slices.IndexFunc(capabilities, func(c capability) bool { return c.name == name })
	if i < 0 {
		panic("report: no capability " + name)
	}
	return &capabilities[i]
}

// all returns what was measured, each time in parts without empty ones.
func (what *capability) all(c *matrix.Capabilities) [][]string {
	var out [][]string
	for _, parts := range what.values(c) {
		parts = slices.DeleteFunc(slices.Clone(parts), func(part string) bool { return strings.TrimSpace(part) == "" })
		if len(parts) > 0 {
			out = append(out, parts)
		}
	}
	return out
}

// lines returns what was measured, each time in one line.
func (what *capability) lines(c *matrix.Capabilities) []string {
	if what.brief != nil {
		return what.brief(c)
	}
	var out []string
	for _, parts := range what.all(c) {
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// one is a capability that is shown once.
func one(parts ...string) [][]string { return [][]string{parts} }

// ofTag and ofPush are capabilities that a row may not have.
func ofTag(values func(*matrix.TagSchema) [][]string) func(*matrix.Capabilities) [][]string {
	return func(c *matrix.Capabilities) [][]string {
		if c.TagSchema == nil {
			return nil
		}
		return values(c.TagSchema)
	}
}

func ofPush(values func(*matrix.Push) [][]string) func(*matrix.Capabilities) [][]string {
	return func(c *matrix.Capabilities) [][]string {
		if c.Push == nil {
			return nil
		}
		return values(c.Push)
	}
}

func artifactTypes(c *matrix.Capabilities) [][]string {
	var out [][]string
	for _, t := range c.ArtifactTypes {
		out = append(out, []string{fmt.Sprintf("%d × %s", t.Count, t.Type), t.Name})
	}
	if c.MoreTypes > 0 {
		out = append(out, []string{fmt.Sprintf("%d more", c.MoreTypes)})
	}
	return out
}

func artifactTypesBrief(c *matrix.Capabilities) []string {
	var out []string
	for _, t := range c.ArtifactTypes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d x %s %s", t.Count, t.Type, t.Name)))
	}
	if c.MoreTypes > 0 {
		out = append(out, matrix.Quantity(c.MoreTypes, "more artifact type"))
	}
	return out
}

// tagSchemaBrief is what the referrers tag holds. Of a tag that is not an index
// it is only what the tag is.
func tagSchemaBrief(c *matrix.Capabilities) []string {
	t := c.TagSchema
	if t == nil {
		return nil
	}
	text := fmt.Sprintf("%s: %s", t.Tag, t.State)
	if t.State != matrix.TagIndex {
		return []string{text}
	}
	text += ", " + matrix.Quantity(t.Descriptors, "descriptor")
	if !t.Compared {
		return []string{text + ", not compared with the API"}
	}
	if n := t.MissingFromAPI(); n > 0 {
		text += fmt.Sprintf(", %d not in the API", n)
	}
	if n := t.MissingFromTag(); n > 0 {
		text += fmt.Sprintf(", %d only in the API", n)
	}
	return []string{text}
}

func pushBrief(c *matrix.Capabilities) []string {
	p := c.Push
	if p == nil {
		return nil
	}
	return []string{strings.TrimSuffix(fmt.Sprintf("%s in %s: %s", p.Strategy, p.Repository, p.Detail), ": ")}
}

func fromRepositoryBrief(c *matrix.Capabilities) []string {
	if len(c.FromRepository) == 0 {
		return nil
	}
	return []string{strings.Join(c.FromRepository, ", ") + ": shown by another image of it, and not requested again"}
}

// bounded is some of all things, and how many it leaves out.
func bounded(some []string, all int) [][]string {
	if more := all - len(some); more > 0 {
		some = append(slices.Clone(some), fmt.Sprintf("and %d more", more))
	}
	return one(some...)
}

func onTheFirstTry(p *matrix.Push) string {
	switch {
	case p.ListedAtOnce:
		return ", on the first try"
	case p.Listed:
		return ", not on the first try"
	}
	return ""
}
