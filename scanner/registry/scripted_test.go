package registry_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"refmatrix/scanner/registry"
)

// scripted is a registry that answers as a rule says and records what it was sent:
// method, path and query, and who signed.
type scripted struct {
	*httptest.Server
	mu   sync.Mutex
	sent []string
}

// reply is an answer: a status, and a challenge or body. {origin} is the server's.
type reply struct {
	status    int
	challenge string
	body      string
	location  string
}

// signedBy is who signed a request: a user and password, a token, or nobody.
func signedBy(q *http.Request) string {
	if user, password, ok := q.BasicAuth(); ok {
		return user + ":" + password
	}
	return strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
}

// script starts a registry. rule gets the request without its origin, as
// "GET /v2/", and who signed it.
func script(t *testing.T, rule func(request, by string) reply) *scripted {
	t.Helper()
	s := &scripted{}
	s.Server = serve(t, func(w http.ResponseWriter, q *http.Request) {
		request, by := q.Method+" "+q.URL.RequestURI(), signedBy(q)
		if q.Method == http.MethodPost && q.URL.Path == "/token" {
			_ = q.ParseForm()
			by = q.PostForm.Get("refresh_token")
			request += " scope=" + q.PostForm.Get("scope") + " service=" + q.PostForm.Get("service")
		}
		s.mu.Lock()
		s.sent = append(s.sent, strings.TrimSpace(request+" "+by))
		s.mu.Unlock()
		answer := rule(request, by)
		place := func(text string) string { return strings.ReplaceAll(text, "{origin}", s.URL) }
		if answer.challenge != "" {
			w.Header().Set("WWW-Authenticate", place(answer.challenge))
		}
		if answer.location != "" {
			w.Header().Set("Location", place(answer.location))
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	})
	return s
}

// take returns what was sent since the last call.
func (s *scripted) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

// manifest asks for the manifest of a repository, as the resolve step does.
func manifest(t *testing.T, c *registry.Client, repository string) *registry.Response {
	t.Helper()
	resp, err := c.NewSession().Do(t.Context(), registry.Request{
		Step: "resolve", Method: http.MethodGet, URL: c.URL(repository + "/manifests/x"),
		Scope: "repository:" + repository + ":pull", Hidden: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// outcome is a response in a word: its status or fault, and what became of the
// account.
func outcome(resp *registry.Response) string {
	if resp.Fault != nil {
		return string(resp.Fault.Kind)
	}
	text := fmt.Sprint(resp.Status)
	if resp.Token {
		text = "token " + text
	}
	return strings.TrimSpace(text + " " + string(resp.Account))
}

const basicChallenge, bearerChallenge = `Basic realm="x"`, `Bearer realm="{origin}/token",service="s"`

// wantsBasic is a registry that wants a user and password everywhere.
func wantsBasic(good string) func(string, string) reply {
	return func(_, by string) reply {
		if by != good {
			return reply{status: 401, challenge: basicChallenge}
		}
		return reply{status: 200}
	}
}

// wantsToken is a registry behind a token service, which refuses other accounts
// than good.
func wantsToken(good string) func(string, string) reply {
	return func(request, by string) reply {
		switch {
		case strings.Contains(request, " /token") && by == good:
			return reply{status: 200, body: `{"token":"token-of-` + by + `"}`}
		case strings.Contains(request, " /token"):
			return reply{status: 401, body: `{"errors":[{"code":"UNAUTHORIZED"}]}`}
		case by == "token-of-"+good:
			return reply{status: 200}
		}
		return reply{status: 401, challenge: bearerChallenge}
	}
}
