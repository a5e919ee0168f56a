package probe

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// maxAttached bounds what is kept of the links of one image, over all places. A place in
// which there is more was not read to the end.
const maxAttached = 3000

// attached collects what is attached to an image and to its platforms while they are probed.
// A nil one collects nothing: the links are not read.
type attached struct {
	image     subject
	platforms []*subject // of the image's index, in its order
	found     []artifact
	names     *keptNames
	manifests map[string]ownManifest // that were requested, by digest
	index     bool                   // the image's index was read, or the image is not one
	partial   bool                   // something of the API's list was not understood or kept
	bounds    verdict.LinkBounds

	headProven bool // GET says too that a platform is not there, of which HEAD said so
}

// subject is the image or one of its platforms.
type subject struct {
	digest   string
	platform string         // os/arch[/variant]; "" is the image itself
	asked    []matrix.Place // that were read to the end
	nested   bool           // an index in the image's index, whose own platforms are not read
	absent   bool           // the registry does not have its manifest
}

// artifact is an attached artifact as one place lists it.
type artifact struct {
	verdict.Attached // without its annotations, which were judged
	digest           string
	size             int64
	kinds            []matrix.LinkKind // empty if they are not known
	unread           bool              // its manifest has to be read to know what it is
	place            matrix.Place
	subject          *subject
}

func newAttached() *attached {
	return &attached{names: newKeptNames(), manifests: map[string]ownManifest{}}
}

// of sets the image's digest.
func (a *attached) of(digest string) {
	if a != nil {
		a.image.digest = digest
	}
}

// tooLong notes that a list or a manifest is longer than is read.
func (a *attached) tooLong() {
	if a != nil {
		a.bounds.Long++
	}
}

// subjects is how many manifests may have something attached.
func (a *attached) subjects() int {
	if a == nil {
		return 1
	}
	return 1 + len(a.platforms)
}

// isRead notes that a place of a subject was read to the end.
func (s *subject) isRead(place matrix.Place) {
	if slices.Contains(s.asked, place) {
		return
	}
	s.asked = append(s.asked, place)
	slices.SortFunc(s.asked, func(a, b matrix.Place) int {
		return slices.Index(matrix.Places, a) - slices.Index(matrix.Places, b)
	})
}

// listed is a descriptor of an attached artifact or of a platform.
type listed struct {
	MediaType    name        `json:"mediaType"`
	Digest       name        `json:"digest"`
	Size         int64       `json:"size"`
	ArtifactType name        `json:"artifactType"`
	Annotations  annotations `json:"annotations"`
	Platform     platform    `json:"platform"`
}

// annotations are those of a descriptor. What is not a map of strings, which no client
// writes, is read as if there were none.
type annotations map[string]string

// UnmarshalJSON never fails.
func (a *annotations) UnmarshalJSON(raw []byte) error {
	var values map[string]string
	if json.Unmarshal(raw, &values) != nil {
		values = nil
	}
	*a = values
	return nil
}

// page collects what a page of the API's list for the image holds.
func (a *attached) page(resp *registry.Response) {
	if a != nil && (!a.list(&a.image, matrix.PlaceAPI, resp.Bytes) || resp.MayGoOn()) {
		a.partial = true
	}
}

// tag reads what the referrers tag of a subject names. That it names the subject itself, as
// where a registry resolves the tag to it, shows that nothing is listed there.
func (a *attached) tag(on *subject, resp *registry.Response) {
	if a == nil {
		return
	}
	switch {
	case resp.Status == http.StatusNotFound:
		on.isRead(matrix.PlaceTag)
	case resp.Status != http.StatusOK || resp.Cut:
	case namesSubject(resp, on.digest):
		on.isRead(matrix.PlaceTag)
	case readBody(resp).index != nil && a.list(on, matrix.PlaceTag, resp.Bytes):
		on.isRead(matrix.PlaceTag)
	}
}

// hasNoTag notes that the image has no referrers tag.
func (a *attached) hasNoTag() {
	if a != nil {
		a.image.isRead(matrix.PlaceTag)
	}
}

