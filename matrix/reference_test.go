package matrix

import "testing"

// TestReference: an image is named by its digest, and a registry that no command can name,
// or that a command would take for an option, is not.
func TestReference(t *testing.T) {
	for _, test := range []struct{ url, image, digest, want string }{
		{"https://registry.example.com", "team/base:1.4", "sha256:1", "registry.example.com/team/base@sha256:1"},
		{"http://127.0.0.1:5000/", "base", "sha256:1", "127.0.0.1:5000/base@sha256:1"},
		{"https://[::1]:5000", "team/base@sha256:2", "sha256:1", "[::1]:5000/team/base@sha256:1"},
		{"https://r.example.com", "team/base:1@sha256:2", "sha256:1", "r.example.com/team/base@sha256:1"},
		{"https://r.example.com", "team/base:1", "", ""},
		{"https://r.example.com/base/path", "team/base:1", "sha256:1", ""},
		{"https://user@r.example.com", "team/base:1", "sha256:1", ""},
		{"https://--help", "team/base:1", "sha256:1", ""},
		{"ftp://r.example.com", "team/base:1", "sha256:1", ""},
		{"", "team/base:1", "sha256:1", ""},
	} {
		row := Row{URL: test.url, Image: test.image}
		if got, ok := row.Reference(test.digest); got != test.want || ok != (test.want != "") {
			t.Errorf("%s %s: %q, %v, want %q", test.url, test.image, got, ok, test.want)
		}
	}
}
