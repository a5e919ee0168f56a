package registry

import (
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"an OCI error", `{"errors":[{"code":"DENIED","message":"client with IP '192.0.2.7' is not allowed access."}]}`, "client with IP '192.0.2.7' is not allowed access."},
		{"the first error that has one", `{"errors":[{"code":"DENIED"},{"message":7},{"message":"no"}]}`, "no"},
		{"Artifactory's errors have no code", `{"errors":[{"status":401,"message":"Bad credentials"}]}`, "Bad credentials"},
		{"errors come before other keys", `{"message":"b","errors":[{"message":"a"}]}`, "a"},
		{"a message without errors", `{"message":"401 Unauthorized"}`, "401 Unauthorized"},
		{"OAuth2", `{"error":"invalid_grant","error_description":"token is revoked"}`, "token is revoked"},
		{"Docker Hub's token service", `{"details":"incorrect username or password"}`, "incorrect username or password"},
		{"a problem of RFC 9457", `{"title":"Forbidden","detail":"Your plan has ended."}`, "Your plan has ended."},
		{"an object where a text is expected", `{"message":{"a":"b"},"title":"Forbidden"}`, "Forbidden"},
		{"an array", `["a"]`, ""},
		{"errors that are not an array", `{"errors":{"message":"a"}}`, ""},
		{"broken JSON", `{"errors":[{"message":"a`, ""},
		{"a title", "<!DOCTYPE html><html><head><title>Just a moment...</title></head>", "Just a moment..."},
		{"a title with entities and tags", "<html><title>403 &middot; <b>nginx</b></title>", "403 · nginx"},
		{"a heading without a title", "<html><body><h1>Access Denied</h1>", "Access Denied"},
		{"a page without either", "<html><body>hello", ""},
		{"plain text, whole", "Unauthorized\nmore\n", "Unauthorized\nmore\n"},
		{"binary data", "a\x00b", ""},
		{"nothing", " \n", ""},
		{"a long text", strings.Repeat("a", maxMessage+1), ""},
		{"a long message", `{"message":"` + strings.Repeat("a", maxMessage+1) + `"}`, ""},
	} {
		if got := Message([]byte(c.body)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
