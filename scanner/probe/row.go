package probe

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
	"refmatrix/scanner/registry/address"
)

// This file is what all steps stand on, with body.go, index.go and artifact_types.go,
// which read answers. No step uses another step's file.

// The names of the steps, as exchanges carry them.
const (
	stepResolve         = "resolve"
	stepReferrers       = "referrers"
	stepRedirectEnd     = "redirect-end"
	stepFilter          = "filter"
	stepTagSchema       = "tag-schema"
	stepTags            = "tags"
	stepProduct         = "product"
	stepPage            = "page"
	stepAbsentSubject   = "absent-subject"
	stepMalformedDigest = "malformed-digest"
	stepHead            = "head"
	stepCosignTag       = "cosign-tag"
	stepIndex           = "index"
	stepPlatform        = matrix.PlatformStep
	stepArtifact        = "artifact"

	stepPushBlob     = "push-blob"
	stepPushSubject  = "push-subject"
	stepPushArtifact = "push-artifact"
	stepPushList     = "push-list"
	stepPushFilter   = "push-filter"
	stepPushEarly    = "push-early"
	stepPushLate     = "push-late"
	stepCleanUp      = "clean-up"
)

// row is one image at one registry while it is probed: what steps ask with, and
// what they have seen so far. Its strings from the wire are raw, because steps and
// verdicts compare them; verdict.NewRow cleans those that a row shows.
type row struct {
	registry *Registry
	turn     *Turn
	session  *registry.Session
	client   *registry.Client
	image    inventory.Image
	depth    Depth
	seen     verdict.Observation
	listed   digests // of all pages of the list that were read
	tagged   digests // that the referrers tag lists

	firstPage *url.URL // where the list came from
	next      *url.URL // of the page after it; nil = it was the last

	tags *tagNames // of the repository; nil = not known, or not to be relied on

	cosign   *cosignTags // of the image, if they were requested to check the list of tags
	attached *attached   // nil = what is attached is not read
}

// entry is the inventory entry of the registry.
func (r *row) entry() inventory.Registry { return r.client.Entry() }

// Conditions of steps.

func always(*verdict.Observation) bool { return true }

func hasDigest(o *verdict.Observation) bool {
	return o.Manifest.Digest != "" && o.Referrers.Status != 0
}

func hasAPI(o *verdict.Observation) bool { return hasDigest(o) && o.Referrers.Index != nil }

// hasList is hasAPI, and the list, or its first page, was read whole.
func hasList(o *verdict.Observation) bool { return hasAPI(o) && o.Referrers.Bound == 0 }

// pull is the token scope for reading (distribution, "Token Scope
// Documentation").
func pull(repository string) string { return "repository:" + repository + ":pull" }

// push is the token scope of the write probe.
func push(repository string) string { return "repository:" + repository + ":delete,pull,push" }

// accept returns an Accept header: one line, as clients send it, because some registries
// read the first line alone (mulgadc/spinifex#399).
func accept(types ...string) http.Header {
	return http.Header{"Accept": {strings.Join(types, ", ")}}
}

// get requests the manifest that reference, a tag or a digest, names in the
// image's repository. method is GET or HEAD.
func (r *row) get(ctx context.Context, step, method, reference string) (*registry.Response, error) {
	return r.manifest(ctx, step, method, reference, r.sent(reference))
}

// manifest is get for a reference that may be of another manifest than the image's.
func (r *row) manifest(
	ctx context.Context, step, method, reference string, sent registry.Sent,
) (*registry.Response, error) {
	resp, err := r.session.Do(ctx, registry.Request{
		Step:    step,
		Method:  method,
		URL:     r.client.URL(r.image.Repository + "/manifests/" + reference),
		Sent:    sent,
		Header:  accept(manifestTypes...),
		Scope:   pull(r.image.Repository),
		MaxBody: registry.MaxIndex,
		Hidden:  step == stepResolve,
	})
	if err == nil && resp.Fault != nil && resp.Fault.Kind == matrix.TooLarge {
		r.attached.tooLong()
	}
	return resp, err
}

