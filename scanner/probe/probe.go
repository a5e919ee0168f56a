// Package probe requests of one registry what is to know of one image, step by
// step, and returns what it saw as a verdict.Observation. Each step is one file;
// none of them judges.
package probe

import (
	"context"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// Depth is how much is probed of each image.
type Depth string

// Basic requests the manifest and its referrers and nothing else; Standard adds at most
// two requests per image and two per registry; Full runs every read-only step.
const (
	Basic    Depth = "basic"
	Standard Depth = "standard"
	Full     Depth = "full"
)

// Depths lists the depths, the least first.
var Depths = []Depth{Basic, Standard, Full}

// Options say what a probe does beside the verdict.
type Options struct {
	Depth Depth
	Write bool // measure pushes, if the inventory names a repository for that
	Links bool // read what is attached to the image and to its platforms
}

// Outcome is all that came of one image.
type Outcome struct {
	Observation verdict.Observation
	Requests    int
	Exchanges   []matrix.Exchange // of the requests, the first ones
	Omitted     matrix.Omitted    // what was left out of Exchanges
	Duration    time.Duration     // on the wire and waiting, not queueing for the first request
}

// probeStep is a question asked after the verdict is certain. It runs if it applies
// to what was seen, and writes its answer into seen.Capabilities. It has what
// the verdict left of the row's budget; what no longer fits is not measured.
type probeStep struct {
	depth   Depth // the least depth that runs it; "" = none does
	links   bool  // it runs too if what is attached is read, at whatever depth
	applies func(*verdict.Observation) bool
	run     func(context.Context, *row) error
}

// steps in the order they run. Standard makes two requests at most, the filter or the end
// of a redirect chain and the referrers tag, or the list of tags instead of that, and once
// per registry that of the product's own endpoint and that for a digest that cannot exist.
// What does not depend on the image is measured once per repository.
var steps = []probeStep{
	{"", true, hasDigest, readImageIndex}, // before the tags, whose number depends on the platforms
	{Standard, false, ledAway, followRedirect},
	{Standard, false, hasList, probeFilter},
	{Standard, true, hasDigest, probeTagSchema},
	{Standard, false, always, probeProduct},
	{Standard, true, hasAPI, probeAbsentSubject}, // before the pages after the first are read
	{Full, true, hasAPI, followPages},
	{Full, false, hasAPI, probeMalformedDigest},
	{Full, false, hasAPI, probeHead},
	{Full, true, hasDigest, probeCosignTags},
}

// Image probes image in its turn, which begins now: see Turn.Probe.
func (g *Registry) Image(
	ctx context.Context, session *registry.Session, image inventory.Image, options Options,
) (Outcome, error) {
	return g.Begin(image).Probe(ctx, session, options)
}

// Probe probes the image in a session that is the row's own. The error is not nil only if ctx
// ended, or left no time within the rates, before the verdict was certain. If ctx ended
// later, the outcome has what was measured until then, and its observation is marked as
// cut short.
func (t *Turn) Probe(ctx context.Context, session *registry.Session, options Options) (Outcome, error) {
	defer t.end()
	r := &row{
		registry: t.registry,
		turn:     t,
		session:  session,
		client:   t.registry.client,
		image:    t.image,
		depth:    options.Depth,
	}
	if options.Links {
		r.attached = newAttached()
	}
	r.seen.DefaultImage = r.entry().NoImages
	err := r.probe(ctx, options)
	r.seen.Credentials = r.client.Credentials(t.image.Repository)
	exchanges, omitted := r.session.Recorded()
	return Outcome{
		Observation: r.seen,
		Requests:    len(r.session.Exchanges()),
		Exchanges:   exchanges,
		Omitted:     omitted,
		Duration:    r.session.Elapsed(),
	}, err
}

func (r *row) probe(ctx context.Context, options Options) error {
	first := !r.registry.begun.Swap(true) // no other begins before it is done
	if err := resolve(ctx, r); err != nil {
		return err
	}
	measure := r.measure
	if r.seen.Manifest.Digest != "" {
		measure = r.measureOnce
	}
	if err := measure(ctx, options); err != nil {
		return err
	}
	r.seen.Product = verdict.Identify(r.client.Evidence())
	scratch := r.entry().WriteProbe
	switch {
	case !options.Write || scratch == nil:
	case !hasDigest(&r.seen):
		r.seen.WriteSkipped = first
	case !r.seen.CutShort:
		r.seen.CutShort = measurePush(ctx, r, scratch.Repository) != nil
	}
	return nil
}

// measure measures what follows the manifest. If ctx ends after the verdict is certain, what
// was measured until then stands.
func (r *row) measure(ctx context.Context, options Options) error {
	if r.seen.Manifest.Digest != "" {
		r.attached.of(r.seen.Manifest.Digest)
		if err := listReferrers(ctx, r); err != nil {
			return err
		}
	}
	r.seen.Product = verdict.Identify(r.client.Evidence())
	if r.seen.Manifest.Fault != nil || r.seen.Referrers.Fault != nil {
		return nil
	}
	r.seen.CutShort = r.runSteps(ctx, options) != nil
	compareLists(r)
	r.readLinks(ctx)
	return nil
}

// runSteps runs the steps that follow the verdict. The error is ctx's.
func (r *row) runSteps(ctx context.Context, options Options) error {
	for _, step := range steps {
		if !step.runs(options) || !step.applies(&r.seen) {
			continue
		}
		if err := step.run(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// runs reports whether the step is one of those that options choose.
func (s *probeStep) runs(options Options) bool {
	switch {
	case s.links && options.Links:
		return true
	case s.depth == "":
		return false
	}
	return options.Depth == Full || options.Depth == Standard && s.depth == Standard
}
