package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/credential"
)

// tokenStep names the exchanges with a token service.
const tokenStep = matrix.TokenStep

// maxToken bounds a token, in bytes: it goes into a header of each request, which servers
// bound too.
const maxToken = 16 << 10

// tokenRefusal is a refusal of the token service that is about the account or the
// moment: the row reports it as it would report the registry's own.
type tokenRefusal struct {
	status     int
	codes      []string
	message    string
	retryAfter time.Duration
}

func (r *tokenRefusal) Error() string {
	return fmt.Sprintf("the token endpoint answered HTTP %d", r.status)
}

// token obtains a token for scope from the realm of a challenge, which was
// admitted: by GET, signed with user and password if a has them, or by POST for
// an identity token (distribution, "Token Authentication Specification" and "OAuth2
// Token Authentication"). The challenge's own scope is not asked for: it can be a
// placeholder (GHCR) or name another repository and more actions than the step
// needs.
func (s *Session) token(ctx context.Context, met *challenge, a *account, scope string) (string, error) {
	var sent credential.Account
	if a != nil {
		sent = a.Account
	}
	if sent.RegistryToken != "" {
		return sent.RegistryToken, nil
	}
	out, err := tokenRequest(met, sent, scope)
	if err != nil {
		return "", err
	}
	out.once = a.onlyOnce()
	got, err := s.follow(ctx, out, s.client.admitTokenHop(scope))
	if err != nil {
		return "", tokenFault(err)
	}
	if got.redirects() && !isRead(out.method) {
		return "", &refusal{
			kind: matrix.AuthRefused,
			text: got.shown + " redirects the request with the identity token, which is not sent on",
		}
	}
	return readToken(got)
}

// tokenRequest returns the request for a token.
func tokenRequest(met *challenge, account credential.Account, scope string) (outgoing, error) {
	target, err := url.Parse(met.parameters["realm"])
	if err != nil {
		return outgoing{}, &refusal{matrix.AuthRefused, "the realm of the challenge is not a URL"}
	}
	query := ownQuery(target)
	if service, ok := met.parameters["service"]; ok {
		query.Set("service", service)
	}
	out := outgoing{
		step:   tokenStep,
		method: http.MethodGet,
		url:    target,
		sent:   Sent{URL: met.parameters["realm"]},
		scope:  scope,
	}
	if account.IdentityToken != "" {
		form := url.Values{
			"grant_type":    {"refresh_token"},
			"refresh_token": {account.IdentityToken},
			"client_id":     {"refmatrix"},
			"service":       {query.Get("service")},
		}
		if scope != "" {
			form.Set("scope", scope)
		}
		out.method, out.body = http.MethodPost, []byte(form.Encode())
		out.header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		query.Del("service")
	} else {
		if scope != "" {
			query.Set("scope", scope)
		}
		if account.Username != "" || account.Password != "" {
			out.authorization = "Basic " + basicSecret(account)
		}
	}
	target.RawQuery, target.Fragment, target.RawFragment = query.Encode(), "", ""
	return out, nil
}

// ownQuery returns the parameters of a token service's own address. What would
// widen the token, name an account or ask for a token that outlives the scan is left
// out: it is ours to ask for. So is a name that a server could read as one of these:
// names are read in any case, without spaces, as a list (name[]), up to a NUL, and
// with a dot for an underscore.
func ownQuery(target *url.URL) url.Values {
	query := target.Query()
	for name := range query {
		plain := strings.ToLower(strings.ReplaceAll(name, ".", "_"))
		switch {
		case strings.ContainsFunc(plain, notInParameters):
			delete(query, name)
		case slices.Contains([]string{"scope", "account", "offline_token", "access_type"}, plain):
			delete(query, name)
		}
	}
	return query
}

func notInParameters(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// admitTokenHop holds every hop of a token request to the rule of the realm itself,
// and to the scope that was asked for.
func (c *Client) admitTokenHop(scope string) admission {
	return func(next *url.URL, via []*url.URL) (bool, error) {
		if len(via) > maxRedirects {
			tooMany := fmt.Sprintf("the token endpoint redirected more than %d times", maxRedirects)
			return false, &refusal{matrix.TokenError, tooMany}
		}
		if err := c.admitRealm(next.String()); err != nil {
			return false, err
		}
		query := ownQuery(next)
		if scope != "" && next.Query().Has("scope") {
			query.Set("scope", scope)
		}
		next.RawQuery = query.Encode()
		return true, nil
	}
}

// tokenFault makes a fault of a token request one of the token service.
func tokenFault(err error) error {
	var ours *refusal
	switch {
	case errors.Is(err, errNoTurn), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &ours) && ours.kind != matrix.Protocol:
		return err
	}
	return &refusal{matrix.TokenError, faultText(err)}
}

// readToken reads the answer of a token service. Some send access_token and no
// token (ACR), or JSON under a text type (nvcr.io).
func readToken(got *answer) (string, error) {
	var body struct {
		Token  string     `json:"token"`
		Access string     `json:"access_token"`
		Errors ErrorCodes `json:"errors"`
		Error  string     `json:"error"` // RFC 6749, section 5.2
	}
	readable := json.NewDecoder(bytes.NewReader(got.body)).Decode(&body) == nil
	switch got.status {
	case http.StatusOK:
		token := cmp.Or(body.Access, body.Token)
		if len(token) > maxToken {
			return "", &refusal{matrix.TokenError, fmt.Sprintf("%s answered a token of %d bytes, over the bound of %d",
				got.shown, len(token), maxToken)}
		}
		if readable && token != "" {
			return token, nil
		}
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return "", &tokenRefusal{
			status:     got.status,
			codes:      body.Errors,
			message:    Message(got.body),
			retryAfter: retryAfter(got),
		}
	case http.StatusBadRequest:
		codes := []string(body.Errors)
		if body.Error != "" {
			codes = append(codes, body.Error)
		}
		if slices.ContainsFunc(codes, refusesAccount) {
			return "", &tokenRefusal{
				status:  got.status,
				codes:   firstCodes(codes),
				message: Message(got.body),
			}
		}
	}
	what := fmt.Sprintf("%s answered HTTP %d", got.shown, got.status)
	switch message := Message(got.body); {
	case got.status == http.StatusOK && got.cut:
		what += ": " + overBound(MaxError)
	case got.status < 400:
		what += ", but no token"
	case message != "":
		what += fmt.Sprintf(" %q", message)
	}
	return "", &refusal{matrix.TokenError, what}
}

// refusesAccount reports whether an error code under 400 is about the account: of the
// distribution specification, or of OAuth2 (RFC 6749, section 5.2), where a refresh
// token or password that is not good is answered with 400.
func refusesAccount(code string) bool {
	switch code {
	case "UNAUTHORIZED", "DENIED", "invalid_grant", "invalid_client", "unauthorized_client", "access_denied":
		return true
	}
	return false
}
