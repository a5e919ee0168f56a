// Package testca makes the certificates of the servers of this module: an
// authority that exists as long as the process, and what it signs.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority is a certificate authority.
type Authority struct {
	root      *x509.Certificate
	key       *ecdsa.PrivateKey
	serverKey *ecdsa.PrivateKey // of every server: a key for each would cost a large fleet its start
}

// New returns an authority of this name.
func New(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the servers' key: %w", err)
	}
	template := certificate(name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	return &Authority{root: root, key: key, serverKey: serverKey}, nil
}

// PEM is the authority's certificate as a caFile holds it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Sign returns the certificate of a server known by the names and addresses of
// hosts.
func (a *Authority) Sign(hosts ...string) (*tls.Certificate, error) {
	return a.sign(Server(hosts...), a.root, a.key)
}

// SignAs is Sign of a certificate that may be wrong.
func (a *Authority) SignAs(template *x509.Certificate) (*tls.Certificate, error) {
	return a.sign(template, a.root, a.key)
}

// SelfSign returns the certificate of a server that no authority signed.
func (a *Authority) SelfSign(template *x509.Certificate) (*tls.Certificate, error) {
	return a.sign(template, template, a.serverKey)
}

// Server is a server's certificate before it is signed.
func Server(hosts ...string) *x509.Certificate {
	template := certificate("server")
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

func (a *Authority) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, a.serverKey.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a server's certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.serverKey}, nil
}

// certificate is what all have in common. No serial number comes twice.
func certificate(name string) *x509.Certificate {
	now := time.Now()
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63)) // never an error
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-24 * time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}
