package fleet

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// anonymousToken is the token of nobody.
const anonymousToken = "anonymous"

// accounts of a scripted front: the fleet's one, by password or by a token for it.
type accounts struct{ token string }

func newAccounts() accounts { return accounts{rand.Text()} }

// client is who sent a request.
type client struct {
	known  bool // the fleet's account
	bearer bool // a token was sent
	signed bool // something was sent, right or wrong
}

func (a accounts) of(r *http.Request) client {
	authorization := r.Header.Get("Authorization")
	token, bearer := strings.CutPrefix(authorization, "Bearer ")
	user, password, _ := r.BasicAuth()
	return client{
		known:  token == a.token || (user == Username && password == Password),
		bearer: bearer,
		signed: authorization != "",
	}
}

// grant is the answer of a token service to the fleet's account.
func (a accounts) grant() string { return tokenAnswer(a.token) }

func tokenAnswer(token string) string {
	body, err := json.Marshal(map[string]any{"token": token, "expires_in": int(tokenLife.Seconds())})
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return string(body)
}

// harborProjects are those that the account may use.
var harborProjects = []string{"library", "team", "scratch"}

// harbor is the sign-in of Harbor in front of its API: the challenge is Bearer, until a request
// carries any Authorization; then it is Basic, as for a repository that is absent. The token
// service answers everybody.
func harbor(api front) front {
	return func(origin string, next http.Handler) http.Handler {
		accounts := newAccounts()
		next = api(origin, next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who := accounts.of(r)
			repository, _, _ := endpoint(r)
			project, _, _ := strings.Cut(repository, "/")
			switch {
			case r.URL.Path == "/service/token" && who.known:
				send(w, http.StatusOK, "application/json; charset=utf-8", accounts.grant())
			case r.URL.Path == "/service/token":
				send(w, http.StatusOK, "application/json; charset=utf-8", tokenAnswer(anonymousToken))
			case who.known && (repository == "" || slices.Contains(harborProjects, project)):
				next.ServeHTTP(w, r)
			case who.signed:
				harborRefusal(w, `Basic realm="harbor"`)
			default:
				challenge := `Bearer realm="` + origin + `/service/token",service="harbor-registry"`
				if repository != "" {
					challenge += `,scope="repository:` + repository + `:` + actions(r) + `"`
				}
				harborRefusal(w, challenge)
			}
		})
	}
}

func harborRefusal(w http.ResponseWriter, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized to access repository")
}

// actions of a token that a request needs.
func actions(r *http.Request) string {
	if reads(r) {
		return "pull"
	}
	return "pull,push"
}
