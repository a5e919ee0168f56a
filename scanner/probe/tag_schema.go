package probe

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/scanner/registry"
)

// ReferrersTag is the tag under which the referrers tag schema keeps the
// referrers of a digest: the algorithm cut to 32 characters, "-", the encoded
// part cut to 64, and "-" for every character a tag may not hold
// (distribution specification v1.1, "Referrers Tag Schema").
func ReferrersTag(subject string) string {
	algorithm, encoded, _ := strings.Cut(subject, ":")
	return tagSafe(cut(algorithm, 32)) + "-" + tagSafe(cut(encoded, 64))
}

func cut(text string, most int) string {
	if len(text) > most {
		return text[:most]
	}
	return text
}

func tagSafe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, text)
}

// maxLinks bounds the links kept of a referrers tag.
const maxLinks = 200

// probeTagSchema looks at the referrers tag of the image: whether it exists, and
// whether it is an index of its own. A tag that the list of tags does not have is not
// requested.
func probeTagSchema(ctx context.Context, r *row) error {
	if asked, err := tagsKnown(ctx, r); err != nil || asked {
		return err
	}
	tag := ReferrersTag(r.seen.Manifest.Digest)
	if r.tags != nil && !r.tags.has(tag) {
		r.seen.Capabilities.TagSchema = &matrix.TagSchema{Tag: tag, State: matrix.TagAbsent}
		r.attached.hasNoTag()
		r.fromRepository("tag_schema")
		return nil
	}
	return requestReferrersTag(ctx, r)
}

// requestReferrersTag requests the referrers tag of the image.
func requestReferrersTag(ctx context.Context, r *row) error {
	tag := ReferrersTag(r.seen.Manifest.Digest)
	if !r.mayPull() {
		return nil
	}
	resp, err := r.get(ctx, stepTagSchema, http.MethodGet, tag)
	if err != nil || resp.Fault != nil {
		return err
	}
	if r.attached != nil {
		r.attached.tag(&r.attached.image, resp)
	}
	found := &matrix.TagSchema{Tag: tag, State: matrix.TagUnknown}
	r.seen.Capabilities.TagSchema = found
	switch resp.Status {
	case http.StatusNotFound:
		found.State = matrix.TagAbsent
	case http.StatusOK:
		readTag(r, found, resp)
	}
	return nil
}

// readTag finds out what the tag's manifest is. An answer with the image's own
// digest is the registry resolving the tag to the image, not an index.
func readTag(r *row, found *matrix.TagSchema, resp *registry.Response) {
	if namesSubject(resp, r.seen.Manifest.Digest) {
		found.State = matrix.TagSubject
		return
	}
	parsed := readBody(resp)
	if parsed.index == nil {
		found.State = matrix.TagOther
		return
	}
	index := parsed.index
	r.tagged = parsed.listed
	found.State, found.Descriptors = matrix.TagIndex, index.Total
	found.Digest = digest.FromBytes(resp.Bytes).String()
	found.Links = slices.Clone(index.Descriptors[:min(len(index.Descriptors), maxLinks)])
	found.Invalid = index.Invalid
}

// namesSubject reports whether a referrers tag names the subject that it is made of.
func namesSubject(resp *registry.Response, subject string) bool {
	return resp.Header.Get("Docker-Content-Digest") == subject || digest.FromBytes(resp.Bytes).String() == subject
}

// listIsWhole reports whether all pages of the API's list were read.
func (r *row) listIsWhole() bool {
	answer := &r.seen.Referrers
	return answer.Bound == 0 && !answer.Next || r.seen.Capabilities.Pagination == matrix.PageLinked
}

// compareLists stores which digests only the API or only the tag lists, if there
// are both and all pages of the API's list were read.
func compareLists(r *row) {
	tag := r.seen.Capabilities.TagSchema
	if !hasAPI(&r.seen) || tag == nil || tag.State != matrix.TagIndex || !r.listIsWhole() {
		return
	}
	if r.listed.full() || r.tagged.full() {
		return
	}
	tag.Compared = true
	tag.OnlyTag, tag.OnlyTagCount = r.tagged.without(r.listed, maxLinks)
	tag.OnlyAPI, tag.OnlyAPICount = r.listed.without(r.tagged, maxLinks)
}
