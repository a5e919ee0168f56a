// Package probe asks one registry about one image, step by step, and gives
// what it saw as a matrix.Observation. Each step is one file; none of them
// judges.
package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// Depth is how much is asked of each image.
type Depth string

// Basic asks for the manifest and its referrers and nothing else; Standard
// adds at most three requests per image; Full runs every read-only step.
const (
	Basic    Depth = "basic"
	Standard Depth = "standard"
	Full     Depth = "full"
)

// ParseDepth reads the value of --probe.
func ParseDepth(text string) (Depth, error) {
	switch d := Depth(text); d {
	case Basic, Standard, Full:
		return d, nil
	}
	return "", fmt.Errorf("unknown probe depth %q: choose basic, standard or full", text)
}

// Options say what a probe does beside the verdict.
type Options struct {
	Depth Depth
	Write bool // run the write probe where the inventory names a repository for it and the image resolves
}

// Outcome is all that came of one image.
type Outcome struct {
	Observation verdict.Observation
	Exchanges   []matrix.Exchange
	Duration    time.Duration // on the wire and waiting, not queueing for the first request
}

// subject is the image under the probe's hands.
type subject struct {
	session  *registry.Session
	client   *registry.Client
	image    inventory.Image
	seen     verdict.Observation
	notFound string   // text of a plain 404 at the referrers endpoint, for the fingerprint
	listed   []string // digests of all pages of the list that were read, to a bound
	tagged   []string // digests that the referrers tag lists, to a bound
}

// step is a question asked after the verdict is certain. It runs where it
// applies to what was seen, and writes its answer into seen.Capabilities. It has
// what the verdict left of the row's time; what that does not suffice for is
// not measured.
type step struct {
	depth   Depth // the least depth that runs it
	applies func(*verdict.Observation) bool
	run     func(context.Context, *subject) error
}

// steps in the order they are asked. Of Standard there are three requests at
// the most: the filter, the referrers tag and the product's own endpoint.
var steps = []step{
	{Standard, hasAPI, askFilter},
	{Standard, hasDigest, askTagSchema},
	{Standard, always, askProduct},
	{Full, filterUnseen, refineFilter},
	{Full, hasAPI, followPages},
	{Full, hasAPI, askAbsentSubject},
	{Full, hasAPI, askMalformedDigest},
	{Full, hasAPI, askHead},
	{Full, hasDigest, askCosignTags},
}

func always(*verdict.Observation) bool { return true }

func hasDigest(o *verdict.Observation) bool {
	return o.Manifest.Digest != "" && o.Referrers.Status != 0
}

func hasAPI(o *verdict.Observation) bool { return hasDigest(o) && o.Referrers.Index != nil }

// Image probes image through client. The error is not nil only where ctx ended,
// or left no time within the rates, before the verdict was certain; where it
// ended later, the outcome has what was measured until then, and its observation
// is marked as cut short.
func Image(ctx context.Context, client *registry.Client, image inventory.Image, options Options) (Outcome, error) {
	s := &subject{session: client.NewSession(), client: client, image: image}
	err := s.probe(ctx, options)
	return Outcome{Observation: s.seen, Exchanges: s.session.Exchanges(), Duration: s.session.Elapsed()}, err
}

func (s *subject) probe(ctx context.Context, options Options) error {
	if err := resolve(ctx, s); err != nil {
		return err
	}
	if s.seen.Manifest.Digest != "" {
		if err := askReferrers(ctx, s); err != nil {
			return err
		}
	}
	identify(s, nil)
	s.seen.WriteSkipped = options.Write && client(s).WriteProbe != nil && !hasDigest(&s.seen)
	if s.seen.Manifest.Fault != nil || s.seen.Referrers.Fault != nil {
		return nil
	}
	s.seen.CutShort = s.ask(ctx, options) != nil
	s.compareLinks()
	return nil
}

// ask takes the steps that follow the verdict. The error is ctx's, and what
// was measured until then stands.
func (s *subject) ask(ctx context.Context, options Options) error {
	for _, step := range steps {
		if !runs(step.depth, options.Depth) || !step.applies(&s.seen) {
			continue
		}
		if err := step.run(ctx, s); err != nil {
			return err
		}
	}
	if options.Write && client(s).WriteProbe != nil && hasDigest(&s.seen) {
		s.session.ResetBudget()
		return writeProbe(ctx, s, client(s).WriteProbe.Repository)
	}
	return nil
}

func client(s *subject) inventory.Registry { return s.client.Entry() }

// runs reports whether a step of depth least runs at depth chosen.
func runs(least, chosen Depth) bool {
	return chosen == Full || chosen == Standard && least == Standard
}

// pull is the token scope for reading (distribution, "Token Scope
// Documentation").
func pull(repository string) string { return "repository:" + repository + ":pull" }

// push is the token scope of the write probe.
func push(repository string) string { return "repository:" + repository + ":delete,pull,push" }

// get asks for path under /v2/ with the image's own scope.
func (s *subject) get(ctx context.Context, step, method, path string, header http.Header, limit int64) (*registry.Response, error) {
	return s.session.Do(ctx, registry.Request{
		Step: step, Method: method, URL: s.client.URL(path), Header: header,
		Scope: pull(s.image.Repository), MaxBody: limit,
	})
}

// accept gives an Accept header, one value per type as registries expect it.
func accept(types ...string) http.Header { return http.Header{"Accept": types} }