// list collects what a list of referrers holds, which body is or begins with. It reports
// whether all of that was understood and kept.
func (a *attached) list(on *subject, place matrix.Place, body []byte) (whole bool) {
	_, whole = eachListed(body, func(d *listed) bool {
		if string(d.Digest) == on.digest {
			return true // nothing is attached to itself
		}
		return a.add(on, place, d)
	})
	return whole
}

// full reports whether no more is kept.
func (a *attached) full() bool { return len(a.found) >= maxAttached || a.names.full() }

// add collects one artifact, and reports whether it was kept.
func (a *attached) add(on *subject, place matrix.Place, d *listed) bool {
	if a.full() {
		a.bounds.Links = len(a.found)
		return false
	}
	one := verdict.Attached{
		MediaType:    a.names.keep(string(d.MediaType)),
		ArtifactType: a.names.keep(string(d.ArtifactType)),
		Annotations:  d.Annotations,
	}
	kinds, unread := one.Kinds()
	one.Annotations = nil
	a.found = append(a.found, artifact{
		Attached: one,
		digest:   string(d.Digest),
		size:     d.Size,
		kinds:    kinds,
		unread:   unread,
		place:    place,
		subject:  on,
	})
	return true
}

// eachListed calls use with the descriptors of a list that body is or begins with, until it
// returns false. there reports whether body has the key of a list; whole, whether it has one
// list, all of it are descriptors, and use always returned true. The case of the key does not
// matter, and of several lists the last counts, for readBody and for clients: then none is whole.
func eachListed(body []byte, use func(*listed) bool) (there, whole bool) {
	_, err := registry.EachKey(body, func(key string, value *json.Decoder) (enough bool) {
		switch {
		case !strings.EqualFold(key, "manifests"):
			return false
		case there:
			whole = false
			return true
		}
		there, whole = true, eachEntry(value, use)
		return !whole
	})
	return there, whole && err == nil
}

// eachEntry is eachListed for the value of the key.
func eachEntry(value *json.Decoder, use func(*listed) bool) (whole bool) {
	opening, err := value.Token()
	if err != nil || opening != nil && opening != json.Delim('[') {
		return false
	}
	if opening == nil {
		return true
	}
	whole = true
	var element json.RawMessage
	for value.More() {
		if value.Decode(&element) != nil {
			return false
		}
		var d listed
		if json.Unmarshal(element, &d) != nil || !d.valid() {
			whole = false
			continue
		}
		if !use(&d) {
			return false
		}
	}
	_, err = value.Token()
	return whole && err == nil
}

// valid reports whether clients can use the descriptor.
func (d *listed) valid() bool {
	return isDigest(string(d.Digest)) && len(d.MediaType) <= maxName && len(d.ArtifactType) <= maxName
}

// links returns what was collected.
func (a *attached) links() *verdict.Links {
	out := &verdict.Links{Asked: a.image.asked, Bounds: a.bounds}
	for _, p := range a.platforms {
		out.Platforms = append(out.Platforms, matrix.Platform{
			Platform: p.platform,
			Digest:   p.digest,
			Absent:   p.absent,
			Asked:    p.asked,
		})
	}
	for i := range a.found {
		out.Found = append(out.Found, a.found[i].links()...)
	}
	return out
}

// alone has each place as a list, shared by all links.
var alone = map[matrix.Place][]matrix.Place{
	matrix.PlaceAPI:       {matrix.PlaceAPI},
	matrix.PlaceTag:       {matrix.PlaceTag},
	matrix.PlaceCosignTag: {matrix.PlaceCosignTag},
	matrix.PlaceInIndex:   {matrix.PlaceInIndex},
}

// links returns one link for each kind of the artifact.
func (one *artifact) links() []matrix.Link {
	link := matrix.Link{
		Digest:       one.digest,
		ArtifactType: one.ArtifactType,
		TypedAway:    one.TypedAway(),
		Where:        alone[one.place],
		Subject:      one.subject.digest,
		Depth:        1,
		Platform:     one.subject.platform,
		Size:         one.size,
	}
	if one.Manifest != nil && one.Manifest.ArtifactType != "" {
		link.ArtifactType = one.Manifest.ArtifactType
	}
	if len(one.kinds) == 0 {
		return []matrix.Link{link}
	}
	out := make([]matrix.Link, len(one.kinds))
	for i, kind := range one.kinds {
		out[i], out[i].Kind = link, kind
	}
	return out
}
