package registry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// Session is one row's use of a client: its exchanges, and the time it may
// still take. A session is used by one goroutine at a time.
type Session struct {
	client           *Client
	budget           time.Duration // what is left for requests and backoff
	retryAfterBudget time.Duration // what is left for Retry-After
	began            time.Time     // start of the first request
	ended            time.Time     // end of the last one
	answered         time.Time     // the last request was over, and its answer is being read; zero meanwhile
	share            func()        // gives back the memory of the last body; nil = it took none
	tokens           []string      // that are redacted until the row is over
	loggedIn         bool          // the row signed in at /v2/ to settle an account
	exchanges        exchanges
}

// NewSession starts a row. It has to be closed when the row's strings were cleaned. All
// its requests share a budget of (retries+1) x timeout, backoff and the reading of answers
// included. Retry-After may add up to retryCap, unless retries is 0. Waiting for our own
// limits is not counted.
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

// ExtendBudget adds to the budget of a row that requests more than others do.
func (s *Session) ExtendBudget(by time.Duration) { s.budget += by }

// HasTime reports whether the budget is not used up.
func (s *Session) HasTime() bool { return s.budget > 0 }

// Client is what the session's requests go through.
func (s *Session) Client() *Client { return s.client }

// Close gives back the memory that the session holds, and forgets its tokens. Its
// exchanges stay.
func (s *Session) Close() {
	s.release()
	if len(s.tokens) > 0 {
		s.client.redactEvidence()
	}
	for _, token := range s.tokens {
		s.client.secrets.RemoveToken(token)
	}
	s.tokens = nil
}

// Idle ends the reading of the last answer: the memory of its body is given back, and what
// the row waits for until its next request is not taken from its time.
func (s *Session) Idle() {
	s.countReading()
	s.release()
}

// countReading takes from the row's time what its last answer took to be read: that
// depends on the registry as much as the wire does.
func (s *Session) countReading() {
	if s.answered.IsZero() {
		return
	}
	s.ended = time.Now()
	s.budget -= s.ended.Sub(s.answered)
	s.answered = time.Time{}
}

// Exchanges lists what went over the wire, in order: steps, methods and statuses of all,
// and the rest of those that Recorded returns.
func (s *Session) Exchanges() []matrix.Exchange { return s.exchanges.all }

// Recorded lists the exchanges that are kept whole, and counts what was left out of them
// and after them.
func (s *Session) Recorded() ([]matrix.Exchange, matrix.Omitted) { return s.exchanges.recorded() }

// Elapsed is the time from the first request going out to the last answer.
func (s *Session) Elapsed() time.Duration { return s.ended.Sub(s.began) }

// Request is one request to the registry.
type Request struct {
	Step    string // names the exchange in reports
	Method  string // only a GET or HEAD may leave the registry's origin or follow a redirect
	URL     *url.URL
	Sent    Sent        // what of URL the registry sent
	Header  http.Header // Accept, Content-Type ...
	Body    []byte      // for PUT, POST, PATCH
	Scope   string      // of the token, "repository:<name>:pull"
	Pinned  string      // a redirect to a path without it is not followed, and stands in Location; "" = any
	MaxBody int64       // of a 200; 0 = MaxError

	// ReadOn reports whether what begins so is of use: a 404 that goes on beyond MaxError
	// is read to MaxBody, and a 200 beyond MaxBody is an answer that is cut. Otherwise, or
	// if ReadOn is nil, such a 404 is cut, and such a 200 is a Fault.
	ReadOn func(begins []byte) bool

	// SingleAttempt says that the request is not sent again if it fails, and that its
	// answer does not change the pace of the registry: it may be a web site's.
	SingleAttempt bool

	// Hidden says that an unsigned 403 or 404 may come only because nobody
	// signed in, as for a manifest of a registry that hides what is private.
	Hidden bool

	// UnsignedFirst says that the request is sent unsigned although it is known how the
	// registry wants to be signed in to, because its endpoint may be open to everybody and
	// refuse what the registry's other endpoints accept (Gitea).
	UnsignedFirst bool
}

// Sent says what of a request's URL came from the wire. That may repeat a secret and is
// redacted where the URL is recorded, as query values always are; the rest is the
// inventory's or ours and is recorded as it is. A password can be a word such as
// "manifests".
type Sent struct {
	URL  string // the link or Location that the URL was made from, whole; "" = none
	Part string // of the path: a digest, or a tag made of one; "" = none
	From string // what Part has only the begin of; "" = Part is whole
}

// repository is the repository that the request is about, by its scope.
func (q *Request) repository() string {
	name := strings.TrimPrefix(q.Scope, "repository:")
	return name[:max(strings.LastIndexByte(name, ':'), 0)]
}

