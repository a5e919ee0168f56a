package migration

import (
	"fmt"
	"slices"
	"strings"

	"refmatrix/matrix"
)

// Links is what is attached to an image at the source, by the way it is attached.
type Links struct {
	ByAPI      int                   `json:"by_api"`   // the referrers API lists them; what a cosign tag names is counted there
	OnlyTag    int                   `json:"only_tag"` // only the referrers tag lists them
	CosignTags []string              `json:"cosign_tags,omitempty"`
	Types      []matrix.ArtifactType `json:"types,omitempty"` // of what the API lists
}

// Total counts the links, a cosign tag as one.
func (l Links) Total() int { return l.Referrers() + len(l.CosignTags) }

// Referrers counts the links that are manifests with a subject.
func (l Links) Referrers() int { return l.ByAPI + l.OnlyTag }

// linksOf counts what is attached to the image of row. gap is a sentence on what
// was not measured, or "" if nothing is missing.
func linksOf(row *matrix.Row) (links Links, gap string) {
	c := row.Capabilities
	if row.Strategy == matrix.StrategyUnknown || c == nil {
		return links, "The source could not be measured: " + row.Detail
	}
	switch c.Pagination {
	case matrix.PageLoop, matrix.PageForeign, matrix.PageBroken, matrix.PageBounded:
		return links, fmt.Sprintf("The source's list of referrers could not be read to its end (pagination %s), "+
			"so what is attached is not known in full.", c.Pagination)
	}
	tag, hasAPI := c.TagSchema, row.Referrers == matrix.Supported
	switch {
	case tag == nil || tag.State == matrix.TagUnknown || c.CosignTags == nil,
		hasAPI && c.Descriptors == nil,
		hasAPI && tag.State == matrix.TagIndex && !tag.Compared:
		return links, "The links at the source were not looked at in full: scan it with --probe full."
	case hasAPI:
		links.ByAPI, links.OnlyTag, links.Types = max(*c.Descriptors-len(c.CosignListed), 0), tag.MissingFromAPI(), c.ArtifactTypes
	default:
		links.OnlyTag = tag.Descriptors
	}
	links.CosignTags = c.CosignTags
	return links, ""
}

// singleManifests are the media types of manifests without platforms.
var singleManifests = []string{
	matrix.ManifestMediaType,
	matrix.DockerManifestMediaType,
	matrix.DockerSchema1MediaType,
	matrix.DockerSignedSchema1MediaType,
}

// mayBeIndex reports whether the image can hold platforms, whose own links no step
// probes. It is true of anything that is not known to be one manifest.
func mayBeIndex(r *matrix.Row) bool {
	return !slices.Contains(singleManifests, strings.ToLower(matrix.BareMediaType(r.MediaType)))
}
