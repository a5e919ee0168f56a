package matrix

import (
	"cmp"
	"slices"
	"time"
)

// Link is one artifact that is attached to an image or to one of its platforms. An artifact
// that holds documents of several kinds, as the attestation manifests of BuildKit do, is one
// link for each kind.
type Link struct {
	Digest       string   `json:"digest"`                  // of the artifact's manifest
	Kind         LinkKind `json:"kind,omitempty"`          // left out if it is not known: the manifest was not read, or does not say
	ArtifactType string   `json:"artifact_type,omitempty"` // of the manifest, else as the list names it
	TypedAway    bool     `json:"typed_away,omitempty"`    // the list names a type that says nothing, and the manifest has another
	Where        []Place  `json:"where"`                   // every place in which it was found, in the order of Places
	Subject      string   `json:"subject"`                 // digest that it is attached to
	Depth        int      `json:"depth"`                   // 1 is attached to the image or a platform, 2 to such an artifact
	Platform     string   `json:"platform,omitempty"`      // of the subject, as in Platform; left out for the image itself
	Size         int64    `json:"size,omitempty"`          // of the manifest, in bytes
}

// LinkKind says what an attached artifact is. It says nothing of whether a signature is valid.
type LinkKind string

// The kinds. verdict.Attached has the rules by which an artifact gets one.
const (
	KindSignature      LinkKind = "signature"
	KindSBOM           LinkKind = "sbom"
	KindProvenance     LinkKind = "provenance"
	KindAttestation    LinkKind = "attestation" // any other in-toto statement
	KindVEX            LinkKind = "vex"
	KindScanReport     LinkKind = "scan-report"
	KindHelmProvenance LinkKind = "helm-provenance"
	KindOther          LinkKind = "other" // anything else, its manifest read
)

// LinkKinds lists every kind in the order in which reports name them.
var LinkKinds = []LinkKind{
	KindSignature, KindSBOM, KindProvenance, KindAttestation, KindVEX, KindScanReport, KindHelmProvenance, KindOther,
}

// Place is where a link is found.
type Place string

// The places.
const (
	PlaceAPI       Place = "api"        // GET /v2/<name>/referrers/<digest> lists it
	PlaceTag       Place = "tag"        // the index of the referrers tag lists it
	PlaceCosignTag Place = "cosign-tag" // a tag .sig, .att or .sbom names it
	PlaceInIndex   Place = "in-index"   // the image's own index lists it, as BuildKit writes attestations
)

// Places lists every place in the order in which reports name them.
var Places = []Place{PlaceAPI, PlaceTag, PlaceCosignTag, PlaceInIndex}

// Platform is one platform of an index.
type Platform struct {
	Platform string  `json:"platform"` // os/arch[/variant], as in the index
	Digest   string  `json:"digest"`
	Absent   bool    `json:"absent,omitempty"` // the registry does not have its manifest: nothing can be attached to it
	Asked    []Place `json:"asked,omitempty"`  // places of this platform that were read to the end
}

// Links is what is attached to an image and to its platforms.
type Links struct {
	Total   int              `json:"total"`              // links of depth 1, all of them
	ByKind  map[LinkKind]int `json:"by_kind,omitempty"`  // of those; a link whose kind is not known is counted in Total alone
	ByPlace map[Place]int    `json:"by_place,omitempty"` // of those; a link counts in every place in which it was found

	// Asked names the places of the image itself that were read to the end. A place that
	// is not there was read to the end too: a registry without the API, a tag that does not
	// exist, the index of an image that is a single manifest. A place that was refused,
	// or read to a bound, was not.
	Asked     []Place    `json:"asked,omitempty"`
	Platforms []Platform `json:"platforms,omitempty"` // of an index, the first MaxLinks
	Items     []Link     `json:"items,omitempty"`     // the first MaxLinks, in the order of compareLinks
}

// MaxLinks bounds the links and the platforms that a row keeps.
const MaxLinks = 200

// NewLinks counts all and keeps the first MaxLinks. asked and platforms are as in Links. Each
// link of all is there once, with every place in which it was found.
func NewLinks(all []Link, asked []Place, platforms []Platform) *Links {
	l := &Links{
		ByKind:    map[LinkKind]int{},
		ByPlace:   map[Place]int{},
		Asked:     asked,
		Platforms: slices.Clone(platforms[:min(len(platforms), MaxLinks)]),
	}
	for i := range all {
		one := &all[i]
		if one.Depth != 1 {
			continue
		}
		l.Total++
		if one.Kind != "" {
			l.ByKind[one.Kind]++
		}
		for _, place := range one.Where {
			l.ByPlace[place]++
		}
	}
	sorted := slices.SortedFunc(slices.Values(all), compareLinks)
	l.Items = slices.Clone(sorted[:min(len(sorted), MaxLinks)])
	return l
}

// compareLinks orders links by depth and then by what does not change from scan to scan, so
// that of too many links the same ones are kept each time.
func compareLinks(a, b Link) int {
	return cmp.Or(
		cmp.Compare(a.Depth, b.Depth),
		cmp.Compare(a.Digest, b.Digest),
		cmp.Compare(a.Subject, b.Subject),
		cmp.Compare(a.Kind, b.Kind),
	)
}

// Coverage says whether an image has a kind that the inventory requires of it.
type Coverage string

// The coverages. A kind is never absent because something could not be read.
const (
	CoveragePresent Coverage = "present" // on the image itself, or on every platform
	CoveragePartial Coverage = "partial" // on some platforms, and not on others
	CoverageAbsent  Coverage = "absent"
	CoverageUnknown Coverage = "unknown" // a refusal, a limit or a bound hides it
)

// Missing returns the required kinds that the image lacks, wholly or on some platforms, in the
// order of LinkKinds. What is not known is not missing.
func (r *Row) Missing() []LinkKind {
	var out []LinkKind
	for _, kind := range LinkKinds {
		if c := r.Coverage[kind]; c == CoverageAbsent || c == CoveragePartial {
			out = append(out, kind)
		}
	}
	return out
}

// Lost is a link that a scan found before, and that is gone although the image is the same.
type Lost struct {
	Digest   string    `json:"digest"`
	Kind     LinkKind  `json:"kind,omitempty"`
	Subject  string    `json:"subject"`
	Platform string    `json:"platform,omitempty"` // of the subject, left out for the image itself
	Since    time.Time `json:"since"`              // start of the first scan that did not find it
	Replaced bool      `json:"replaced,omitempty"` // that scan found a new link of the same kind on the same subject
}
