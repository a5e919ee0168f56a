package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unique"

	"refmatrix/matrix"
	"refmatrix/scanner/registry/address"
)

// stepHeader marks requests to the registry, because the auth client's own to
// the token endpoint come the same way. It never leaves this process.
const stepHeader = "Refmatrix-Step"

// tokenStep names the exchanges with the token endpoint.
const tokenStep = matrix.TokenStep

// guard is the lowest round tripper: it sends under the limits, and lets a
// challenge through to the auth client only where its realm may be asked.
type guard struct{ client *Client }

// RoundTrip implements http.RoundTripper. Response bodies are in memory and
// within their bounds when it returns.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req.Context())
	step := req.Header.Get(stepHeader)
	out := req.Clone(req.Context())
	out.Header.Del(stepHeader)
	if step == "" {
		step = tokenStep
	}
	if authorization := out.Header.Get("Authorization"); authorization != "" {
		// net/http would refuse the header too, but as an error of the next request.
		if strings.ContainsFunc(authorization, unicode.IsControl) {
			return nil, &refusal{matrix.TokenError, "the token holds characters that no header may carry"}
		}
		_, secret, _ := strings.Cut(authorization, " ")
		g.client.redactor.add(secret)
	}
	resp, err := g.client.send(x, step, out)
	if err != nil {
		return nil, err
	}
	resp.Request = req
	if resp.StatusCode == http.StatusUnauthorized && step != tokenStep {
		if err := g.client.admitChallenge(req, resp); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// send makes the attempts of one request.
func (c *Client) send(x *exchange, step string, req *http.Request) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		if attempt > 0 && req.GetBody != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, fmt.Errorf("send the body again: %w", err)
			}
			req.Body = body
		}
		resp, err := c.attempt(x, step, req)
		var cut *refusal
		if req.Context().Err() != nil || errors.Is(err, errNoTurn) || errors.As(err, &cut) || !transient(resp, err) {
			c.pace.succeeded(err == nil)
			return resp, err
		}
		asked := retryAfter(resp)
		x.session.lastRetry = asked
		if resp != nil && resp.StatusCode == http.StatusTooManyRequests {
			c.pace.throttle(min(asked, c.entry.RetryCap))
		}
		if attempt >= c.entry.Retries || c.pace.isTripped() {
			c.pace.trip()
			return resp, err
		}
		wait, ok := x.session.nextDelay(asked, attempt)
		if !ok {
			c.pace.trip()
			return resp, err
		}
		if err := Sleep(req.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// attempt sends req once: in a slot of the registry, within both rates and
// within the timeout, body included.
func (c *Client) attempt(x *exchange, step string, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	way, proxy, err := c.routeOf(step, req)
	if err != nil {
		return nil, err
	}
	if err := c.acquire(ctx, x.session); err != nil {
		return nil, err
	}
	defer c.slots.Release(1)
	allowed := min(c.timeout, x.session.budget)
	if allowed <= 0 {
		return nil, &refusal{matrix.Timeout, "the row used up its time"}
	}
	timed, cancel := context.WithTimeout(ctx, allowed)
	defer cancel()
	timed, phases := trace(timed)
	began := time.Now()
	answered := stalled(ctx, answerStall)
	resp, err := c.transport(way).RoundTrip(req.WithContext(timed))
	var read int64
	err = blameProxy(proxy, resp, err)
	if err == nil {
		read, err = buffer(resp, bound(step, x.request.MaxBody, resp))
	}
	took := time.Since(began)
	answered()
	if err == nil && step == tokenStep {
		c.learnTokens(resp)
	}
	x.session.budget -= took
	seen, connected := phases()
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		err = &timedOut{after: allowed, connected: connected, proxy: hostOf(proxy)}
	}
	c.record(x, step, req, attempted{
		resp:   resp,
		err:    err,
		read:   read,
		began:  began,
		took:   took,
		phases: seen,
	})
	if err != nil {
		return nil, err
	}
	c.pace.observe(took)
	return resp, nil
}

