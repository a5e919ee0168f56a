package probe

import (
	"sync"
	"sync/atomic"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// maxAskedInTurn is how many rows of a repository ask a question one after another. If no
// answer holds for the repository until then, each row asks for itself.
const maxAskedInTurn = 3

// repository is one repository while its images are probed. It holds what is measured once
// and serves its rows. Support is per repository and not per registry: Artifactory's
// repository types and Harbor's proxy projects differ in one registry.
type repository struct {
	images int // of the inventory's entry
	begun  int // rows, of which each has its number
	left   int // images without an end

	filterOfEmpty *registry.InOrder[filterAnswer] // of rows that list nothing
	filterOfList  *registry.InOrder[filterAnswer] // of rows that list something
	absent        *registry.InOrder[absentSubject]
	malformed     *registry.InOrder[string]
	head          *registry.InOrder[string]
	tags          *registry.InOrder[*tagNames]
	listsFailed   atomic.Int32 // requests for tags that were not answered

	resolved registry.Order // rows that know their digest, or that it cannot be known
	mu       sync.Mutex
	digests  map[string]*sameDigest
}

func newRepository() *repository {
	return &repository{
		filterOfEmpty: registry.NewInOrder[filterAnswer](maxAskedInTurn),
		filterOfList:  registry.NewInOrder[filterAnswer](maxAskedInTurn),
		absent:        registry.NewInOrder[absentSubject](maxAskedInTurn),
		malformed:     registry.NewInOrder[string](maxAskedInTurn),
		head:          registry.NewInOrder[string](maxAskedInTurn),
		tags:          registry.NewInOrder[*tagNames](maxAskedInTurn),
		digests:       map[string]*sameDigest{},
	}
}

// Turn is the place of an image in the order in which a repository's images are probed. If
// several of them need the same answer, the first of them asks.
type Turn struct {
	registry   *Registry
	repository *repository
	image      inventory.Image
	number     int
}

// Begin returns the turn of an image. Call it in the order of the inventory, and Turn.Probe
// for each, because rows wait for those that were begun before them.
func (g *Registry) Begin(image inventory.Image) *Turn {
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.repositories[image.Repository]
	if of == nil {
		of = newRepository()
		of.images = g.images[image.Repository]
		of.left = of.images
		g.repositories[image.Repository] = of
	}
	t := &Turn{registry: g, repository: of, image: image, number: of.begun}
	of.begun++
	return t
}

// Client is what the requests of the image go through.
func (t *Turn) Client() *registry.Client { return t.registry.client }

// end lets the rows go on that wait for this one, and forgets the repository with its last
// row.
func (t *Turn) end() {
	of := t.repository
	of.resolved.Pass(t.number)
	of.filterOfEmpty.Pass(t.number)
	of.filterOfList.Pass(t.number)
	of.absent.Pass(t.number)
	of.malformed.Pass(t.number)
	of.head.Pass(t.number)
	of.tags.Pass(t.number)
	g := t.registry
	g.mu.Lock()
	defer g.mu.Unlock()
	if of.left--; of.left == 0 {
		delete(g.repositories, t.image.Repository)
	}
}

// fromRepository notes that the row has a capability from another image of its repository.
func (r *row) fromRepository(capability string) {
	caps := &r.seen.Capabilities
	caps.FromRepository = append(caps.FromRepository, capability)
}
