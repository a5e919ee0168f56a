package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// Media types of manifests that are asked for: OCI and Docker, manifest and
// index. Distribution answers 404 for a type that is not listed.
var manifestTypes = []string{
	"application/vnd.oci.image.manifest.v1+json",
	verdict.IndexMediaType,
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
}

// resolve finds the digest of the image: HEAD, and GET where HEAD is refused
// or gives no digest. A reference by digest is asked for as well, so that a
// missing image is told from a missing API.
func resolve(ctx context.Context, s *subject) error {
	path := s.image.Repository + "/manifests/" + s.image.Reference()
	resp, err := s.get(ctx, "resolve", http.MethodHead, path, accept(manifestTypes...), 0)
	if err != nil {
		return err
	}
	m := &s.seen.Manifest
	m.Answer, m.Method = resp.Answer, http.MethodHead
	if resp.Fault == nil && resp.Status == http.StatusOK {
		if value := resp.Header.Get("Docker-Content-Digest"); value != "" {
			m.MediaType = resp.ContentType
			s.settle(value, "")
			return nil
		}
	} else if resp.Fault != nil || resp.Token || !headRefused(resp.Status) {
		return nil
	}
	if resp, err = s.get(ctx, "resolve", http.MethodGet, path, accept(manifestTypes...), registry.MaxIndex); err != nil {
		return err
	}
	m.Answer, m.Method = resp.Answer, http.MethodGet
	if resp.Fault != nil || resp.Token {
		return nil
	}
	judged := readBody(resp.Bytes)
	m.Body, m.Codes = judged.kind, s.cleanAll(judged.codes)
	if resp.Status != http.StatusOK {
		return nil
	}
	m.MediaType = resp.ContentType
	s.settleByBody(resp, judged)
	return nil
}

// headRefused reports whether a HEAD was refused in a way that GET may not
// be: registries are known to answer 400, 403, 404 and 405 to HEAD alone.
func headRefused(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return false
	case http.StatusNotImplemented:
		return true
	}
	return status >= 400 && status < 500
}

// settle takes the digest of the header; computed, where not empty, is what
// the body hashes to under the header's own algorithm.
func (s *subject) settle(header, computed string) {
	m := &s.seen.Manifest
	claimed, err := digest.Parse(header)
	switch {
	case err != nil:
		m.NoDigest = fmt.Sprintf("Docker-Content-Digest %q is malformed", s.client.Clean(header))
	case s.image.Digest != "" && s.image.Digest != claimed.String() && sameAlgorithm(s.image.Digest, claimed):
		m.NoDigest = fmt.Sprintf("it was asked for as %s and answered as %s", s.image.Digest, claimed)
	case computed != "" && computed != claimed.String():
		m.NoDigest = fmt.Sprintf("Docker-Content-Digest is %s, the body hashes to %s", claimed, computed)
	default:
		m.Digest = claimed.String()
	}
}

func sameAlgorithm(asked string, claimed digest.Digest) bool {
	parsed, err := digest.Parse(asked)
	return err == nil && parsed.Algorithm() == claimed.Algorithm()
}

// settleByBody takes the digest of a GET: the body's own hash, compared with
// the header where there is one. A signed schema 1 manifest is the exception:
// its digest is of the payload without the signatures, so the header stands.
func (s *subject) settleByBody(resp *registry.Response, judged body) {
	m := &s.seen.Manifest
	header := resp.Header.Get("Docker-Content-Digest")
	switch {
	case judged.kind != verdict.BodyManifest && judged.kind != verdict.BodyIndex:
		m.NoDigest = "the body is " + bodyWords(judged.kind) + ", not a manifest"
	case judged.schema1 && header == "":
		m.NoDigest = "it is a schema 1 manifest, and Docker-Content-Digest is missing"
	case judged.schema1:
		s.settle(header, "")
	case header != "":
		algorithm := digest.Canonical
		if claimed, err := digest.Parse(header); err == nil {
			algorithm = claimed.Algorithm()
		}
		s.settle(header, algorithm.FromBytes(resp.Bytes).String())
	case s.image.Digest != "":
		s.settle(s.image.Digest, digest.Digest(s.image.Digest).Algorithm().FromBytes(resp.Bytes).String())
	default:
		m.Digest = digest.FromBytes(resp.Bytes).String()
	}
}

func bodyWords(kind verdict.BodyKind) string {
	switch kind {
	case verdict.BodyHTML:
		return "a web page"
	case verdict.BodyEmpty:
		return "empty"
	}
	return string(kind)
}

// body is what the bytes of an answer are.
type body struct {
	kind    verdict.BodyKind
	index   *verdict.Index
	digests []string // of all that the index lists, to a bound
	codes   []string
	schema1 bool
}

// document is as much of any JSON body as tells what it is.
type document struct {
	SchemaVersion json.RawMessage `json:"schemaVersion"`
	MediaType     *string         `json:"mediaType"`
	Manifests     json.RawMessage `json:"manifests"`
	Config        json.RawMessage `json:"config"`
	Layers        json.RawMessage `json:"layers"`
	FSLayers      json.RawMessage `json:"fsLayers"`
	Errors        json.RawMessage `json:"errors"`
}
