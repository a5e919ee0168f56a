package probe

import (
	"encoding/json"
	"net/http"
	"slices"

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
	MediaType    name                `json:"mediaType"`
	Digest       name                `json:"digest"`
	Size         int64               `json:"size"`
	ArtifactType name                `json:"artifactType"`
	Annotations  verdict.Annotations `json:"annotations"`
	Platform     platform            `json:"platform"`
}

// page collects what a page of the API's list for the image holds.
func (a *attached) page(resp *registry.Response) {
	if a != nil && (!a.list(&a.image, matrix.PlaceAPI, resp) || resp.MayGoOn()) {
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
	case readBody(resp).index != nil && a.list(on, matrix.PlaceTag, resp):
		on.isRead(matrix.PlaceTag)
	}
}

// hasNoTag notes that the image has no referrers tag.
func (a *attached) hasNoTag() {
	if a != nil {
		a.image.isRead(matrix.PlaceTag)
	}
}

// list collects what a list of referrers holds. It reports whether all of that was understood
// and kept.
func (a *attached) list(on *subject, place matrix.Place, resp *registry.Response) (whole bool) {
	_, whole = eachListed(resp, func(d *listed) (enough bool) {
		isItself := string(d.Digest) == on.digest // to which nothing is attached
		return !isItself && !a.add(on, place, d)
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

// entries reads the descriptors of a list. Its key counts in whatever case, and of several lists
// the last, for clients and for readBody: none of several is read whole.
type entries struct {
	use   func(*listed) (enough bool)
	there bool // there is a list
	whole bool // and all of it was understood and used
}

// UnmarshalJSON takes the bytes of the value, which encoding/json has found to be valid JSON.
// It never fails.
func (e *entries) UnmarshalJSON(raw []byte) error {
	if e.there {
		e.whole = false
		return nil
	}
	e.there, e.whole = true, raw[0] == 'n' || raw[0] == '['
	if raw[0] == '[' {
		eachElement(raw, func(element []byte) bool { return !e.read(element) })
	}
	return nil
}

// read reads one element, and reports whether it was enough.
func (e *entries) read(element []byte) (enough bool) {
	var d listed
	if json.Unmarshal(element, &d) != nil || !d.valid() {
		e.whole = false
		return false
	}
	enough = e.use(&d)
	e.whole = e.whole && !enough
	return enough
}

// eachListed calls use with the descriptors of the list in an answer, or of what that begins
// with, until it returns true. there reports whether the answer has the key of a list; whole,
// whether all of it are descriptors, and use never returned true.
func eachListed(resp *registry.Response, use func(*listed) (enough bool)) (there, whole bool) {
	var document struct {
		Manifests entries `json:"manifests"`
	}
	e := &document.Manifests
	e.use = use
	if !resp.Cut {
		err := json.Unmarshal(resp.Bytes, &document)
		return e.there, err == nil && e.whole
	}
	_, _ = registry.EachKey(resp.Bytes, func(key string, value *json.Decoder) (enough bool) {
		if key != "manifests" {
			return false
		}
		opening, err := value.Token()
		e.there = err == nil && opening == json.Delim('[')
		var element json.RawMessage
		for e.there && value.More() && value.Decode(&element) == nil && !e.read(element) {
		}
		return true
	})
	return e.there, false
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
