package fleet

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

// difficultRegistry is a registry that answers in an unusual or a wrong way, and that clients
// really meet.
type difficultRegistry struct {
	name   string
	kind   string // the implementation, or the product whose answers are scripted
	about  string // what is difficult about it
	source string // where the behaviour was measured, reported or is documented
	serve  func(f *Fleet, r *Registry) (server, error)
	// fill pushes the content, in place of the usual one.
	fill func(ctx context.Context, f *Fleet, r Registry) error
	// image is probed in place of the linked one.
	image string
}

// server is what a difficult registry answers with.
type server struct {
	handler http.Handler
	// content takes the fleet's content, if the handler refuses it; nil = the handler does.
	content http.Handler
}

// difficult registries in the order of the inventory.
var difficult = slices.Concat(realRegistries, productFronts, refusingFronts)

// shared is an entry for the server of another one, with an account or an image of its own.
type shared struct {
	name, of, about string
	password        string // in place of the server's; empty = the same
	image           string
}

var sharing = []shared{
	{
		name:     "harbor-password",
		of:       "harbor",
		about:    "the password is wrong, and the token service answers 200 all the same",
		password: WrongPassword,
		image:    Linked + ":" + LinkedTag,
	},
	{
		name:  "harbor-absent",
		of:    "harbor",
		about: "the account is right, and the project does not exist: 401",
		image: "absent/app:1",
	},
}

// addDifficult starts the difficult registries, on the ports after those of the everyday ones.
func (f *Fleet) addDifficult(o Options) error {
	for n, one := range difficult {
		registry := Registry{
			Group:  Difficult,
			About:  one.about,
			probed: one.image,
			fill:   one.fill,
		}
		if registry.probed == "" {
			registry.probed = Linked + ":" + LinkedTag
		}
		serve := func(f *Fleet, r *Registry, _ bool) (http.Handler, error) {
			s, err := one.serve(f, r)
			if s.content != nil {
				f.contents[one.name] = s.content
			}
			return s.handler, err
		}
		err := f.serve(implementation{one.name, one.kind, serve}, registry, len(implementations)+n, o)
		if err != nil {
			return fmt.Errorf("start %s: %w", one.name, err)
		}
	}
	for _, one := range sharing {
		r, ok := f.Find(one.of)
		if !ok || slices.Contains(o.Without, one.name) {
			continue
		}
		r.Name, r.About, r.Image = one.name, one.about, one.image
		if one.password != "" {
			r.Password = one.password
		}
		f.registries = append(f.registries, r)
	}
	return nil
}

// withAPI is a registry that has the referrers API and sends OCI-Subject.
func withAPI() http.Handler { return ociserver.New(ocimem.New(), nil) }
