package probe

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"refmatrix/matrix"
)

// measurePush keeps what the write probe saw of the registry, which runs it once, with the
// first row that comes here. What it could not delete is in that row alone.
func measurePush(ctx context.Context, r *row, repository string) error {
	var own *matrix.Push
	shared, err := r.registry.push.Do(ctx, r.session, func() (*matrix.Push, bool, error) {
		r.session.ResetBudget()
		var err error
		own, err = writeProbe(ctx, r, repository)
		shared := *own
		shared.LeftBehind, shared.LeftBlob = nil, ""
		return &shared, true, err
	})
	r.seen.Capabilities.Push = cmp.Or(own, shared)
	return err
}

// writeProbe pushes a subject and an artifact that refers to it, looks how the
// registry takes them (distribution specification v1.1, "Pushing Manifests
// with Subject"), and deletes all it pushed. If ctx ends on the way, which is the
// error, what was pushed is deleted all the same, and what was learned stands.
func writeProbe(ctx context.Context, r *row, repository string) (*matrix.Push, error) {
	w := &writer{
		row:        r,
		repository: repository,
		scope:      push(repository),
		push:       &matrix.Push{Repository: repository, Strategy: matrix.PushUnknown},
	}
	err := w.run(ctx)
	if err != nil && w.push.Detail == "" {
		w.push.Detail = "The scan ended before the write probe did."
	}
	w.cleanUp(context.WithoutCancel(ctx))
	return w.push, err
}

// run pushes and looks. A refusal of the registry ends it with a detail.
func (w *writer) run(ctx context.Context) error {
	name := "refmatrix-" + strings.ToLower(rand.Text())
	if ok, err := w.uploadEmpty(ctx); err != nil || !ok {
		return err
	}
	subject := newManifest(name, subjectType, nil)
	resp, err := w.put(ctx, stepPushSubject, subjectManifest, subject)
	if err != nil || w.refused(resp, "pushing a manifest") {
		return err
	}
	artifact := newManifest(name+"-artifact", probeType, subject)
	resp, err = w.put(ctx, stepPushArtifact, artifactManifest, artifact)
	if err != nil || w.refused(resp, "pushing a manifest with a subject") {
		return err
	}
	w.push.Accepted = true
	w.push.OCISubject = resp.Header.Get("OCI-Subject") == digest.FromBytes(subject).String()
	last, tries, err := w.waitForListing(ctx, subject, artifact)
	if err != nil {
		return err
	}
	w.push.Listed, w.push.ListedAtOnce = last.found, last.found && tries == 1
	w.push.NoList = !last.index && last.failed == ""
	if w.push.Listed {
		filtered, err := w.look(ctx, stepPushFilter, subject, artifact, probeType)
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
		w.push.Detail = "The artifact was listed, but PUT answered without OCI-Subject: " +
			"oras, notation and regctl write the referrers tag as well."
	case last.failed != "":
		w.push.Detail = fmt.Sprintf(
			"PUT of the artifact answered %s, but whether the API lists it is not known: %s.", subject, last.failed)
	case w.push.OCISubject:
		w.push.Strategy = matrix.PushLost
		w.push.Detail = "The registry took the link (OCI-Subject), but GET /referrers/ does not show it: " +
			"what oras and regctl push is lost."
	default:
		w.push.Strategy = matrix.PushTag
		w.push.Detail = "The artifact was accepted without OCI-Subject, and no list shows it: " +
			"clients have to write the referrers tag."
	}
}

// pushInReverse pushes an artifact before its subject, as copy tools do.
func (w *writer) pushInReverse(ctx context.Context, name string) error {
	subject := newManifest(name+"-later", subjectType, nil)
	artifact := newManifest(name+"-earlier", probeType, subject)
	resp, err := w.put(ctx, stepPushEarly, artifactManifest, artifact)
	if err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	resp, err = w.put(ctx, stepPushLate, subjectManifest, subject)
	if err != nil || resp.Fault != nil || !created(resp.Status) {
		return err
	}
	if !w.push.Listed {
		w.push.SubjectLater = true
		return nil
	}
	last, _, err := w.waitForListing(ctx, subject, artifact)
	w.push.SubjectLater = last.found
	return err
}
