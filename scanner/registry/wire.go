package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unique"

	"refmatrix/matrix"
	"refmatrix/matrix/verdict"
)

// outgoing is one request as it goes over the wire, to the registry, a token
// service or the end of a redirect.
type outgoing struct {
	step          string
	method        string
	url           *url.URL
	sent          Sent        // what of url a server sent
	header        http.Header // shared; not changed
	body          []byte
	authorization string // "" = unsigned
	scope         string // that the step needs, for the record
	maxBody       int64  // of a 200; 0 = MaxError
	readOn        func(begins []byte) bool
	once          bool // it is not sent again if it fails
	single        bool // neither is it, and its answer does not change the pace
}

// answer is what came back, its body in memory and within its bounds.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool     // the body goes on
	url    *url.URL // that was requested
	shown  string   // url as a report may show it
}

// request returns out for net/http.
func (out *outgoing) request(ctx context.Context, userAgent string) (*http.Request, error) {
	var body io.Reader
	if out.body != nil {
		body = bytes.NewReader(out.body)
	}
	req, err := http.NewRequestWithContext(ctx, out.method, out.url.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for name, values := range out.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", userAgent)
	if out.method != http.MethodHead {
		req.Header.Set("Accept-Encoding", acceptedEncoding)
	}
	if out.authorization != "" {
		req.Header.Set("Authorization", out.authorization)
	}
	return req, nil
}

// send makes the attempts of one request.
func (s *Session) send(ctx context.Context, out outgoing) (*answer, error) {
	c := s.client
	for attempt := 0; ; attempt++ {
		got, err := s.attempt(ctx, &out)
		if out.single {
			return got, err
		}
		var ours *refusal
		if ctx.Err() != nil || errors.Is(err, errNoTurn) || errors.As(err, &ours) || !transient(got, err) {
			c.pace.succeeded(err == nil)
			return got, err
		}
		asked := retryAfter(got)
		if got != nil && got.status == http.StatusTooManyRequests {
			c.pace.throttle(min(asked, c.entry.RetryCap))
		}
		if attempt >= c.entry.Retries || out.once || c.pace.isTripped() {
			c.pace.trip()
			return got, err
		}
		wait, ok := s.nextDelay(asked, attempt)
		if !ok {
			c.pace.trip()
			return got, err
		}
		if err := s.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// attempt sends out once: in a slot of the registry, within both rates and within
// the timeout, body included.
func (s *Session) attempt(ctx context.Context, out *outgoing) (*answer, error) {
	c := s.client
	req, err := out.request(ctx, c.pool.options.UserAgent)
	if err != nil {
		return nil, err
	}
	key, proxy, err := c.transportFor(out.step, req)
	if err != nil {
		return nil, err
	}
	s.release() // the answer before is not needed any more, and acquire may wait
	if err := c.acquire(ctx, s); err != nil {
		return nil, err
	}
	defer c.slots.Release(1)
	allowed := min(c.timeout, s.budget)
	if allowed <= 0 {
		return nil, &refusal{matrix.Timeout, "the row used up its time of " + c.budgetText()}
	}
	if token, ok := strings.CutPrefix(out.authorization, "Bearer "); ok {
		s.hold(token)
	}
	timed, clock := startClock(ctx, allowed)
	timed, phases := trace(timed, clock.end)
	a := attempted{began: time.Now()}
	answered := idleAfter(ctx, answerStall)
	resp, err := c.transport(key).RoundTrip(req.WithContext(timed))
	err = blameProxy(proxy, resp, err)
	if err == nil {
		a.answer, a.read, err = s.read(timed, clock, resp, out)
	}
	answered()
	var late *timedOut
	a.took, late = clock.stop()
	s.budget -= a.took
	var seen connections
	a.phases, seen = phases()
	if late != nil {
		late.connected, late.proxy, late.client = seen.any, hostOf(proxy), c
		if !late.stalled && allowed < c.timeout {
			late.after = 0
		}
	}
	if err != nil && ctx.Err() == nil {
		err = blame(err, late, seen)
	}
	a.err = err
	if err == nil && out.step == tokenStep {
		s.holdTokens(a.answer.body)
	}
	s.record(out, a)
	if err != nil {
		return nil, err
	}
	if !out.single {
		c.pace.observe(a.took)
	}
	return a.answer, nil
}

// hold makes a secret of a token for as long as the row lasts, because the answers to
// its requests may repeat it.
func (s *Session) hold(token string) {
	if slices.Contains(s.tokens, token) {
		return
	}
	s.tokens = append(s.tokens, token)
	s.client.secrets.AddToken(token)
}

// holdTokens holds the tokens in the answer of a token service, before anything of the
// answer is recorded.
func (s *Session) holdTokens(body []byte) {
	var tokens struct {
		Token   string `json:"token"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	_ = json.NewDecoder(bytes.NewReader(body)).Decode(&tokens) // what was read until an error is held too
	for _, token := range []string{tokens.Token, tokens.Access, tokens.Refresh} {
		s.hold(token)
	}
}

// acquire waits until a request may be sent: the registry's cooldown is over,
// one of its slots is free, and its rate and the rate over all registries allow
// it. The caller has the slot if the error is nil. The error is errNoTurn if ctx
// would end first.
func (c *Client) acquire(ctx context.Context, s *Session) error {
	defer idleAfter(ctx, ownStall)()
	if err := s.waitForCooldown(ctx, c.pace.cooldown()); err != nil {
		return err
	}
	if err := c.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := errors.Join(c.pace.wait(ctx), c.pool.global.Wait(ctx)); err != nil {
		c.slots.Release(1)
		if ctx.Err() == nil {
			return errNoTurn
		}
		return err
	}
	return nil
}

// errNoTurn is a request that the rates would allow only after the scan's
// deadline. It ends the row as the deadline does, and is nobody's fault.
var errNoTurn = fmt.Errorf("no request may go out before the deadline: %w", context.DeadlineExceeded)

// attempted is what came of sending a request once.
type attempted struct {
	answer *answer // nil if err is not
	err    error
	read   int64 // bytes of the body
	began  time.Time
	took   time.Duration
	phases *matrix.Phases
}

// record notes one exchange, every remote string cleaned. The scope is made of the
// inventory's text.
func (s *Session) record(out *outgoing, a attempted) {
	c := s.client
	scheme, _, _ := strings.Cut(out.authorization, " ")
	x := matrix.Exchange{
		Step:   out.step,
		Method: out.method,
		URL:    c.recordedURL(out),
		Accept: acceptOf(out.header),
		Auth:   strings.ToLower(scheme),
		Scope:  printable(out.scope, maxURL),
		Bytes:  a.read,
		MS:     Milliseconds(a.took),
		Phases: a.phases,
	}
	if a.err != nil {
		x.Error = c.Clean(faultText(a.err))
	} else {
		a.answer.shown = x.URL
		x.Status = a.answer.status
		x.ContentType = c.Clean(a.answer.header.Get("Content-Type"))
		if a.answer.cut && x.Status == http.StatusOK {
			x.Error = overBound(out.bound(x.Status))
		}
		x.Headers = c.relevant(a.answer)
		if c.pool.options.Bodies && a.answer.status >= http.StatusBadRequest {
			x.Body = c.beginOf(a.answer)
		}
		if out.step != tokenStep && c.isOwn(out.url) { // else it is another server's
			c.keepSigns(out, a.answer)
		}
	}
	s.note(x, a.began)
}

// acceptOf returns the media types that a request accepts. A scan sends the same few
// lists thousands of times, so that their text is shared.
func acceptOf(header http.Header) string {
	return unique.Make(strings.Join(header.Values("Accept"), ", ")).Value()
}

// signHeaders are the response headers that can show a product.
var signHeaders = verdict.SignHeaders()

// relevantHeaders are the response headers that verdicts, capabilities and products
// rest on.
var relevantHeaders = append([]string{
	"Docker-Content-Digest", "Docker-Distribution-Api-Version", "Www-Authenticate", "Location", "Link",
	"Content-Encoding", "Oci-Filters-Applied", "Oci-Subject", "Retry-After", "Warning",
}, signHeaders...)

func (c *Client) relevant(got *answer) map[string]string {
	var out map[string]string
	for _, name := range relevantHeaders {
		values := got.header.Values(name)
		if len(values) == 0 {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		value := strings.Join(values, ", ")
		if name == "Location" {
			value = c.shownLocation(got)
		}
		out[name] = c.Clean(value)
	}
	return out
}
