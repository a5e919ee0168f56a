package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"refmatrix/matrix"
)

// refusal is an error of our own rules: a policy that held, or a bound.
type refusal struct {
	kind matrix.Reason
	text string
}

func (r *refusal) Error() string { return r.text }

// timedOut is a request that took longer than it may.
type timedOut struct {
	after     time.Duration // 0 if it was what the row had left, which differs from run to run
	stalled   bool          // the body stopped, for as long as after
	connected bool
	proxy     string // host and port of the proxy in between, "" for none
	client    *Client
}

func (t *timedOut) Error() string {
	text := "no connection"
	if t.connected {
		text = "no complete answer"
	}
	if t.stalled {
		text = "the body of the answer stopped"
	}
	if t.proxy != "" {
		text += " through the proxy " + t.proxy
	}
	switch {
	case t.stalled:
		return fmt.Sprintf("%s for %s", text, t.after)
	case t.after == 0:
		return text + " within the time that the row had left of " + t.client.budgetText()
	}
	return fmt.Sprintf("%s within %s (%s)", text, t.after, t.client.timeoutText())
}

// timeoutText names the setting that a request's time comes from: "timeout: 10s".
func (c *Client) timeoutText() string {
	if c.pool.options.Timeout > 0 {
		return "--timeout " + c.timeout.String()
	}
	return "timeout: " + c.timeout.String()
}

// budgetText names the time that all requests of a row have, and where it comes from:
// "30s (3 x timeout: 10s)".
func (c *Client) budgetText() string {
	attempts := c.entry.Retries + 1
	return fmt.Sprintf("%s (%d x %s)", time.Duration(attempts)*c.timeout, attempts, c.timeoutText())
}

// blame returns what ended an attempt that failed with err: its time, if late is not nil, a
// stream that was refused, or err itself.
func blame(err error, late *timedOut, seen connections) error {
	switch {
	case late != nil:
		return late
	case seen.streams > maxStreams:
		return &interrupted{errRefused}
	}
	err = blameHTTP2(err)
	if seen.any && faultIsTransient(err) {
		return &interrupted{err}
	}
	return err
}

// interrupted is the error of a connection that ended before its answer did.
type interrupted struct{ error }

func (i *interrupted) Unwrap() error { return i.error }

// classify returns the fault reason of a wire error.
func classify(err error) matrix.Reason {
	var (
		ours        *refusal
		late        *timedOut
		lookup      *net.DNSError
		dial        *net.OpError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		proxy       *proxyFault
		ended       *http2Fault
	)
	switch {
	case errors.As(err, &ours):
		return ours.kind
	case errors.As(err, &ended):
		return matrix.Connect
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return matrix.Timeout
	case errors.As(err, &proxy):
		return matrix.Connect
	case errors.As(err, &lookup):
		return matrix.DNS
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert),
		errors.As(err, &authority), errors.As(err, &hostname), strings.Contains(err.Error(), "tls: "):
		return matrix.TLS
	case errors.As(err, &dial) && dial.Op == "dial",
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNREFUSED):
		return matrix.Connect
	}
	return matrix.Protocol
}

// faultIsTransient reports whether asking again may help: a connection that
// failed or was cut, or a timeout; not a certificate, not a name unknown, and
// not a dial that nobody answered for the whole timeout, in which the system
// has asked several times already.
func faultIsTransient(err error) bool {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return !lookup.IsNotFound
	}
	var late *timedOut
	if errors.As(err, &late) {
		return late.connected
	}
	var proxy *proxyFault
	if errors.As(err, &proxy) {
		return proxy.isTransient()
	}
	switch classify(err) {
	case matrix.Connect, matrix.Timeout:
		return true
	case matrix.Protocol:
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	return false
}

// faultText returns err as one clause, without the URL, because the exchange has it,
// and without what differs between two runs, so that equal faults have equal texts.
func faultText(err error) string {
	var (
		ours   *refusal
		proxy  *proxyFault
		record tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &ours):
		return ours.text
	case errors.As(err, &proxy): // it names the proxy
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return "server gave HTTP response to HTTPS client" // the words of net/http, which people search for
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended in the middle of the answer"
	case strings.Contains(err.Error(), "malformed MIME header"):
		return "a header line of the answer is malformed" // net/http quotes it, whatever it holds
	case strings.Contains(err.Error(), "malformed HTTP status code"),
		strings.Contains(err.Error(), "malformed HTTP version"):
		return "the status line of the answer is malformed" // net/http quotes one word of it, perhaps of a password
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	}
	return strings.TrimSuffix(repeatable(err), ".")
}

// repeatable returns the text of err without the socket's own address and port, the
// name server and the time of day, which net and crypto/x509 put into theirs. The
// address that was dialled stays: the registry is there on the next run too.
func repeatable(err error) string {
	var (
		invalid x509.CertificateInvalidError
		lookup  *net.DNSError
		op      *net.OpError
	)
	text := err.Error()
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Detail != "" {
		return strings.Replace(text, invalid.Detail, fmt.Sprintf("it is valid from %s to %s",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339)), 1)
	}
	switch inOp := errors.As(err, &op); {
	case errors.As(err, &lookup) && inOp:
		return strings.Replace(text, op.Error(), lookupText(lookup), 1)
	case lookup != nil:
		return strings.Replace(text, lookup.Error(), lookupText(lookup), 1)
	case inOp && op.Addr != nil:
		return strings.Replace(text, op.Error(), operationText(op), 1)
	}
	return text
}

// lookupText returns the name that was looked up and the last clause of what came
// of it: a failed request to the name server has the addresses of both before it.
func lookupText(lookup *net.DNSError) string {
	clauses := strings.Split(lookup.Err, ": ")
	return "lookup " + lookup.Name + ": " + clauses[len(clauses)-1]
}

// operationText returns what a connection failed with, and whose it was to be.
func operationText(op *net.OpError) string {
	cause := op.Err
	if call, ok := cause.(*os.SyscallError); ok { // named after what the text says anyway
		cause = call.Err
	}
	if op.Op == "dial" {
		return "connect to " + op.Addr.String() + ": " + cause.Error()
	}
	return repeatable(cause)
}