// sent returns what of a reference the registry sent: the digest that it claims for the
// manifest, or a tag made of that, which has at most 64 characters of it. A digest that
// the inventory names is the inventory's, and any other is ours.
func (r *row) sent(reference string) registry.Sent {
	claimed := r.seen.Manifest.Digest
	_, encoded, _ := strings.Cut(claimed, ":")
	if encoded == "" || claimed == r.image.Digest || !strings.Contains(reference, encoded[:min(len(encoded), 64)]) {
		return registry.Sent{}
	}
	return sentOf(reference, claimed)
}

// sentFor returns what of a reference to a subject, or to a tag made of it, the registry sent.
func (r *row) sentFor(on *subject, reference string) registry.Sent {
	if on.platform == "" {
		return r.sent(reference)
	}
	return sentOf(reference, on.digest)
}

// sentOf returns what of a reference the registry sent, if it is the digest claimed or a tag
// made of that.
func sentOf(reference, claimed string) registry.Sent {
	sent := registry.Sent{Part: reference}
	if _, encoded, _ := strings.Cut(claimed, ":"); !strings.Contains(reference, encoded) {
		sent.From = claimed
	}
	return sent
}

// mayPull reports whether a GET of a manifest may be sent that only shows more of the image,
// and notes if that was not so.
func (r *row) mayPull() bool {
	may := r.client.MayPull()
	r.seen.QuotaKept = r.seen.QuotaKept || !may
	return may
}

// existenceMethod returns the method that shows whether something is there:
// HEAD, or GET if this registry was seen to refuse HEAD, because its 404 to HEAD
// then proves nothing (Nexus).
func (r *row) existenceMethod() string {
	if r.seen.Manifest.Method == http.MethodGet {
		return http.MethodGet
	}
	return http.MethodHead
}

// list requests a list of referrers and reads it. q says for which step, where,
// with which scope and by which method; GET is the default.
func (r *row) list(ctx context.Context, q registry.Request) (*registry.Response, body, error) {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	q.Header, q.MaxBody, q.ReadOn = accept(matrix.IndexMediaType), registry.MaxIndex, beginsIndex
	resp, err := r.session.Do(ctx, q)
	if err != nil || resp.Fault != nil {
		return resp, body{}, err
	}
	if resp.Cut && (q.Step == stepPage || q.Step == stepPlatform) { // the first page of the image has a finding of its own
		r.attached.tooLong()
	}
	return resp, readBody(resp), nil
}

// referrers lists the referrers of a digest in the image's repository, filtered
// unless artifactType is empty.
func (r *row) referrers(
	ctx context.Context, step, method, digest, artifactType string,
) (*registry.Response, body, error) {
	return r.list(ctx, registry.Request{
		Step:   step,
		Method: method,
		URL:    r.referrersURL(r.image.Repository, digest, artifactType),
		Sent:   r.sent(digest),
		Scope:  pull(r.image.Repository),
		Pinned: "/referrers/" + digest,
	})
}

// referrersURL is where the referrers of a digest are listed, filtered unless
// artifactType is empty.
func (r *row) referrersURL(repository, digest, artifactType string) *url.URL {
	target := r.client.URL(repository + "/referrers/" + digest)
	if artifactType != "" {
		target.RawQuery = url.Values{"artifactType": {artifactType}}.Encode()
	}
	return target
}

// ownOrigin reports whether target is on the registry's own origin.
func (r *row) ownOrigin(target *url.URL) bool {
	return address.SameOrigin(target, r.entry().URL)
}

// transient reports whether an answer is of the moment and leaves open what the
// endpoint would have answered: a rate limit, a gateway in trouble, a token that
// was refused, a wire that failed, or the row's budget of time being used up.
func transient(resp *registry.Response) bool {
	switch {
	case resp.Token:
		return true
	case resp.Fault != nil:
		return resp.Fault.Kind != matrix.Protocol && resp.Fault.Kind != matrix.Redirect
	}
	return registry.IsTransient(resp.Status)
}

// statusText returns a status as capabilities name it: "http-404".
func statusText(status int) string { return "http-" + strconv.Itoa(status) }
