package probe

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
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

// askTagSchema looks at the referrers tag of the image: whether it is there,
// and is an index of its own.
func askTagSchema(ctx context.Context, s *subject) error {
	tag := ReferrersTag(s.seen.Manifest.Digest)
	resp, err := s.get(ctx, "tag-schema", http.MethodGet, s.image.Repository+"/manifests/"+tag, accept(manifestTypes...), registry.MaxIndex)
	if err != nil || resp.Fault != nil {
		return err
	}
	found := &matrix.TagSchema{Tag: tag, State: matrix.TagUnknown}
	s.seen.Capabilities.TagSchema = found
	switch resp.Status {
	case http.StatusNotFound:
		found.State = matrix.TagAbsent
	case http.StatusOK:
		s.readTag(found, resp)
	}
	return nil
}

// readTag says what the tag's manifest is. An answer with the subject's own
// digest is the registry resolving the tag to the subject, not an index.
func (s *subject) readTag(found *matrix.TagSchema, resp *registry.Response) {
	own := digest.FromBytes(resp.Bytes).String()
	if header := resp.Header.Get("Docker-Content-Digest"); header == s.seen.Manifest.Digest || own == s.seen.Manifest.Digest {
		found.State = matrix.TagSubject
		return
	}
	judged := readBody(resp.Bytes)
	if judged.index == nil {
		found.State = matrix.TagOther
		return
	}
	index := s.cleanIndex(judged.index)
	s.tagged = judged.digests
	found.State, found.Digest, found.Descriptors = matrix.TagIndex, own, index.Total
	found.Links = index.Descriptors[:min(len(index.Descriptors), maxLinks)]
}

// compareLinks says what the API and the tag do not both list, where there are
// both and all pages of the API's list were read.
func (s *subject) compareLinks() {
	tag, r := s.seen.Capabilities.TagSchema, &s.seen.Referrers
	whole := !r.Next || s.seen.Capabilities.Pagination == matrix.PageLinked
	if !hasAPI(&s.seen) || tag == nil || tag.State != matrix.TagIndex || !whole || len(s.listed) >= maxDigests || len(s.tagged) >= maxDigests {
		return
	}
	tag.Compared = true
	tag.OnlyTag, tag.OnlyTagCount = s.missing(s.tagged, s.listed)
	tag.OnlyAPI, tag.OnlyAPICount = s.missing(s.listed, s.tagged)
}

// missing gives the digests of one list that another has not, to a bound, and
// their number.
func (s *subject) missing(of, from []string) (named []string, n int) {
	seen := make(map[string]bool, len(from))
	for _, digest := range from {
		seen[digest] = true
	}
	for _, digest := range of {
		if seen[digest] {
			continue
		}
		seen[digest] = true
		if n++; n <= maxLinks {
			named = append(named, s.client.Clean(digest))
		}
	}
	return named, n
}

// cosignSuffixes are the tags of cosign 1 and 2 beside an image
// (sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignSuffixes = []string{".sig", ".att", ".sbom"}

// askCosignTags asks which of cosign's own tags exist for the image.
func askCosignTags(ctx context.Context, s *subject) error {
	found := []string{}
	for _, suffix := range cosignSuffixes {
		tag := strings.Replace(s.seen.Manifest.Digest, ":", "-", 1) + suffix
		method := s.lookMethod()
		resp, err := s.get(ctx, "cosign-tag", method, s.image.Repository+"/manifests/"+tag, accept(manifestTypes...), registry.MaxIndex)
		if err != nil {
			return err
		}
		switch {
		case resp.Fault != nil || resp.Status != http.StatusOK && resp.Status != http.StatusNotFound:
			return nil // nothing is known where one answer is missing
		case resp.Status == http.StatusOK && method == http.MethodGet && !isManifest(resp):
			return nil // a web page is no tag
		case resp.Status == http.StatusOK:
			found = append(found, suffix)
		}
	}
	s.seen.Capabilities.CosignTags = found
	return nil
}

// isManifest reports whether the body of resp is a manifest or an index.
func isManifest(resp *registry.Response) bool {
	kind := readBody(resp.Bytes).kind
	return kind == verdict.BodyManifest || kind == verdict.BodyIndex
}

// maxTypes bounds the artifact types kept of one list.
const maxTypes = 100

// describe counts the descriptors of the list by artifact type. How many there
// are is said only where the list was read whole.
func describe(c *matrix.Capabilities, index *verdict.Index, whole bool) {
	c.Descriptors = nil
	if total := index.Total; whole {
		c.Descriptors = &total
	}
	counts := map[string]int{}
	for _, d := range index.Descriptors {
		counts[d.ArtifactType]++
	}
	types := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	c.MoreTypes = max(len(types)-maxTypes, 0)
	types = types[:len(types)-c.MoreTypes]
	slices.Sort(types)
	c.ArtifactTypes = nil
	for _, kind := range types {
		c.ArtifactTypes = append(c.ArtifactTypes, matrix.ArtifactType{Type: kind, Name: artifactName(kind), Count: counts[kind]})
	}
}

// artifactNames says what well-known artifact types are; the first part that
// is found in one names it.
var artifactNames = []struct{ part, name string }{
	{"vnd.cncf.notary.signature", "notation signature"},
	{"vnd.dev.cosign.artifact.sig", "cosign signature"},
	{"vnd.dev.cosign.simplesigning", "cosign signature"},
	{"vnd.dev.sigstore.bundle", "sigstore bundle"},
	{"vnd.dev.cosign.artifact.sbom", "SBOM (cosign)"},
	{"vex", "VEX document"}, // before CycloneDX, which has a type for it too
	{"spdx", "SBOM (SPDX)"},
	{"cyclonedx", "SBOM (CycloneDX)"},
	{"vnd.syft", "SBOM (Syft)"},
	{"vnd.in-toto", "in-toto attestation"},
	{"dsse.envelope", "in-toto attestation"},
	{"sarif", "scan result (SARIF)"},
	{"vnd.cncf.helm.chart.provenance", "Helm provenance"},
}

func artifactName(artifactType string) string {
	if artifactType == "" {
		return "no artifact type"
	}
	for _, known := range artifactNames {
		if strings.Contains(artifactType, known.part) {
			return known.name
		}
	}
	return ""
}

// httpWord words a status: "http-404".
func httpWord(status int) string { return "http-" + strconv.Itoa(status) }
