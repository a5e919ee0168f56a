package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/credential"
)

// TestReadToken: what token services answer, and what it is worth.
func TestReadToken(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   string // the token, "refusal STATUS CODES", or the reason of a fault and its text
	}{
		{"token", 200, `{"token":"t"}`, "t"},
		{"access_token alone (ACR)", 200, `{"access_token":"a"}`, "a"},
		{"both", 200, `{"token":"t","access_token":"a"}`, "a"},
		{"with more beside it", 200, `{"token":"t","expires_in":300,"issued_at":"2026-11-27T00:00:00Z","refresh_token":"r"}`, "t"},
		{"something behind the JSON", 200, `{"token":"t"} trailing`, "t"},
		{"no token", 200, `{"expires_in":300}`, "token-error: answered HTTP 200, but no token"},
		{"an empty token", 200, `{"token":"","access_token":""}`, "token-error: answered HTTP 200, but no token"},
		{"a number for a token", 200, `{"token":1}`, "token-error: answered HTTP 200, but no token"},
		{"null", 200, `null`, "token-error: answered HTTP 200, but no token"},
		{"a page", 200, `<html>`, "token-error: answered HTTP 200, but no token"},
		{"nothing", 200, ``, "token-error: answered HTTP 200, but no token"},
		{"no content", 204, ``, "token-error: answered HTTP 204, but no token"},
		{"401", 401, `{"errors":[{"code":"UNAUTHORIZED"}]}`, "refusal 401 UNAUTHORIZED"},
		{"401 in plain text", 401, `no`, "refusal 401 "},
		{"403", 403, `{"errors":[{"code":"DENIED"}]}`, "refusal 403 DENIED"},
		{"429", 429, ``, "refusal 429 "},
		{"400 DENIED (ECR Public)", 400, `{"errors":[{"code":"DENIED"}]}`, "refusal 400 DENIED"},
		{"400 of OAuth2", 400, `{"error":"invalid_grant","error_description":"expired"}`, "refusal 400 invalid_grant"},
		{"400 of another kind", 400, `{"errors":[{"code":"NAME_INVALID"}]}`, "token-error: answered HTTP 400"},
		{"404", 404, ``, "token-error: answered HTTP 404"},
		{"405 (Quay, a disabled namespace)", 405, ``, "token-error: answered HTTP 405"},
		{"500", 500, ``, "token-error: answered HTTP 500"},
		{"a token under another status", 500, `{"token":"t"}`, "token-error: answered HTTP 500"},
	} {
		got, err := readToken(&answer{
			status: test.status,
			header: http.Header{},
			body:   []byte(test.body),
			url:    parse(t, "https://auth.test/token?state=secret"),
		})
		var refused *tokenRefusal
		var fault *refusal
		switch {
		case errors.As(err, &refused):
			got = fmt.Sprintf("refusal %d %s", refused.status, strings.Join(refused.codes, " "))
		case errors.As(err, &fault):
			if fault.kind != matrix.TokenError || strings.Contains(fault.text, "secret") {
				t.Errorf("%s: %+v", test.name, fault)
			}
			_, text, _ := strings.Cut(fault.text, " ")
			got = string(fault.kind) + ": " + text
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestTokenRequest: how a token is requested, by what the challenge names and what
// the account is.
func TestTokenRequest(t *testing.T) {
	const scope = "repository:a/b:pull"
	robot := credential.Account{Username: "robot", Password: "secret"}
	for _, test := range []struct {
		name           string
		realm, service string // of the challenge; "-" for no service
		account        credential.Account
		scope          string
		want           string // method, target, who signed, body
	}{
		{"anonymous", "https://auth.test/token", "s", credential.Account{}, scope, "GET https://auth.test/token?scope=repository%3Aa%2Fb%3Apull&service=s  "},
		{"user and password", "https://auth.test/token", "s", robot, scope, "GET https://auth.test/token?scope=repository%3Aa%2Fb%3Apull&service=s Basic cm9ib3Q6c2VjcmV0 "},
		{"no service (nvcr.io)", "https://auth.test/token", "-", robot, scope, "GET https://auth.test/token?scope=repository%3Aa%2Fb%3Apull Basic cm9ib3Q6c2VjcmV0 "},
		{"no scope, as docker login", "https://auth.test/token", "s", robot, "", "GET https://auth.test/token?service=s Basic cm9ib3Q6c2VjcmV0 "},
		{"the realm's own service", "https://auth.test/token?service=own", "-", robot, "", "GET https://auth.test/token?service=own Basic cm9ib3Q6c2VjcmV0 "},
		{"the challenge's service before the realm's", "https://auth.test/token?service=own", "s", robot, "", "GET https://auth.test/token?service=s Basic cm9ib3Q6c2VjcmV0 "},
		{"parameters that the service needs", "https://auth.test/token?host=h&ns=n", "s", robot, "", "GET https://auth.test/token?host=h&ns=n&service=s Basic cm9ib3Q6c2VjcmV0 "},
		{"parameters that are ours", "https://auth.test/token?scope=x&account=root&offline_token=true#scope=y", "s", robot, scope, "GET https://auth.test/token?scope=repository%3Aa%2Fb%3Apull&service=s Basic cm9ib3Q6c2VjcmV0 "},
		{"an identity token", "https://auth.test/token?host=h", "s", credential.Account{IdentityToken: "refresh"}, scope, "POST https://auth.test/token?host=h  client_id=refmatrix&grant_type=refresh_token&refresh_token=refresh&scope=repository%3Aa%2Fb%3Apull&service=s"},
		{"an identity token beside a user", "https://auth.test/token", "s", credential.Account{Username: "x", IdentityToken: "refresh"}, "", "POST https://auth.test/token  client_id=refmatrix&grant_type=refresh_token&refresh_token=refresh&service=s"},
	} {
		met := &challenge{scheme: bearer, parameters: map[string]string{"realm": test.realm}}
		if test.service != "-" {
			met.parameters["service"] = test.service
		}
		out, err := tokenRequest(met, test.account, test.scope)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join([]string{out.method, out.url.String(), out.authorization, string(out.body)}, " "); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.name, got, test.want)
		}
	}
	if _, err := tokenRequest(&challenge{parameters: map[string]string{"realm": "https://[::1/"}}, robot, scope); err == nil {
		t.Error("a realm that is not a URL")
	}
}
