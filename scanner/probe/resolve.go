package probe

import (
	"context"
	"net/http"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// resolve finds the digest of the image: by HEAD, and by GET if HEAD is refused, broken
// or returns no digest. A reference by digest is requested as well, so that a
// missing image is not taken for a missing API.
func resolve(ctx context.Context, r *row) error {
	if err := findDigest(ctx, r); err != nil {
		return err
	}
	if !mayBeAWebSite(&r.seen.Manifest) {
		return nil
	}
	var err error
	r.seen.NotARegistry, err = r.session.NotARegistry(ctx)
	return err
}

// mayBeAWebSite reports whether the manifest request was answered as a web site may answer
// it: without a digest, a refusal, a challenge or an OCI error.
func mayBeAWebSite(m *verdict.Manifest) bool {
	if m.Digest != "" || m.Fault != nil || m.Token || len(m.Codes) > 0 || m.Challenge || m.Body == verdict.BodyManifest {
		return false
	}
	return m.Status >= 200 && m.Status < 400 || m.Status == http.StatusNotFound
}

// findDigest requests the manifest.
func findDigest(ctx context.Context, r *row) error {
	resp, err := r.get(ctx, stepResolve, http.MethodHead, r.image.Reference())
	if err != nil {
		return err
	}
	m := &r.seen.Manifest
	m.Answer, m.Method = resp.Answer, http.MethodHead
	if resp.Fault == nil && resp.Status == http.StatusOK {
		if value := resp.Header.Get("Docker-Content-Digest"); value != "" {
			m.MediaType = resp.ContentType
			useHeaderDigest(r, value, "")
			return nil
		}
	} else if !mayDiffer(resp) {
		return nil
	}
	if !r.mayPull() {
		return nil
	}
	broken := resp.Interrupted || verdict.IsServerError(resp.Status)
	if resp, err = r.get(ctx, stepResolve, http.MethodGet, r.image.Reference()); err != nil {
		return err
	}
	if broken && resp.Fault != nil {
		return nil // what became of HEAD stands, because GET got no answer either
	}
	m.Answer, m.Method = resp.Answer, http.MethodGet
	if resp.Fault != nil || resp.Token {
		return nil
	}
	parsed := readBody(resp)
	m.Body, m.Codes, m.Message = parsed.kind, parsed.codes, messageOf(resp, parsed)
	if resp.Status != http.StatusOK {
		return nil
	}
	m.MediaType = resp.ContentType
	useBodyDigest(r, resp, parsed)
	if m.Digest != "" {
		r.attached.readIndex(m.Digest, resp)
	}
	return nil
}

// mayDiffer reports whether GET may be answered otherwise than a HEAD was. Registries are
// known to answer 400, 403, 404 and 405 to HEAD alone, and proxies to fail at it or to
// cut it: go-containerregistry requests GET after any error. A sign-in and a rate limit
// are the same for both, and so is a host that cannot be reached or is silent.
func mayDiffer(resp *registry.Response) bool {
	if resp.Fault != nil || resp.Token {
		return resp.Interrupted
	}
	return resp.Status >= 400 && resp.Status != http.StatusUnauthorized && resp.Status != http.StatusTooManyRequests
}

// useHeaderDigest takes the digest of the header. computed is what the body
// hashes to under the header's own algorithm, or empty if no body was read.
func useHeaderDigest(r *row, header, computed string) {
	m := &r.seen.Manifest
	claimed, err := digest.Parse(header)
	switch {
	case err != nil:
		m.NoDigest = verdict.NoDigest{
			Before:  `Docker-Content-Digest "`,
			Claimed: header,
			After:   `" is malformed`,
		}
	case r.image.Digest != "" && r.image.Digest != claimed.String() && sameAlgorithm(r.image.Digest, claimed):
		m.NoDigest = verdict.NoDigest{
			Before:  "it was asked for as " + r.image.Digest + " and answered as ",
			Claimed: header,
		}
	case computed != "" && computed != claimed.String():
		m.NoDigest = verdict.NoDigest{
			Before:  "Docker-Content-Digest is ",
			Claimed: header,
			After:   ", the body hashes to " + computed,
		}
	default:
		m.Digest = claimed.String()
	}
}

func sameAlgorithm(requested string, claimed digest.Digest) bool {
	wanted, err := digest.Parse(requested)
	return err == nil && wanted.Algorithm() == claimed.Algorithm()
}

// useBodyDigest takes the digest of a GET: the body's own hash, compared with the
// header if there is one. A signed schema 1 manifest is the exception: its digest
// is of the payload without the signatures, so the header is taken.
func useBodyDigest(r *row, resp *registry.Response, parsed body) {
	m := &r.seen.Manifest
	header := resp.Header.Get("Docker-Content-Digest")
	switch {
	case parsed.kind != verdict.BodyManifest && parsed.kind != verdict.BodyIndex:
		m.NoDigest.Before = "the body is " + parsed.kind.Text() + ", not a manifest"
	case parsed.schema1 && header == "":
		m.NoDigest.Before = "it is a schema 1 manifest, and Docker-Content-Digest is missing"
	case parsed.schema1:
		useHeaderDigest(r, header, "")
	case header != "":
		algorithm := digest.Canonical
		if claimed, err := digest.Parse(header); err == nil {
			algorithm = claimed.Algorithm()
		}
		useHeaderDigest(r, header, algorithm.FromBytes(resp.Bytes).String())
	case r.image.Digest != "":
		computed := digest.Digest(r.image.Digest).Algorithm().FromBytes(resp.Bytes).String()
		if computed != r.image.Digest {
			m.NoDigest.Before = "it was asked for as " + r.image.Digest + ", the body hashes to " + computed
			return
		}
		m.Digest = computed
	default:
		m.Digest = digest.FromBytes(resp.Bytes).String()
	}
}
