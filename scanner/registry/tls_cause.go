package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"refmatrix/matrix/verdict"
)

// alertCauses are the alerts by which a server refuses a handshake (RFC 8446, section 6.2)
// for a cause that can be named, as crypto/tls writes them: their type is not exported. A
// handshake failure has many causes.
var alertCauses = map[string]verdict.TLSCause{
	"tls: bad certificate":                verdict.ClientCertificate,
	"tls: unsupported certificate":        verdict.ClientCertificate,
	"tls: revoked certificate":            verdict.ClientCertificate,
	"tls: expired certificate":            verdict.ClientCertificate,
	"tls: unknown certificate":            verdict.ClientCertificate,
	"tls: unknown certificate authority":  verdict.ClientCertificate,
	"tls: certificate required":           verdict.ClientCertificate,
	"tls: protocol version not supported": verdict.TLSVersion,
	"tls: insufficient security level":    verdict.TLSVersion,
}

// tlsCause returns why a TLS connection failed, "" if that cannot be named.
func tlsCause(err error) verdict.TLSCause {
	var (
		record    tls.RecordHeaderError
		remote    *net.OpError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &record):
		if string(record.RecordHeader[:]) == "HTTP/" {
			return verdict.PlainHTTP
		}
	case errors.As(err, &authority):
		return verdict.UnknownAuthority
	case errors.As(err, &hostname):
		return verdict.WrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return verdict.CertificateExpired
	case errors.As(err, &remote) && remote.Op == "remote error":
		return alertCauses[remote.Err.Error()]
	case strings.Contains(err.Error(), "tls: server selected unsupported protocol version"):
		return verdict.TLSVersion
	}
	return ""
}
