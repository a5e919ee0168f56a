package matrix

import "strings"

// Capabilities is what the capability steps measured beside the verdict. A
// zero field was not measured and is left out of every report.
type Capabilities struct {
	Descriptors     *int           `json:"descriptors,omitempty"`         // descriptors listed on all pages, each digest once; left out where a next page was not read
	ArtifactTypes   []ArtifactType `json:"artifact_types,omitempty"`      // artifact types of the descriptors that were read, counted; of very many the most frequent
	MoreTypes       int            `json:"more_types,omitempty"`          // how many artifact types artifact_types leaves out
	Invalid         int            `json:"invalid_descriptors,omitempty"` // descriptors listed beside those that are not valid: without a digest, or with a type over 255 bytes
	ContentType     TypeMatch      `json:"content_type,omitempty"`        // how the Content-Type of the referrers answer compares with the index type
	Filter          Filter         `json:"filter,omitempty"`              // what ?artifactType= does
	FilterType      string         `json:"filter_type,omitempty"`         // the type the filter was tried with
	Pagination      Pagination     `json:"pagination,omitempty"`          // how a long list is handed out
	Pages           int            `json:"pages,omitempty"`               // pages read
	AbsentSubject   string         `json:"absent_subject,omitempty"`      // answer for a digest that cannot exist: empty-index, index, http-404 ...
	MalformedDigest string         `json:"malformed_digest,omitempty"`    // answer for a malformed digest: http-400 ...
	Head            string         `json:"head,omitempty"`                // answer to HEAD: http-200 ...
	TagSchema       *TagSchema     `json:"tag_schema,omitempty"`          // the referrers tag of this image
	CosignTags      []string       `json:"cosign_tags,omitzero"`          // those of .sig, .att and .sbom that exist; empty where none does
	CosignListed    []string       `json:"cosign_listed,omitempty"`       // those of them whose manifest the API lists as well, so that it is attached once and not twice
	Push            *Push          `json:"push,omitempty"`                // what a client that attaches an artifact here writes
	FromRepository  []string       `json:"from_repository,omitempty"`     // what was not requested for this image, because another image of the repository has shown it: keys of the above; `referrers` is all that follows the manifest, shown by an image with the same digest
}

// FromSameDigest stands in Capabilities.FromRepository for everything that follows the
// manifest, if another image with the same digest has shown it.
const FromSameDigest = "referrers"

// FilterAnnounced reports whether the registry said that it applied a filter.
func (c *Capabilities) FilterAnnounced() bool { return c.Filter == FilterAnnounces }

// Filter says what ?artifactType= does (distribution specification v1.1,
// "Listing Referrers").
type Filter string

// The filter answers.
const (
	FilterAnnounces Filter = "announced" // applied, and said so by OCI-Filters-Applied
	FilterSilent    Filter = "silent"    // applied without the header
	FilterIgnored   Filter = "ignored"   // other types still listed
	FilterUnseen    Filter = "unseen"    // nothing is listed that a filter could leave out
	FilterFails     Filter = "fails"     // the filtered request is not answered like the plain one, or leaves out the very type it asked for
	FilterMisstated Filter = "misstated" // OCI-Filters-Applied came, but other types are listed all the same
)

// Pagination says how a long list is handed out.
type Pagination string

// The pagination answers.
const (
	PageSingle  Pagination = "single"     // no Link header
	PageLinked  Pagination = "linked"     // next links were followed to the end
	PageLoop    Pagination = "loop"       // a next link came back
	PageForeign Pagination = "off-origin" // a next link led to another origin and was not followed
	PageBroken  Pagination = "broken"     // a next link answered no index
	PageBounded Pagination = "bounded"    // more than refmatrix reads, or a page that could not be asked for: the row's time, a limit, the network
)

// TypeMatch says how the Content-Type of the referrers answer compares with
// IndexMediaType.
type TypeMatch string

// The matches: clients differ on parameters, so they are told apart.
const (
	TypeExact      TypeMatch = "exact"      // the index type and nothing else
	TypeParameters TypeMatch = "parameters" // the index type with parameters, or with capitals: the same type, written otherwise
	TypeOther      TypeMatch = "other"      // another type, or none
)

// ArtifactType counts the descriptors of one artifact type.
type ArtifactType struct {
	Type  string `json:"type"`           // the artifactType of the descriptors; empty where the registry lists them without one
	Name  string `json:"name,omitempty"` // what it is, in words, where known
	Count int    `json:"count"`          // descriptors of it
}

// TagState says what the referrers tag of an image is.
type TagState string

// The tag states. A tag proves nothing by itself: some registries resolve it
// to the subject (oras-go#1396), so its bytes are looked at.
const (
	TagIndex   TagState = "index"        // an OCI index of its own: the tag schema is in use
	TagAbsent  TagState = "absent"       // no such tag
	TagSubject TagState = "subject"      // the registry answers with the subject itself
	TagOther   TagState = "not-an-index" // something else is tagged so
	TagUnknown TagState = "unknown"      // the question was refused
)

