package fleet

import (
	"fmt"
	"net/http"
	"sync"

	"github.com/distribution/distribution/v3/registry/auth"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd" // "htpasswd", which this stands on
)

// htpasswdOnce is Distribution's htpasswd access controller, which checks a password by bcrypt
// once and not with every request: that takes 40 ms under the race detector.
const htpasswdOnce = "htpasswd-once"

func init() {
	if err := auth.Register(htpasswdOnce, newPasswordOnce); err != nil {
		panic(err) // two of the same name
	}
}

type passwordOnce struct {
	auth.AccessController
	accepted sync.Map // Authorization header to *auth.Grant
}

func newPasswordOnce(options map[string]any) (auth.AccessController, error) {
	every, err := auth.GetAccessController("htpasswd", options)
	if err != nil {
		return nil, fmt.Errorf("make the access controller: %w", err)
	}
	return &passwordOnce{AccessController: every}, nil
}

// Authorized grants access to an account that was accepted before.
func (p *passwordOnce) Authorized(r *http.Request, access ...auth.Access) (*auth.Grant, error) {
	header := r.Header.Get("Authorization")
	if grant, ok := p.accepted.Load(header); ok {
		return grant.(*auth.Grant), nil
	}
	grant, err := p.AccessController.Authorized(r, access...)
	if err == nil {
		p.accepted.Store(header, grant)
	}
	return grant, err
}
