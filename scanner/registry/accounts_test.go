package registry

import "testing"

// TestAuthFileKeys: entries are found by the names that podman, skopeo and
// older tools file them under.
func TestAuthFileKeys(t *testing.T) {
	for _, test := range []struct{ filed, host, repository, want string }{
		{"docker.io", "registry-1.docker.io", "library/alpine", "docker.io"},
		{"docker.io/library", "registry-1.docker.io", "library/alpine", "docker.io/library"},
		{"docker.io/library/alpine", "registry-1.docker.io", "library/alpine", "docker.io/library/alpine"},
		{"https://index.docker.io/v1/", "registry-1.docker.io", "library/alpine", "https://index.docker.io/v1/"},
		{"index.docker.io", "registry-1.docker.io", "library/alpine", "index.docker.io"},
		{"https://quay.io/v1/", "quay.io", "team/app", "https://quay.io/v1/"},
		{"quay.io/other", "quay.io", "team/app", ""},
		{"quay.io/team/app/sub", "quay.io", "team/app", ""},
		{"registry.test:5000/team", "registry.test:5000", "team/app", "registry.test:5000/team"},
		{"registry.test", "registry.test:5000", "team/app", ""},
	} {
		file := &authFile{Auths: map[string]struct{ Auth, IdentityToken string }{test.filed: {}}}
		if got := file.key(test.host, test.repository); got != test.want {
			t.Errorf("%s: %s of %s is found at %q", test.filed, test.repository, test.host, got)
		}
	}
}
