package probe

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/registry"
)

// listWaits are the pauses between looks for an artifact just pushed, for
// registries that index in the background.
var listWaits = []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// writer is one run of the write probe in a scratch repository.
type writer struct {
	*subject
	repository string
	scope      string
	push       *matrix.Push
	pushed     []pushed // what is there, or may be
}

// writeProbe pushes a subject and an artifact that refers to it, looks how the
// registry takes them (distribution specification v1.1, "Pushing Manifests
// with Subject"), and deletes all it pushed. Where ctx ends on the way, which is
// the error, what was pushed is deleted all the same, and what was learned
// stands.
func writeProbe(ctx context.Context, s *subject, repository string) error {
	w := &writer{
		subject: s, repository: repository, scope: push(repository),
		push: &matrix.Push{Repository: repository, Strategy: matrix.PushUnknown},
	}
	s.seen.Capabilities.Push = w.push
	err := w.run(ctx)
	if err != nil && w.push.Detail == "" {
		w.push.Detail = "The scan ended before the write probe did."
	}
	w.cleanUp(context.WithoutCancel(ctx))
	return err
}

// run pushes and looks. What the registry refuses ends it with a detail.
func (w *writer) run(ctx context.Context) error {
	name := "refmatrix-" + strings.ToLower(rand.Text())
	if ok, err := w.uploadEmpty(ctx); err != nil || !ok {
		return err
	}
	subject := manifest(name, "", nil)
	resp, err := w.put(ctx, "push-subject", subjectManifest, subject)
	if err != nil || w.refused(resp, "pushing a manifest") {
		return err
	}
	artifact := manifest(name+"-artifact", probeType, subject)
	resp, err = w.put(ctx, "push-artifact", artifactManifest, artifact)
	if err != nil || w.refused(resp, "pushing a manifest with a subject") {
		return err
	}
	w.push.Accepted = true
	w.push.OCISubject = resp.Header.Get("OCI-Subject") == digest.FromBytes(subject).String()
	last, tries, err := w.await(ctx, subject, artifact)
	if err != nil {
		return err
	}
	w.push.Listed, w.push.ListedAtOnce = last.found, last.found && tries == 1
	w.push.NoList = !last.index && last.failed == ""
	if w.push.Listed {
		filtered, err := w.look(ctx, "push-filter", subject, artifact, probeType)
		if err != nil {
			return err
		}
		w.push.Filtered = filtered.found
	}
	w.conclude(last)
	return w.pushInReverse(ctx, name)
}

// conclude names what clients will write here, and what comes of it.
func (w *writer) conclude(last listing) {
	subject := "without OCI-Subject"
	if w.push.OCISubject {
		subject = "with OCI-Subject"
	}
	switch {
	case w.push.Listed && w.push.OCISubject:
		w.push.Strategy = matrix.PushAPI
		w.push.Detail = "PUT answered with OCI-Subject and the artifact was listed: clients write no tag."
	case w.push.Listed:
		w.push.Strategy = matrix.PushDual
		w.push.Detail = "The artifact was listed, but PUT answered without OCI-Subject: oras, notation and regctl write the referrers tag as well."
	case last.failed != "":
		w.push.Detail = fmt.Sprintf("PUT of the artifact answered %s, but whether the API lists it is not known: %s.", subject, last.failed)
	case w.push.OCISubject:
		w.push.Strategy = matrix.PushLost
		w.push.Detail = "The registry took the link (OCI-Subject), but GET /referrers/ does not show it: a proxy in between or slow indexing; what oras and regctl push is lost."
	default:
		w.push.Strategy = matrix.PushTag
		w.push.Detail = "The artifact was accepted without OCI-Subject, and no list shows it: clients have to write the referrers tag."
	}
}

// pushInReverse pushes an artifact before its subject, as copy tools do.
func (w *writer) pushInReverse(ctx context.Context, name string) error {
	subject := manifest(name+"-later", "", nil)
	artifact := manifest(name+"-earlier", probeType, subject)
	resp, err := w.put(ctx, "push-early", artifactManifest, artifact)
	if err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	if resp, err = w.put(ctx, "push-late", subjectManifest, subject); err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	if !w.push.Listed {
		w.push.SubjectLater = true
		return nil
	}
	last, _, err := w.await(ctx, subject, artifact)
	w.push.SubjectLater = last.found
	return err
}

// listing is what one look at the list of a subject gave.
type listing struct {
	found  bool   // the artifact is in it
	index  bool   // there is a list
	failed string // why nothing is known of it, a clause; "" where the answer speaks for the endpoint
}

// await looks for artifact in the list of its subject until it is there, within
// listWaits. It gives the last look and how many there were.
func (w *writer) await(ctx context.Context, subject, artifact []byte) (last listing, tries int, err error) {
	for _, wait := range listWaits {
		if err := pause(ctx, wait); err != nil {
			return last, tries, err
		}
		if last, err = w.look(ctx, "push-list", subject, artifact, ""); err != nil {
			return last, tries, err
		}
		if tries++; last.found || !last.index {
			break
		}
	}
	return last, tries, nil
}

// look asks for the referrers of subject, of type filter where that is set. A
// refusal of the account, a limit and a breakdown say nothing of the list; any
// other answer but an index says that there is none.
func (w *writer) look(ctx context.Context, step string, subject, artifact []byte, filter string) (listing, error) {
	target := w.client.URL(w.repository + "/referrers/" + digest.FromBytes(subject).String())
	if filter != "" {
		target.RawQuery = url.Values{"artifactType": {filter}}.Encode()
	}
	resp, err := w.session.Do(ctx, registry.Request{
		Step: step, Method: http.MethodGet, URL: target, Header: accept(verdict.IndexMediaType), Scope: w.scope, MaxBody: registry.MaxIndex,
	})
	switch {
	case err != nil:
		return listing{}, err
	case resp.Fault != nil:
		return listing{failed: resp.Fault.Text}, nil
	case saysNothing(resp.Status):
		return listing{failed: fmt.Sprintf("GET /referrers/ answered HTTP %d", resp.Status)}, nil
	case resp.Status != http.StatusOK:
		return listing{}, nil
	}
	judged := readBody(resp.Bytes)
	return listing{
		found: slices.Contains(judged.digests, digest.FromBytes(artifact).String()),
		index: judged.index != nil,
	}, nil
}

// saysNothing reports whether a status is about the account, a limit or a
// breakdown, and so leaves open what the endpoint would have answered.
func saysNothing(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}

// refused notes why the write probe ends here, where it does.
func (w *writer) refused(resp *registry.Response, doing string) bool {
	switch {
	case resp.Fault != nil:
		w.push.Detail = fmt.Sprintf("The write probe failed at %s: %s.", doing, resp.Fault.Text)
	case !created(resp.Status):
		w.push.Strategy = matrix.PushRefused
		w.push.Detail = fmt.Sprintf("The registry answered HTTP %d to %s.", resp.Status, doing)
	default:
		return false
	}
	return true
}

func created(status int) bool { return status >= 200 && status < 300 }

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
