package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
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
	after     time.Duration
	connected bool
}

func (t *timedOut) Error() string {
	if !t.connected {
		return fmt.Sprintf("no connection within %s", t.after.Round(time.Millisecond))
	}
	return fmt.Sprintf("no complete answer within %s", t.after.Round(time.Millisecond))
}

// classify gives the fault reason of a wire error.
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
	)
	switch {
	case errors.As(err, &ours):
		return ours.kind
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return matrix.Timeout
	case errors.As(err, &lookup):
		return matrix.DNS
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert),
		errors.As(err, &authority), errors.As(err, &hostname), strings.Contains(err.Error(), "tls: "):
		return matrix.TLS
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return matrix.TLS
	case errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"),
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
	switch classify(err) {
	case matrix.Connect, matrix.Timeout:
		return true
	case matrix.Protocol:
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	return false
}

// faultText words err in one clause, the URL that net/http puts before it
// left out, for the exchange names it and it may carry a query.
func faultText(err error) string {
	for {
		var wrapped *url.Error
		if !errors.As(err, &wrapped) {
			break
		}
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended in the middle of the answer"
	case errors.Is(err, io.EOF):
		return "the connection was closed without an answer"
	}
	return strings.TrimSuffix(err.Error(), ".")
}
