package probe

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// enoughForTags is the number of images of a repository, or of an image and its platforms, from
// which on one list of its tags costs less than a question per tag.
const enoughForTags = 3

// maxListsFailed is how often a list of tags is tried that is not answered.
const maxListsFailed = 2

// Bounds on the tags of a repository. One with more is asked for single tags.
const (
	maxTags     = 10_000
	maxTagPages = 20
	maxTagBytes = 2 << 20 // of one page
	maxTagName  = 128     // distribution specification v1.1, "Pulling manifests"
)

// tagNames are the tags of a repository, as hashes in ascending order.
type tagNames struct {
	hashes   []uint64
	suffixes []string // of those that are made of a digest, as referrers tags and cosign's are
	checked  string   // referrers tag of the image whose tags were requested directly
}

// ofDigest is a tag made of a digest: of the referrers tag schema, or with a suffix of cosign.
var ofDigest = regexp.MustCompile(`^[a-z0-9]+-(?:[0-9a-f]{64}|[0-9a-f]{128})(|\.sig|\.att|\.sbom)$`)

// lists reports whether the tag is in the list.
func (t *tagNames) lists(tag string) bool {
	_, found := slices.BinarySearch(t.hashes, maphash.String(seed, tag))
	return found
}

// has reports whether the tag is in the list, or may exist although it is not. If the list has
// a tag of the same kind for another manifest, it may lack this one: a pull-through cache lists
// what was pulled, which may be an image without its signature (ECR, ACR, Artifactory). If it
// has none of any manifest, the direct requests for one image have shown that it can be
// believed.
func (t *tagNames) has(tag string) bool {
	if t.lists(tag) {
		return true
	}
	made := ofDigest.FindStringSubmatch(tag)
	return made != nil && !strings.HasPrefix(tag, t.checked) && slices.Contains(t.suffixes, made[1])
}

// add adds the names of a page and reports whether one of them is new.
func (t *tagNames) add(page *tagNames) bool {
	before := len(t.hashes)
	t.hashes = append(t.hashes, page.hashes...)
	slices.Sort(t.hashes)
	t.hashes = slices.Compact(t.hashes)
	for _, suffix := range page.suffixes {
		t.addSuffix(suffix)
	}
	return len(t.hashes) > before
}

func (t *tagNames) addSuffix(suffix string) {
	if !slices.Contains(t.suffixes, suffix) {
		t.suffixes = append(t.suffixes, suffix)
	}
}

// tagsKnown reads the list of the repository's tags, once for all rows, if it has enough
// images, and keeps it in r.tags. asked says that the row has requested its referrers tag
// too: that shows whether the list can be believed.
func tagsKnown(ctx context.Context, r *row) (asked bool, err error) {
	of := r.turn.repository
	if of.images < enoughForTags && r.attached.subjects() < enoughForTags {
		return false, nil
	}
	tags, shared, err := of.tags.Do(ctx, r.session, r.turn.number, func() (tags *tagNames, holds bool, err error) {
		if tags, holds, err = requestTags(ctx, r); tags != nil {
			asked = true
			tags, holds, err = checkTags(ctx, r, tags)
		}
		if !holds {
			holds = of.listsFailed.Add(1) >= maxListsFailed
		}
		return tags, holds, err
	})
	if shared && tags != nil && r.unlisted(tags) {
		tags = nil
	}
	r.tags = tags
	return asked, err
}

// checkTags requests the referrers tag of the row directly, and cosign's tags if they are to
// be known. It returns tags, or nil if they disagree with what was resolved. holds is false if
// there was no answer.
func checkTags(ctx context.Context, r *row, tags *tagNames) (relied *tagNames, holds bool, err error) {
	if err := requestReferrersTag(ctx, r); err != nil {
		return nil, false, err
	}
	found := r.seen.Capabilities.TagSchema
	if found == nil || found.State == matrix.TagUnknown {
		return nil, false, nil
	}
	if tags.lists(found.Tag) != (found.State != matrix.TagAbsent) || r.unlisted(tags) {
		return nil, true, nil
	}
	tags.checked = found.Tag
	if r.depth == Full || r.attached != nil {
		return checkCosignTags(ctx, r, tags)
	}
	return tags, true, nil
}

