package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Image is a repository and a tag or digest, without the registry's host.
type Image struct{ Repository, Tag, Digest string }

// DefaultImage is tried at a registry for which the inventory has no images. Docker Hub
// has it, and so have mirrors and proxies of Docker Hub.
var DefaultImage = Image{Repository: "library/alpine", Tag: "latest"}

// Reference is what stands behind /manifests/: the digest, else the tag.
func (i Image) Reference() string {
	if i.Digest != "" {
		return i.Digest
	}
	return i.Tag
}

// String returns repo:tag or repo@digest.
func (i Image) String() string {
	if i.Digest != "" {
		return i.Repository + "@" + i.Digest
	}
	return i.Repository + ":" + i.Tag
}

// The grammar of names and tags (distribution specification v1.1, "Pulling
// manifests").
var (
	repositoryGrammar = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagGrammar        = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

const maxRepository = 255

// digestTail is what follows the @ of a reference by digest.
var digestTail = regexp.MustCompile(`@sha[0-9]+:[0-9A-Za-z]*$`)

// WithoutUserinfo cuts what may be an account and its password out of a
// reference or address that is about to be printed: all before an @ that
// begins no digest.
func WithoutUserinfo(text string) string {
	tail := digestTail.FindString(text)
	head := strings.TrimSuffix(text, tail)
	at := strings.LastIndexByte(head, '@')
	if at < 0 {
		return text
	}
	scheme, _, ok := strings.Cut(head[:at], "://")
	if !ok {
		return hidden + head[at:] + tail
	}
	return scheme + "://" + hidden + head[at:] + tail
}

// ParseImage reads repo, repo:tag, repo@digest or repo:tag@digest. A
// repository alone means its tag latest; beside a digest the tag says nothing
// and is dropped.
func ParseImage(text string) (Image, error) {
	if strings.Contains(text, "://") { // not repeated: it may carry a password
		return Image{}, errors.New("is an address: write repo, repo:tag or repo@digest without the registry's host")
	}
	rest, digested, hasDigest := strings.Cut(text, "@")
	image := Image{Repository: rest}
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		image.Repository, image.Tag = rest[:colon], rest[colon+1:]
		if !tagGrammar.MatchString(image.Tag) {
			return Image{}, fmt.Errorf("%q is not a tag", image.Tag)
		}
	}
	switch {
	case image.Repository == "":
		return Image{}, errors.New("the repository is missing: write repo, repo:tag or repo@digest")
	case len(image.Repository) > maxRepository || !repositoryGrammar.MatchString(image.Repository):
		return Image{}, fmt.Errorf("%q is not a repository name: lower case letters, digits, and . _ - / between them",
			image.Repository)
	}
	if hasDigest {
		parsed, err := digest.Parse(digested)
		if err != nil {
			return Image{}, fmt.Errorf("%q is not a digest: write sha256: and 64 hex digits", digested)
		}
		image.Tag, image.Digest = "", parsed.String()
		return image, nil
	}
	if image.Tag == "" {
		image.Tag = "latest"
	}
	return image, nil
}
