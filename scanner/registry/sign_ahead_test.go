package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
)

// failingTokens wants tokens, and has a token service that answers with a status.
func failingTokens(status int) func(request, by string) reply {
	return func(request, _ string) reply {
		if strings.Contains(request, "/token") {
			return reply{status: status}
		}
		return reply{status: 401, challenge: bearerChallenge}
	}
}

// TestSignAhead: the first request of a further repository has its token before it is sent,
// and is answered as it is if it was sent unsigned first, whatever realm, account or state the
// repository has.
func TestSignAhead(t *testing.T) {
	robot := inventory.Auth{Username: "robot", Password: "right"}
	const a, b, c, signed = "GET /v2/a/manifests/x", "GET /v2/b/manifests/x", "GET /v2/c/manifests/x", " token-of-robot:right"
	token := func(repository string) string {
		return "GET /token?scope=repository%3A" + repository + "%3Apull&service=s robot:right"
	}
	first := []string{a, token("a"), a + signed}
	// of returns the rule of a registry behind a token service, but for repository b.
	of := func(b func(request, by string) reply) func(string, string) reply {
		return func(request, by string) reply {
			if strings.Contains(request, "/v2/b/") || strings.Contains(request, "%3Ab%3A") {
				return b(request, by)
			}
			return wantsToken("robot:right")(request, by)
		}
	}
	for _, test := range []struct {
		name  string
		auth  inventory.Auth
		rule  func(request, by string) reply
		asked string
		want  string
		sent  []string // after the first repository's
	}{
		{
			"another realm", robot,
			of(func(request, by string) reply {
				switch {
				case strings.HasPrefix(request, "GET /b/token"):
					return reply{status: 200, body: `{"token":"token-of-b"}`}
				case strings.Contains(request, "/token"):
					return wantsToken("robot:right")(request, by)
				case by == "token-of-b":
					return reply{status: 200}
				}
				return reply{status: 401, challenge: `Bearer realm="{origin}/b/token",service="s"`}
			}),
			"b c", "200 accepted, 200 accepted",
			[]string{
				token("b"), b + signed, b, "GET /b/token?scope=repository%3Ab%3Apull&service=s robot:right", b + " token-of-b",
				c, token("c"), c + signed,
			},
		},
		{
			"no realm", robot,
			of(func(request, by string) reply {
				if by == "" {
					return reply{status: 200}
				}
				return reply{status: 401, challenge: bearerChallenge}
			}),
			"b c", "200, 200 accepted",
			[]string{token("b"), b, c, token("c"), c + signed},
		},
		{
			"Basic", robot,
			of(func(request, by string) reply {
				if strings.Contains(request, "/token") {
					return wantsToken("robot:right")(request, by)
				}
				return wantsBasic("robot:right")(request, by)
			}),
			"b", "200 accepted",
			[]string{token("b"), b + signed, b, b + " robot:right"},
		},
		{
			"a repository that is not the account's", robot,
			of(func(request, by string) reply {
				if strings.Contains(request, "/token") {
					return wantsToken("robot:right")(request, by)
				}
				return reply{status: map[bool]int{true: 403, false: 401}[by != ""], challenge: bearerChallenge}
			}),
			"b c", "403 accepted, 200 accepted",
			[]string{
				token("b"), b + signed, b,
				"GET /v2/", "GET /token?service=s robot:right", "GET /v2/" + signed,
				token("c"), c + signed,
			},
		},
		{
			"a token service that fails", robot,
			of(failingTokens(404)),
			"b c", "token-error, 200 accepted",
			[]string{token("b"), b, token("c"), c + signed},
		},
		{
			"a repository that is not there", robot,
			of(func(request, by string) reply {
				switch {
				case strings.Contains(request, "/token"):
					return wantsToken("robot:right")(request, by)
				case by == "":
					return reply{status: 401, challenge: bearerChallenge}
				}
				return reply{status: 404}
			}),
			"b c", "404 accepted, 200 accepted",
			[]string{token("b"), b + signed, b, token("c"), c + signed},
		},
		{
			"a repository that is not there, to nobody", robot,
			of(func(request, by string) reply {
				if strings.Contains(request, "/token") {
					return wantsToken("robot:right")(request, by)
				}
				return reply{status: 404}
			}),
			"b c", "404 accepted, 200 accepted",
			[]string{token("b"), b + signed, b, token("c"), c + signed},
		},
		{
			// S3 answers 400 to a scheme that it does not know.
			"no realm, and 400 to what is signed", robot,
			of(func(request, by string) reply {
				if strings.Contains(request, "/token") {
					return wantsToken("robot:right")(request, by)
				}
				return reply{status: map[bool]int{true: 200, false: 400}[by == ""]}
			}),
			"b c", "200, 200 accepted",
			[]string{token("b"), b + signed, b, c, token("c"), c + signed},
		},
		{
			"another realm, and 404 to a token of the first", robot,
			of(func(request, by string) reply {
				switch {
				case strings.HasPrefix(request, "GET /b/token"):
					return reply{status: 200, body: `{"token":"token-of-b"}`}
				case strings.Contains(request, "/token"):
					return wantsToken("robot:right")(request, by)
				case by == "token-of-b":
					return reply{status: 200}
				case by != "":
					return reply{status: 404}
				}
				return reply{status: 401, challenge: `Bearer realm="{origin}/b/token",service="s"`}
			}),
			"b", "200 accepted",
			[]string{token("b"), b + signed, b, "GET /b/token?scope=repository%3Ab%3Apull&service=s robot:right", b + " token-of-b"},
		},
		{
			"a rate limit of the token service", robot,
			of(failingTokens(429)),
			"b c", "token 429 accepted, 200 accepted",
			[]string{token("b"), b, token("c"), c + signed},
		},
		{
			"a server in trouble for a moment", robot,
			of(func(request, by string) reply {
				if strings.Contains(request, "/token") {
					return reply{status: 404}
				}
				return reply{status: 503}
			}),
			"b c", "503, 200 accepted",
			[]string{token("b"), b, token("c"), c + signed},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := script(t, test.rule)
			e := entry(t, s.URL)
			e.Auth, e.Timeout = test.auth, 5*time.Second
			client := client(t, e)
			var got []string
			for repository := range strings.FieldsSeq("a " + test.asked) {
				got = append(got, outcome(manifest(t, client, repository)))
			}
			if text := strings.Join(got[1:], ", "); text != test.want {
				t.Errorf("outcomes %s, want %s", text, test.want)
			}
			if sent, want := s.take(), slices.Concat(first, test.sent); !slices.Equal(sent, want) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// TestSignAheadOfAnUnsignedChallenge: a realm that only a signed request was named, as Harbor
// and nvcr.io name others to these, gets no account before a repository asks for it.
func TestSignAheadOfAnUnsignedChallenge(t *testing.T) {
	s := script(t, func(request, by string) reply {
		switch {
		case strings.Contains(request, "/token"):
			return reply{status: 200, body: `{"token":"good"}`}
		case by == "good":
			return reply{status: 200}
		case by == "" || strings.Contains(request, "/v2/a/"):
			return reply{status: map[bool]int{true: 200, false: 401}[by == "robot:right"], challenge: basicChallenge}
		}
		return reply{status: 401, challenge: bearerChallenge}
	})
	e := entry(t, s.URL)
	e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second
	client := client(t, e)
	for _, repository := range []string{"a", "b", "c"} {
		if got := outcome(manifest(t, client, repository)); got != "200 accepted" {
			t.Errorf("%s: %s", repository, got)
		}
	}
	sent, want := s.take(), []string{
		"GET /v2/c/manifests/x robot:right", "GET /token?scope=repository%3Ac%3Apull&service=s robot:right", "GET /v2/c/manifests/x good",
	}
	if got := sent[len(sent)-len(want):]; !slices.Equal(got, want) {
		t.Errorf("sent for c\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSignAheadBesideOpenRepositories: if a repository needed no token, the next one may need
// none either, and is sent its first request unsigned.
func TestSignAheadBesideOpenRepositories(t *testing.T) {
	s := script(t, func(request, by string) reply {
		if strings.Contains(request, "/v2/open") {
			return reply{status: 200}
		}
		return wantsToken("robot:right")(request, by)
	})
	e := entry(t, s.URL)
	e.Auth, e.Timeout = inventory.Auth{Username: "robot", Password: "right"}, 5*time.Second
	client := client(t, e)
	for _, repository := range []string{"open1", "a", "open2", "open3"} {
		if got := manifest(t, client, repository); got.Status != 200 {
			t.Errorf("%s: %s", repository, outcome(got))
		}
	}
	want := []string{
		"GET /v2/open1/manifests/x",
		"GET /v2/a/manifests/x", "GET /token?scope=repository%3Aa%3Apull&service=s robot:right", "GET /v2/a/manifests/x token-of-robot:right",
		"GET /v2/open2/manifests/x", "GET /v2/open3/manifests/x",
	}
	if sent := s.take(); !slices.Equal(sent, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(want, "\n"))
	}
}