// checkCosignTags is checkTags for cosign's tags, which are not requested again.
func checkCosignTags(ctx context.Context, r *row, tags *tagNames) (relied *tagNames, holds bool, err error) {
	found, err := r.cosignTags(ctx, stepCosignTag, r.imageSubject())
	if err != nil || !found.known {
		return nil, false, err
	}
	r.cosign = &found
	for _, suffix := range cosignSuffixes {
		if tags.lists(cosignTag(r.seen.Manifest.Digest, suffix)) != found.has(suffix) {
			return nil, true, nil
		}
	}
	return tags, true, nil
}

// unlisted reports whether a list lacks the tag that the row has just resolved, as that of a
// pull-through proxy may that lists what it has cached.
func (r *row) unlisted(tags *tagNames) bool {
	return r.image.Digest == "" && !tags.lists(r.image.Tag)
}

// requestTags reads the list of the repository's tags (distribution specification v1.1,
// "Listing Tags"). tags is nil if no list can be relied on; holds is false if that may be
// otherwise the next time. No n is sent, because some registries then leave out the
// link to the next page (go-containerregistry).
func requestTags(ctx context.Context, r *row) (tags *tagNames, holds bool, err error) {
	tags = &tagNames{}
	target := r.client.URL(r.image.Repository + "/tags/list")
	var sent registry.Sent
	for range maxTagPages {
		resp, err := r.session.Do(ctx, registry.Request{
			Step:    stepTags,
			Method:  http.MethodGet,
			URL:     target,
			Sent:    sent,
			Header:  accept("application/json"),
			Scope:   pull(r.image.Repository),
			MaxBody: maxTagBytes,
		})
		if err != nil || transient(resp) {
			return nil, false, err
		}
		page := readTags(resp)
		if page == nil {
			return nil, true, nil
		}
		isNew, next := tags.add(page), resp.Next()
		switch {
		case len(page.hashes) == 0:
			return tags, true, nil // Gitea's last page links to another one
		case !isNew, len(tags.hashes) > maxTags:
			return nil, true, nil
		case resp.MayGoOn():
			return nil, true, nil
		case next == nil:
			return tags.unlessCut(len(page.hashes)), true, nil
		case !r.ownOrigin(next):
			return nil, true, nil
		}
		sent = registry.Sent{URL: next.String()}
		next.Fragment, next.RawFragment = "", ""
		target = next
	}
	return nil, true, nil
}

// unlessCut returns t, or nil if the last page, which has no link to another one, is as long
// as pages are by default: the list may go on after it.
func (t *tagNames) unlessCut(last int) *tagNames {
	if slices.Contains([]int{50, 100, 500, 1000}, last) {
		return nil
	}
	return t
}

// readTags returns the names of one page, or nil if the answer is not a list of tags.
func readTags(resp *registry.Response) *tagNames {
	var list struct {
		Tags tagArray `json:"tags"`
	}
	if resp.Fault != nil || resp.Status != http.StatusOK || resp.Cut || json.Unmarshal(resp.Bytes, &list) != nil ||
		!list.Tags.valid {
		return nil
	}
	return &list.Tags.names
}

// tagArray reads the key tags: an array, or null, which some registries send for an empty
// one. Its names are not copied.
type tagArray struct {
	valid bool
	names tagNames
}

// UnmarshalJSON takes the bytes of the value, which encoding/json has found to be valid JSON.
// It never fails: what it cannot read is not valid.
func (t *tagArray) UnmarshalJSON(raw []byte) error {
	*t = tagArray{valid: raw[0] == 'n' || raw[0] == '['}
	if raw[0] != '[' {
		return nil
	}
	eachElement(raw, func(element []byte) bool {
		var tag string
		t.valid = len(element) <= maxTagName*len(`\u0000`) && json.Unmarshal(element, &tag) == nil
		t.names.hashes = append(t.names.hashes, maphash.String(seed, tag))
		if made := ofDigest.FindStringSubmatch(tag); made != nil {
			t.names.addSuffix(made[1])
		}
		t.valid = t.valid && len(t.names.hashes) <= maxTags
		return t.valid
	})
	return nil
}
