package registry_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"refmatrix/scanner/inventory"
	"refmatrix/scanner/registry"
)

// TestUnsignedFirst: an endpoint of the product gets no credentials unless it asks for them,
// then those that it asks for, and what it wants is not learned for the rest of the registry.
func TestUnsignedFirst(t *testing.T) {
	const image, version = "GET /v2/a/manifests/x", "GET /version"
	const tokenOfA = "GET /token?scope=repository%3Aa%3Apull&service=s robot:right"
	robot := inventory.Auth{Username: "robot", Password: "right"}
	atVersion := func(rest, endpoint func(string, string) reply) func(string, string) reply {
		return func(request, by string) reply {
			if request == version {
				return endpoint(request, by)
			}
			return rest(request, by)
		}
	}
	for _, test := range []struct {
		name string
		auth inventory.Auth
		rule func(request, by string) reply
		want string   // outcome of the endpoint
		sent []string // to it, and to the manifest before and after
	}{
		{
			"open to everybody, and closed to a token", robot,
			atVersion(wantsToken("robot:right"), func(_, by string) reply {
				if by != "" {
					return reply{status: 401, challenge: bearerChallenge}
				}
				return reply{status: 200}
			}),
			"200",
			[]string{image, tokenOfA, image + " token-of-robot:right", version, image + " token-of-robot:right"},
		},
		{
			"Basic alone, at a registry with tokens", robot,
			atVersion(wantsToken("robot:right"), wantsBasic("robot:right")),
			"200 accepted",
			[]string{
				image, tokenOfA, image + " token-of-robot:right",
				version, version + " robot:right",
				image + " token-of-robot:right",
			},
		},
		{
			"as the rest, by a token", robot, wantsToken("robot:right"),
			"200 accepted",
			[]string{
				image, tokenOfA, image + " token-of-robot:right",
				version, version + " token-of-robot:right",
				image + " token-of-robot:right",
			},
		},
		{
			"as the rest, by Basic", robot, wantsBasic("robot:right"),
			"200 accepted",
			[]string{
				image, image + " robot:right",
				version, version + " robot:right",
				image + " robot:right",
			},
		},
		{
			"a challenge without an account", inventory.Auth{Anonymous: true},
			atVersion(func(string, string) reply { return reply{status: 200} }, wantsBasic("robot:right")),
			"401",
			[]string{image, version, image},
		},
		{
			"Basic at a host that auth.realms does not name",
			inventory.Auth{Username: "robot", Password: "right", Realms: []string{"other.test"}},
			atVersion(func(string, string) reply { return reply{status: 200} }, wantsBasic("robot:right")),
			"auth-refused",
			[]string{image, version, image},
		},
		{
			"the token of the inventory", inventory.Auth{Token: "secret-token"},
			func(_, by string) reply {
				if by != "secret-token" {
					return reply{status: 401, challenge: bearerChallenge}
				}
				return reply{status: 200}
			},
			"200 accepted",
			[]string{image + " secret-token", version, version + " secret-token", image + " secret-token"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := script(t, test.rule)
			e := entry(t, s.URL)
			e.Auth = test.auth
			c := client(t, e)
			manifest(t, c, "a")
			resp := productVersion(t, c, "a")
			if got := outcome(resp); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			manifest(t, c, "a")
			if diff := cmp.Diff(test.sent, s.take()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// productVersion requests the version of the product, as the product step does.
func productVersion(t *testing.T, c *registry.Client, repository string) *registry.Response {
	t.Helper()
	target := *c.Entry().URL
	target.Path = "/version"
	resp, err := c.NewSession().Do(t.Context(), registry.Request{
		Step:          "product",
		Method:        http.MethodGet,
		URL:           &target,
		Scope:         "repository:" + repository + ":pull",
		UnsignedFirst: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestVersionAndLockOut: a wrong account that the endpoint of the product refused is not
// sent there again, by whatever entry of the inventory, even if GET /v2/ shows nothing.
func TestVersionAndLockOut(t *testing.T) {
	for _, challenge := range []string{basicChallenge, bearerChallenge} {
		t.Run(challenge, func(t *testing.T) {
			s := script(t, func(request, by string) reply {
				switch {
				case strings.HasPrefix(request, "GET /token"):
					return reply{status: 401, body: `{"errors":[{"code":"UNAUTHORIZED"}]}`}
				case request == "GET /version":
					return reply{status: 401, challenge: challenge}
				}
				return reply{status: 200}
			})
			pool := registry.NewPool(registry.Options{})
			t.Cleanup(pool.Close)
			for range 5 {
				e := entry(t, s.URL)
				e.Auth = inventory.Auth{Username: "robot", Password: "wrong"}
				c := pool.Client(e)
				manifest(t, c, "a")
				productVersion(t, c, "a")
			}
			wrong := 0
			for _, sent := range s.take() {
				if strings.HasSuffix(sent, " robot:wrong") {
					wrong++
				}
			}
			if wrong != 1 {
				t.Errorf("the account was sent %d times, want 1", wrong)
			}
		})
	}
}
