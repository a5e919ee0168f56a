package registry_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"refmatrix/scanner/inventory"
)

// TestSignIn: the requests that each way to sign in costs, and what the answers
// say of the account.
func TestSignIn(t *testing.T) {
	robot := inventory.Auth{Username: "robot", Password: "right"}
	wrong := inventory.Auth{Username: "robot", Password: "wrong"}
	anonymous := inventory.Auth{Anonymous: true}
	const a, b, c = "GET /v2/a/manifests/x", "GET /v2/b/manifests/x", "GET /v2/c/manifests/x"
	token := func(repository string) string {
		return "GET /token?scope=repository%3A" + repository + "%3Apull&service=s"
	}
	tests := []struct {
		name  string
		auth  inventory.Auth
		rule  func(request, by string) reply
		asked string // repositories, in order
		want  string // outcomes
		sent  []string
	}{
		{
			"an open registry is not sent the account", robot,
			func(string, string) reply { return reply{status: 200} },
			"a b", "200, 200",
			[]string{a, b},
		},
		{
			"Basic costs one challenge", robot, wantsBasic("robot:right"),
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{a, a + " robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"Basic without an account", anonymous, wantsBasic("robot:right"),
			"a b", "401, 401",
			[]string{a, b},
		},
		{
			"a token costs one challenge", robot, wantsToken("robot:right"),
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				token("b") + " robot:right", b + " token-of-robot:right",
				a + " token-of-robot:right",
			},
		},
		{
			"an anonymous token", anonymous, wantsToken(""),
			"a a", "200, 200",
			[]string{a, token("a"), a + " token-of-", a + " token-of-"},
		},
		{
			"an identity token is posted", inventory.Auth{IdentityToken: "refresh"}, wantsToken("refresh"),
			"a", "200 accepted",
			[]string{a, "POST /token scope=repository:a:pull service=s refresh", a + " token-of-refresh"},
		},
		{
			"a registry token is sent at once", inventory.Auth{Token: "fixed"},
			func(_, by string) reply { return reply{status: map[bool]int{true: 200, false: 401}[by == "fixed"]} },
			"a b", "200 accepted, 200 accepted",
			[]string{a + " fixed", b + " fixed"},
		},
		{
			"a wrong password is sent twice, and no more", wrong, wantsBasic("robot:right"),
			"a b c", "401 refused, 401 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", b, c},
		},
		{
			"a wrong password is sent to the token service twice", wrong, wantsToken("robot:right"),
			"a b", "token 401 refused, 401 refused",
			[]string{a, token("a") + " robot:wrong", "GET /v2/", "GET /token?service=s robot:wrong", b},
		},
		{
			"a token service that takes any password (Harbor)", wrong,
			func(request, _ string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 200, body: `{"token":"of-nobody"}`}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "401 refused, 401 refused",
			[]string{
				a, token("a") + " robot:wrong", a + " of-nobody",
				"GET /v2/", "GET /token?service=s robot:wrong", "GET /v2/ of-nobody", b,
			},
		},
		{
			"one refused repository does not refuse the account", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/a/") && by != "" {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b a", "401 accepted, 200 accepted, 401 accepted",
			[]string{a, a + " robot:right", "GET /v2/", "GET /v2/ robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"Basic that was accepted needs no proof", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/b/") && by != "" {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 accepted, 401 accepted",
			[]string{a, a + " robot:right", b + " robot:right"},
		},
		{
			"a token that was accepted can be one for everybody, so /v2/ is requested", robot,
			func(request, by string) reply {
				if strings.Contains(request, "scope=repository%3Ab%3A") {
					return reply{status: 403}
				}
				return wantsToken("robot:right")(request, by)
			},
			"a b b", "200 accepted, token 403 accepted, token 403 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				token("b") + " robot:right", b, "GET /v2/", "GET /token?service=s robot:right", "GET /v2/ token-of-robot:right",
				b, token("b") + " robot:right",
			},
		},
		{
			"a wrong password beside a public repository (Harbor)", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, " /token"):
					return reply{status: 200, body: `{"token":"of-nobody"}`}
				case strings.Contains(request, "/v2/a/") && by == "of-nobody":
					return reply{status: 200}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b c", "200 accepted, 401 refused, 401 refused",
			[]string{
				a, token("a") + " robot:wrong", a + " of-nobody",
				token("b") + " robot:wrong", b + " of-nobody", b,
				"GET /v2/", "GET /token?service=s robot:wrong", "GET /v2/ of-nobody",
				a, token("a"), a + " of-nobody", c,
			},
		},
		{
			"an account that one repository accepts and /v2/ does not", robot,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, " /token"):
					return reply{status: 200, body: `{"token":"token-of-` + by + `"}`}
				case strings.HasPrefix(request, "GET /v2/b/"), request == "GET /v2/", by != "token-of-robot:right":
					return reply{status: 401, challenge: bearerChallenge}
				}
				return reply{status: 200}
			},
			"a b c", "200 accepted, 401 accepted, 200 accepted",
			[]string{
				a, token("a") + " robot:right", a + " token-of-robot:right",
				token("b") + " robot:right", b + " token-of-robot:right", b,
				"GET /v2/", "GET /token?service=s robot:right", "GET /v2/ token-of-robot:right",
				a, token("a"), a + " token-of-",
				token("c") + " robot:right", c + " token-of-robot:right",
			},
		},
		{
			"two absent repositories and a /v2/ that fails do not refuse an account", robot,
			func(request, by string) reply {
				switch {
				case request == "GET /v2/":
					return reply{status: 500}
				case strings.HasPrefix(request, "GET /v2/c/"):
					return wantsBasic("robot:right")(request, by)
				}
				return reply{status: 401, challenge: basicChallenge}
			},
			"a b c", "401 sent, 401 sent, 401 sent",
			[]string{a, a + " robot:right", "GET /v2/", b, "GET /v2/", b + " robot:right", c},
		},
		{
			"403 for an account of which nothing is known", wrong,
			func(request, by string) reply {
				if strings.HasSuffix(request, "/manifests/x") && by != "" {
					return reply{status: 403}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "403 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", b},
		},
		{
			"Basic at one repository and a token at another", robot,
			func(request, by string) reply {
				if strings.Contains(request, "/v2/b/") || strings.Contains(request, " /token") {
					return wantsToken("robot:right")(request, by)
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 accepted, 200 accepted",
			[]string{a, a + " robot:right", b + " robot:right", token("b") + " robot:right", b + " token-of-robot:right"},
		},
		{
			"a user without a password is not sent", inventory.Auth{Username: "robot"}, wantsBasic("robot:"),
			"a", "401",
			[]string{a},
		},
		{
			"where /v2/ asks for nothing, two repositories refuse an account, each asked once", wrong,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return reply{status: 200}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a a b c", "401 sent, 401 sent, 401 refused, 401 refused",
			[]string{a, a + " robot:wrong", "GET /v2/", a, b, b + " robot:wrong", c},
		},
		{
			"there, the right account is sent to a refused repository again once another accepted it", robot,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return reply{status: 200}
				}
				if strings.Contains(request, "/v2/a/") {
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a a b a", "401 sent, 401 sent, 200 accepted, 401 accepted",
			[]string{a, a + " robot:right", "GET /v2/", a, b, b + " robot:right", a + " robot:right"},
		},
		{
			"a /v2/ that answers 404 to the right account and 401 to others", robot,
			func(request, by string) reply {
				switch {
				case request == "GET /v2/" && by == "robot:right":
					return reply{status: 404}
				case !strings.Contains(request, "/v2/c/") && by != "":
					return reply{status: 401, challenge: basicChallenge}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b c", "401 accepted, 401 accepted, 200 accepted",
			[]string{
				a, a + " robot:right", "GET /v2/", "GET /v2/ robot:right",
				b + " robot:right", c + " robot:right",
			},
		},
		{
			"a wrong password that is answered like none", wrong,
			func(request, by string) reply {
				if request == "GET /v2/" {
					return wantsBasic("robot:right")(request, by)
				}
				return reply{status: 404}
			},
			"a b c", "404 sent, 404 refused, 404 refused",
			[]string{a, "GET /v2/", a + " robot:wrong", b, "GET /v2/ robot:wrong", c},
		},
		{
			"a sign-in page does not accept an account", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, "/login"):
					return reply{status: 200, body: "<html>"}
				case request == "GET /v2/" && by != "":
					return reply{status: 302, location: "{origin}/login"}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b c", "401 sent, 401 refused, 401 refused",
			[]string{
				a, a + " robot:wrong", "GET /v2/", "GET /v2/ robot:wrong", "GET /login robot:wrong",
				b, b + " robot:wrong", c,
			},
		},
		{
			"an identity token that is refused as OAuth2 refuses it", inventory.Auth{IdentityToken: "expired"},
			func(request, by string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 400, body: `{"error":"invalid_grant"}`}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "token 400 refused, 401 refused",
			[]string{
				a, "POST /token scope=repository:a:pull service=s expired",
				"GET /v2/", "POST /token scope= service=s expired", b,
			},
		},
		{
			"a token service that is not there shows nothing of the account", robot,
			func(request, by string) reply {
				if strings.Contains(request, " /token") {
					return reply{status: 404}
				}
				return reply{status: 401, challenge: bearerChallenge}
			},
			"a b", "token-error, token-error",
			[]string{
				a, token("a") + " robot:right",
				b, "GET /v2/", "GET /token?service=s robot:right", token("b") + " robot:right",
			},
		},
		{
			"a redirect within the origin shows nothing of the account", wrong,
			func(request, by string) reply {
				switch {
				case strings.Contains(request, "/login"):
					return reply{status: 200, body: "<html>"}
				case request != "GET /v2/" && by != "":
					return reply{status: 302, location: "{origin}/login"}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b", "200 sent, 401 refused",
			[]string{
				a, a + " robot:wrong", "GET /login robot:wrong",
				b, "GET /v2/", "GET /v2/ robot:wrong",
			},
		},
		{
			"a registry token that is refused", inventory.Auth{Token: "expired"},
			func(_, by string) reply { return reply{status: 401, challenge: bearerChallenge} },
			"a b", "401 refused, 401 refused",
			[]string{a + " expired", "GET /v2/", "GET /v2/ expired", b},
		},
		{
			"a manifest that is hidden from those who do not sign in", robot,
			func(request, by string) reply {
				if by == "" && request != "GET /v2/" {
					return reply{status: 404}
				}
				return wantsBasic("robot:right")(request, by)
			},
			"a b a", "200 accepted, 200 accepted, 200 accepted",
			[]string{a, "GET /v2/", a + " robot:right", b + " robot:right", a + " robot:right"},
		},
		{
			"a manifest that is not there", robot,
			func(request, _ string) reply {
				return reply{status: map[bool]int{true: 200, false: 404}[request == "GET /v2/"]}
			},
			"a b", "404, 404",
			[]string{a, "GET /v2/", b},
		},
		{
			"a manifest that is not there, without an account", anonymous,
			func(string, string) reply { return reply{status: 403} },
			"a b", "403, 403",
			[]string{a, b},
		},
		{
			"what a realm asks for itself is not asked for", robot,
			func(request, by string) reply {
				if strings.Contains(request, " /token") || by != "" {
					return wantsToken("robot:right")(request, by)
				}
				return reply{status: 401, challenge: `Bearer realm="{origin}/token?scope=repository:prod/app:push,delete&Scope=x&scope[]=y&account=root&offline_token=true&` +
					`%20scope=x&scope%00=x&scope%09=x&scope%5b0%5d=x&sc%6fpe=x&%C5%BFcope=x&offline.token=true&access_type=offline&=x;scope=x&host=h&service=own"`}
			},
			"a", "200 accepted",
			[]string{a, "GET /token?host=h&scope=repository%3Aa%3Apull&service=own robot:right", a + " token-of-robot:right"},
		},
		{
			"nor is what a redirect of the token service asks for", robot,
			func(request, by string) reply {
				if strings.HasPrefix(request, "GET /token?") {
					return reply{status: 307, location: "{origin}/token/?scope=repository:prod/app:delete&account=root&state=1"}
				}
				return wantsToken("robot:right")(request, by)
			},
			"a", "200 accepted",
			[]string{a, token("a") + " robot:right", "GET /token/?scope=repository%3Aa%3Apull&state=1 robot:right", a + " token-of-robot:right"},
		},
		{
			"Basic where auth.realms names another host", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"auth.test"}},
			wantsBasic("robot:right"),
			"a b", "auth-refused, auth-refused",
			[]string{a, b},
		},
		{
			"Basic where auth.realms names the registry", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"127.0.0.1"}},
			wantsBasic("robot:right"),
			"a", "200 accepted",
			[]string{a, a + " robot:right"},
		},
		{
			"a realm that auth.realms does not name", inventory.Auth{Username: "robot", Password: "right", Realms: []string{"auth.test"}},
			wantsToken("robot:right"),
			"a", "auth-refused",
			[]string{a},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := script(t, test.rule)
			e := entry(t, s.URL)
			e.Auth, e.Timeout = test.auth, 5*time.Second
			client := client(t, e)
			var got []string
			for repository := range strings.FieldsSeq(test.asked) {
				got = append(got, outcome(manifest(t, client, repository)))
			}
			if text := strings.Join(got, ", "); text != test.want {
				t.Errorf("outcomes %s, want %s", text, test.want)
			}
			if sent := s.take(); !slices.Equal(sent, test.sent) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(test.sent, "\n"))
			}
		})
	}
}
