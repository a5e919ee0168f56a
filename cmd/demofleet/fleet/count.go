package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// Manifests counts the manifests of a repository that were ever put there and
// still answer, from the log of what the registry was asked, and its tags.
func (f *Fleet) Manifests(ctx context.Context, r Registry, name string) (int, error) {
	repository, err := f.Repository(r, name)
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	for _, request := range f.Requests(r.Name) {
		prefix := "/v2/" + name + "/manifests/"
		if request.Method == "PUT" && strings.HasPrefix(request.Path, prefix) {
			seen[strings.TrimPrefix(request.Path, prefix)] = true
		}
	}
	left := 0
	for reference := range seen {
		_, err := repository.Resolve(ctx, reference)
		switch {
		case err == nil:
			left++
		case !errors.Is(err, errdef.ErrNotFound):
			return 0, fmt.Errorf("look for %s: %w", reference, err)
		}
	}
	err = repository.Tags(ctx, "", func(tags []string) error {
		left += len(tags)
		return nil
	})
	var answer *errcode.ErrorResponse
	if errors.As(err, &answer) && answer.StatusCode == 404 {
		err = nil // the repository itself is gone
	}
	return left, err
}
