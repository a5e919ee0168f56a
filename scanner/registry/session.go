package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Bounds on what is read of one answer, in bytes.
const (
	MaxIndex = 8 << 20  // an index or manifest
	MaxError = 64 << 10 // the body of any other answer
	maxToken = 128 << 10
)

// Session is one row's use of a client: its exchanges, and the time it may
// still take. A session is used by one goroutine at a time.
type Session struct {
	client           *Client
	budget           time.Duration // what is left for requests and backoff
	retryAfterBudget time.Duration // what is left for Retry-After
	began            time.Time     // start of the first request
	ended            time.Time     // end of the last one

	exchanges []matrix.Exchange
	headers   []http.Header // of the registry's own answers
	challenge http.Header   // the challenge of the last 401, for the fingerprint
	lastRetry time.Duration // Retry-After of the last answer
}

// NewSession starts a row. All its requests share a budget of (retries+1) x
// timeout, backoff included. Retry-After may add up to retryCap, unless retries
// is 0. Waiting for our own limits is not counted.
func (c *Client) NewSession() *Session {
	s := &Session{client: c}
	s.ResetBudget()
	return s
}

// ResetBudget sets the budget of the session to that of a new row. It is for the
// write probe alone, which begins when the row is done and has to clean up what
// it pushed.
func (s *Session) ResetBudget() {
	entry := s.client.entry
	s.budget = time.Duration(entry.Retries+1) * s.client.timeout
	s.retryAfterBudget = 0
	if entry.Retries > 0 {
		s.retryAfterBudget = entry.RetryCap
	}
}

// waitForCooldown holds a request for as long as the registry wants none, within
// what the row may wait. Before the first request retryCap is the only bound,
// because the row has not begun.
func (s *Session) waitForCooldown(ctx context.Context, cooldown time.Duration) error {
	most := s.retryAfterBudget
	if s.began.IsZero() {
		most = s.client.entry.RetryCap
	}
	wait := min(cooldown, most)
	if wait <= 0 {
		return ctx.Err()
	}
	s.retryAfterBudget = max(s.retryAfterBudget-wait, 0)
	return Sleep(ctx, wait)
}

// nextDelay returns how long to wait before the next attempt, and takes that
// from the row's budgets. It is what Retry-After asks for, up to what is left of
// retryCap, or a short backoff if that is longer or retryCap is 0. ok is false
// if the row cannot afford it.
func (s *Session) nextDelay(asked time.Duration, attempt int) (wait time.Duration, ok bool) {
	wait = backoff(attempt)
	if asked > wait && s.client.entry.RetryCap > 0 {
		wait = min(asked, s.retryAfterBudget)
		s.retryAfterBudget -= wait
		return wait, wait > 0
	}
	s.budget -= wait
	return wait, s.budget > 0
}

// Exchanges lists what went over the wire, in order.
func (s *Session) Exchanges() []matrix.Exchange { return s.exchanges }

// Elapsed is the time from the first request going out to the last answer.
func (s *Session) Elapsed() time.Duration { return s.ended.Sub(s.began) }

// Headers lists the header of every answer of the registry's own, in order.
func (s *Session) Headers() []http.Header { return s.headers }

// Challenge is the header of the last 401 that carried a challenge, or nil.
func (s *Session) Challenge() http.Header { return s.challenge }

// Request is one request to the registry.
type Request struct {
	Step    string // names the exchange in reports
	Method  string
	URL     *url.URL
	Header  http.Header // Accept, Content-Type ...
	Body    []byte      // for PUT, POST, PATCH
	Scope   string      // token scope, "repository:<name>:pull"
	Pinned  string      // a redirect to a path without it is not followed, and stands in Location; "" = any
	MaxBody int64       // of a 200 or 404; 0 = MaxError
}

// Response is the last answer to a Request, or the Fault that came instead.
type Response struct {
	verdict.Answer
	Header http.Header
	Bytes  []byte
	URL    *url.URL // the end of the redirect chain
}

// Do sends a request, through challenge, token, redirects and retries. The error
// is not nil only if ctx ended, or would end before the rates allow the request;
// everything a server or network did wrong is in the Response.
func (s *Session) Do(ctx context.Context, q Request) (*Response, error) {
	done, err := s.client.lead.enter(ctx, q.Scope)
	if err != nil {
		return nil, err
	}
	defer done()
	req, err := s.newRequest(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.auth.Do(req)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errNoTurn):
		return nil, errNoTurn
	case err != nil:
		return s.failed(err), nil
	}
	defer resp.Body.Close()
	out := &Response{Header: resp.Header, URL: resp.Request.URL}
	out.Status = resp.StatusCode
	out.ContentType = s.client.Clean(resp.Header.Get("Content-Type"))
	out.Challenge = resp.Header.Get("Www-Authenticate") != ""
	out.RetryAfter = s.lastRetry
	if q.Pinned != "" && resp.StatusCode >= 300 && resp.StatusCode < 400 {
		out.Location = s.client.Clean(locationOf(resp))
	}
	// The body is in memory already: the wire layer read it within its bounds.
	if out.Bytes, err = io.ReadAll(resp.Body); err != nil {
		return nil, fmt.Errorf("read buffered body: %w", err)
	}
	return out, nil
}