// learnTokens makes secrets of the tokens in an answer before anything of the
// answer is recorded. The body stays in place.
func (c *Client) learnTokens(resp *http.Response) {
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var tokens struct {
		Token   string `json:"token"`
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err == nil && json.Unmarshal(body, &tokens) == nil {
		c.redactor.add(tokens.Token, tokens.Access, tokens.Refresh)
	}
}

// acquire waits until a request may be sent: the registry's cooldown is over,
// one of its slots is free, and its rate and the rate over all registries allow
// it. The caller has the slot if the error is nil. The error is errNoTurn if ctx
// would end first.
func (c *Client) acquire(ctx context.Context, s *Session) error {
	defer stalled(ctx, ownStall)()
	if err := s.waitForCooldown(ctx, c.pace.cooldown()); err != nil {
		return err
	}
	if err := c.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := errors.Join(c.pace.wait(ctx), c.global.Wait(ctx)); err != nil {
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
	resp   *http.Response
	err    error
	read   int64 // bytes of the body
	began  time.Time
	took   time.Duration
	phases *matrix.Phases
}

// record notes one exchange of the request in, every remote string cleaned.
func (c *Client) record(in *exchange, step string, req *http.Request, a attempted) {
	x := matrix.Exchange{
		Step:   step,
		Method: req.Method,
		URL:    printable(c.redactor.redact(safeURL(req.URL)), maxURL),
		Accept: acceptOf(req),
		Auth:   signedBy(req),
		Scope:  printable(c.redactor.redact(in.request.Scope), maxURL),
		Bytes:  a.read,
		MS:     Milliseconds(a.took),
		Phases: a.phases,
	}
	var header http.Header
	if a.err != nil {
		x.Error = c.Clean(faultText(a.err))
	} else {
		header = a.resp.Header
		x.Status = a.resp.StatusCode
		x.ContentType = c.Clean(header.Get("Content-Type"))
		x.Headers = c.relevant(a.resp)
		if address.OriginOf(req.URL) != c.origin {
			header = nil // it is another registry's
		}
	}
	in.session.note(x, header, a.began)
}

// acceptOf returns the media types that req accepts. A scan sends the same few
// lists thousands of times, so that their text is shared.
func acceptOf(req *http.Request) string {
	return unique.Make(strings.Join(req.Header.Values("Accept"), ", ")).Value()
}

// signedBy names the scheme that req was signed with, in lower case.
func signedBy(req *http.Request) string {
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return strings.ToLower(scheme)
}

// relevantHeaders are the response headers that verdicts, capabilities and
// fingerprints rest on.
var relevantHeaders = []string{
	"Docker-Content-Digest", "Docker-Distribution-Api-Version", "Www-Authenticate", "Location", "Link",
	"Oci-Filters-Applied", "Oci-Subject", "Retry-After", "Server", "X-Jfrog-Version",
	"Gitlab-Container-Registry-Version", "Warning",
}

func (c *Client) relevant(resp *http.Response) map[string]string {
	var out map[string]string
	for _, name := range relevantHeaders {
		values := resp.Header.Values(name)
		if len(values) == 0 {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		value := strings.Join(values, ", ")
		if name == "Location" {
			value = locationOf(resp)
		}
		out[name] = c.Clean(value)
	}
	return out
}

// bound is how much of resp's body may be read.
func bound(step string, asked int64, resp *http.Response) int64 {
	switch {
	case step == tokenStep:
		return maxToken
	case resp.StatusCode == http.StatusOK, resp.StatusCode == http.StatusNotFound: // of an index too, whatever its type
		return max(asked, MaxError)
	}
	return MaxError
}

// buffer reads the body within limit and puts it back in memory. A 200 over
// the limit is a fault; any other answer over it is cut, because its status is
// enough.
func buffer(resp *http.Response, limit int64) (int64, error) {
	defer resp.Body.Close()
	over := &refusal{matrix.Protocol, fmt.Sprintf("the body is over the bound of %d bytes", limit)}
	if resp.Request != nil && resp.Request.Method == http.MethodHead {
		resp.Body = http.NoBody
		return 0, nil
	}
	if resp.StatusCode == http.StatusOK && resp.ContentLength > limit {
		return 0, over
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return int64(len(body)), fmt.Errorf("read the body: %w", err)
	}
	if int64(len(body)) > limit {
		if resp.StatusCode == http.StatusOK {
			return int64(len(body)), over
		}
		body = body[:limit]
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return int64(len(body)), nil
}