// TagSchema is the referrers tag of an image, as the specification's
// "Referrers Tag Schema" names it, and how it agrees with the API.
type TagSchema struct {
	Tag         string   `json:"tag"`                           // the tag, algorithm and encoded part cut as the specification says
	State       TagState `json:"state"`                         // what it is
	Digest      string   `json:"digest,omitempty"`              // of its index
	Descriptors int      `json:"descriptors,omitempty"`         // descriptors its index lists, each digest once
	Invalid     int      `json:"invalid_descriptors,omitempty"` // descriptors listed beside those that are not valid
	Compared    bool     `json:"compared,omitempty"`            // its index was compared with all pages of the API's list
	OnlyTag     []string `json:"only_tag,omitempty"`            // digests the API does not list, to a bound
	OnlyAPI     []string `json:"only_api,omitempty"`            // digests the tag does not list, to a bound

	OnlyTagCount int `json:"only_tag_count,omitempty"` // digests the API does not list, all of them
	OnlyAPICount int `json:"only_api_count,omitempty"` // digests the tag does not list, all of them

	Links []Descriptor `json:"links,omitempty"` // what the index lists, to a bound
}

// MissingFromAPI counts the digests that the tag lists and the API does not.
// A matrix.json of before the counts has the lists alone.
func (t *TagSchema) MissingFromAPI() int { return max(t.OnlyTagCount, len(t.OnlyTag)) }

// MissingFromTag counts the digests that the API lists and the tag does not.
func (t *TagSchema) MissingFromTag() int { return max(t.OnlyAPICount, len(t.OnlyAPI)) }

// PushStrategy says what clients write when they attach an artifact.
type PushStrategy string

// The push strategies. Dual is an API that lists referrers but sends no
// OCI-Subject, so that clients maintain the tag as well; lost is the opposite,
// an OCI-Subject that keeps clients from the tag where no list shows the link.
const (
	PushAPI     PushStrategy = "referrers-api" // OCI-Subject came: clients leave the tag alone
	PushTag     PushStrategy = "referrers-tag" // no API: clients maintain the tag
	PushDual    PushStrategy = "dual"          // the API lists, but no OCI-Subject came: oras, notation and regctl write both
	PushLost    PushStrategy = "lost"          // OCI-Subject came, but no list shows the artifact: oras and regctl write no tag, and nothing is found
	PushRefused PushStrategy = "refused"       // the push was refused
	PushUnknown PushStrategy = "unknown"       // the probe was cut short, or the list could not be asked for
)

// Push is the outcome of the write probe.
type Push struct {
	Strategy     PushStrategy `json:"strategy"`              // what clients write
	Repository   string       `json:"repository"`            // where the probe pushed
	Accepted     bool         `json:"accepted"`              // PUT of the artifact was answered with success
	OCISubject   bool         `json:"oci_subject"`           // that answer carried OCI-Subject
	Listed       bool         `json:"listed"`                // the artifact came back by the API
	NoList       bool         `json:"no_list,omitempty"`     // GET /referrers/ of that repository answered no list at all
	ListedAtOnce bool         `json:"listed_at_once"`        // it came back on the first try
	Filtered     bool         `json:"filtered"`              // it came back with its artifact type as the filter
	SubjectLater bool         `json:"subject_later"`         // an artifact may be pushed before its subject
	Detail       string       `json:"detail,omitempty"`      // one sentence
	LeftBehind   []string     `json:"left_behind,omitempty"` // digests of manifests that could not be deleted, or not be confirmed to be gone
	LeftBlob     string       `json:"left_blob,omitempty"`   // digest of the empty blob, where it could not be deleted; unreferenced, it falls to garbage collection
}

// Unlisted reports whether the registry has the API, or says so by OCI-Subject,
// and did not show an artifact that it had accepted.
func (p *Push) Unlisted() bool {
	return p != nil && (p.Strategy == PushTag && !p.NoList || p.Strategy == PushLost)
}

// WithoutAPI reports whether the repository that was pushed to has no API, so
// that the push tells nothing of a repository that has it.
func (p *Push) WithoutAPI() bool { return p.Strategy == PushTag && p.NoList }

// Product is the registry software as far as it shows itself.
type Product struct {
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

// NameAndVersion is the product as a sentence names it, its version only if it is
// known.
func (p Product) NameAndVersion() string { return strings.TrimSpace(p.Name + " " + p.Version) }

// Descriptor is an OCI content descriptor (image specification, descriptor.md).
type Descriptor struct {
	Digest       string `json:"digest"`
	MediaType    string `json:"media_type,omitempty"`
	ArtifactType string `json:"artifact_type,omitempty"`
	Size         int64  `json:"size,omitempty"`
}