// Response is the last answer to a Request, or the Fault that came instead. What
// it holds is as it came, and may repeat a secret: Client.Clean makes it fit to
// be shown.
type Response struct {
	verdict.Answer
	Header http.Header
	Bytes  []byte   // of the body; valid until the session's next request
	Cut    bool     // the body goes on after Bytes, which are MaxError of a 200 at the most
	URL    *url.URL // the end of the redirect chain

	Interrupted bool // the fault is a connection that was there and ended before the answer did
}

// Do sends a request, meets the challenge that comes back, and sends it again,
// signed. Redirects and retries happen below it. The error is not nil only if ctx
// ended, or would end before the rates allow the request; everything a server or
// network did wrong is in the Response.
func (s *Session) Do(ctx context.Context, q Request) (*Response, error) {
	s.countReading()
	defer func() { s.answered = time.Now() }()
	s.release()
	if !isRead(q.Method) && !s.client.isOwn(q.URL) {
		return s.failed(ctx, &refusal{matrix.Redirect, q.Method + " is sent to the registry's own origin only"})
	}
	in, err := s.signIn(ctx, q)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer in.close()
	got, stands, err := in.sendFirst(ctx)
	if err == nil && !stands {
		var again bool
		if again, err = in.answer(ctx, got); again {
			got, err = in.send(ctx)
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	resp := s.response(q, got)
	if err != nil {
		if resp, err = s.failed(ctx, err); err != nil {
			return nil, err
		}
	}
	if resp.Header != nil && s.client.isOwn(resp.URL) {
		s.client.pulls.note(resp.Header)
	}
	in.record(ctx, resp)
	return resp, ctx.Err()
}

// outgoing returns the request for q, signed unless authorization is nil.
func (s *Session) outgoing(q Request, authorization *authorization) outgoing {
	out := outgoing{
		step:    q.Step,
		method:  q.Method,
		url:     q.URL,
		sent:    q.Sent,
		header:  q.Header,
		body:    q.Body,
		scope:   q.Scope,
		maxBody: q.MaxBody,
		readOn:  q.ReadOn,
		single:  q.SingleAttempt,
	}
	if authorization != nil {
		out.authorization, out.once = authorization.header, authorization.account.onlyOnce()
	}
	return out
}

// response returns what an answer says.
func (s *Session) response(q Request, got *answer) *Response {
	if got == nil {
		return nil
	}
	if got.cut && got.status == http.StatusOK && (q.ReadOn == nil || !q.ReadOn(got.body)) {
		return &Response{Answer: verdict.Answer{Fault: &verdict.Fault{
			Kind: matrix.TooLarge,
			Text: overBound(max(q.MaxBody, MaxError)),
		}}}
	}
	out := &Response{Header: got.header, Bytes: got.body, Cut: got.cut, URL: got.url}
	out.Status = got.status
	out.ContentType = got.header.Get("Content-Type")
	out.Challenge = got.header.Get("Www-Authenticate") != ""
	if got.status == http.StatusUnauthorized {
		out.Challenge = s.client.usable(got) != nil
	}
	if IsTransient(got.status) {
		out.RetryAfter = retryAfter(got)
	}
	if q.Pinned != "" && got.status >= 300 && got.status < 400 {
		out.Location = s.client.shownLocation(got)
	}
	return out
}

// failed turns an error of the sign-in or the wire into a response: an answer if
// there was one, else a fault.
func (s *Session) failed(ctx context.Context, err error) (*Response, error) {
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errNoTurn):
		return nil, errNoTurn
	}
	var token *tokenRefusal
	if errors.As(err, &token) {
		return &Response{Answer: verdict.Answer{
			Status:     token.status,
			Token:      true,
			Codes:      token.codes,
			Message:    token.message,
			RetryAfter: token.retryAfter,
		}}, nil
	}
	var cut *interrupted
	return &Response{
		Answer: verdict.Answer{
			Fault: &verdict.Fault{
				Kind: classify(err),
				Text: s.client.Clean(faultText(err)),
				TLS:  tlsCause(err),
			},
		},
		Interrupted: errors.As(err, &cut),
	}, nil
}

// note appends a finished exchange.
func (s *Session) note(x matrix.Exchange, began time.Time) {
	if s.began.IsZero() {
		s.began = began
	}
	s.ended = time.Now()
	s.exchanges.add(x)
}

// lastAnswered reports whether the last request got an answer that holds: neither a
// fault nor a server error or a rate limit.
func (s *Session) lastAnswered() bool {
	all := s.exchanges.all
	if len(all) == 0 {
		return false
	}
	status := all[len(all)-1].Status
	return status != 0 && !verdict.IsServerError(status) && !IsTransient(status)
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
	return s.Sleep(ctx, wait)
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