// newRequest returns the request that the auth client sends. Its context leads
// the lower layers back to the session.
func (s *Session) newRequest(ctx context.Context, q Request) (*http.Request, error) {
	ctx = context.WithValue(ctx, sessionKey{}, &exchange{session: s, request: q})
	if q.Scope != "" {
		ctx = auth.WithScopesForHost(ctx, q.URL.Host, q.Scope)
	}
	var body io.Reader
	if q.Body != nil {
		body = strings.NewReader(string(q.Body))
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, q.URL.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for key, values := range q.Header {
		req.Header[key] = values
	}
	req.Header.Set(stepHeader, q.Step)
	if s.client.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.client.bearer)
	}
	return req, nil
}

// exchange is what the lower layers need to know of the request they carry.
type exchange struct {
	session *Session
	request Request
}

type sessionKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	e, _ := ctx.Value(sessionKey{}).(*exchange)
	return e
}

// failed turns an error of the auth flow or the wire into a response: an
// answer where there was one, else a fault.
func (s *Session) failed(err error) *Response {
	var refused *refusal
	if errors.As(err, &refused) {
		kind := refused.kind
		if kind == matrix.Protocol && s.last().Step == tokenStep {
			kind = matrix.TokenError
		}
		return &Response{Answer: verdict.Answer{Fault: &verdict.Fault{Kind: kind, Text: s.client.Clean(refused.text)}}}
	}
	var token *errcode.ErrorResponse
	if errors.As(err, &token) {
		return s.tokenRefused(token)
	}
	if errors.Is(err, auth.ErrBasicCredentialNotFound) || strings.Contains(err.Error(), "missing username or password") {
		return &Response{Answer: verdict.Answer{Status: http.StatusUnauthorized, Challenge: true}}
	}
	fault := &verdict.Fault{Kind: classify(err), Text: s.client.Clean(faultText(err))}
	if last := s.last(); last.Step == tokenStep {
		fault.Kind = matrix.TokenError
		if last.Error == "" {
			s.wordToken(fault, last, err)
		}
	}
	return &Response{Answer: verdict.Answer{Fault: fault}}
}

// wordToken words what the auth client makes of an answer of the token
// endpoint. Its own words hold URLs with their whole query, where signatures
// and tokens travel.
func (s *Session) wordToken(fault *verdict.Fault, last matrix.Exchange, err error) {
	fault.Text = fmt.Sprintf("%s answered HTTP %d, but no token", last.URL, last.Status)
	for _, refused := range tokenRedirects {
		if strings.Contains(err.Error(), refused.part) {
			fault.Kind, fault.Text = matrix.AuthRefused, last.URL+" "+refused.words
		}
	}
}

// tokenRedirects are the redirects of token requests that the auth client
// refuses before we are asked; it has no error values for them.
var tokenRedirects = []struct{ part, words string }{
	{"redirect of token request rejected", "redirects to a URL that is not https"},
	{"refusing to resend a token request body", "redirects to another origin, where the credentials in the request would go"},
}

// tokenRefused judges the token endpoint's refusal: an account matter stays
// one (401, 403, 400 with a code for it), a limit stays a limit, and anything
// else is the endpoint's failure.
func (s *Session) tokenRefused(e *errcode.ErrorResponse) *Response {
	a := verdict.Answer{Status: e.StatusCode, Token: true, RetryAfter: s.lastRetry}
	for _, one := range e.Errors {
		a.Codes = append(a.Codes, s.client.Clean(one.Code))
	}
	a.Codes = firstCodes(a.Codes)
	switch e.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return &Response{Answer: a}
	case http.StatusBadRequest:
		if a.HasCode("UNAUTHORIZED", "DENIED") {
			return &Response{Answer: a}
		}
	}
	text := fmt.Sprintf("%s answered HTTP %d", s.client.Clean(safeURL(e.URL)), e.StatusCode)
	return &Response{Answer: verdict.Answer{Token: true, Fault: &verdict.Fault{Kind: matrix.TokenError, Text: text}}}
}

// last is the last exchange, empty if there is none.
func (s *Session) last() matrix.Exchange {
	if len(s.exchanges) == 0 {
		return matrix.Exchange{}
	}
	return s.exchanges[len(s.exchanges)-1]
}

// note appends a finished exchange.
func (s *Session) note(x matrix.Exchange, h http.Header, began time.Time) {
	if s.began.IsZero() {
		s.began = began
	}
	s.ended = time.Now()
	s.exchanges = append(s.exchanges, x)
	if h == nil || x.Step == tokenStep {
		return
	}
	s.headers = append(s.headers, h)
	if h.Get("Www-Authenticate") != "" {
		s.challenge = h
	}
}
