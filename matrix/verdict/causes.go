package verdict

import (
	"net/http"
	"regexp"
	"slices"
)

// cause is what is behind a refusal or a fault, as the registry's own words or the error of
// the connection show. It says more than the reason, and its remedies take the place of the
// reason's: who has to act depends on the cause.
type cause struct {
	text     string // what is behind it, a clause
	when     func(*Answer) bool
	remedies []string
	source   string // where the words were seen
}

// causes of refusals; the first that holds counts.
var causes = []cause{
	{
		text: "the credential is expired or invalid",
		when: credentialExpired,
		remedies: []string{
			"Sign in again: a password for ECR is good for 12 hours (aws ecr get-login-password), and helper: ecr-login renews it by itself.",
			"For other registries, issue a new token and put it where the row's credentials come from.",
		},
		source: "awslabs/amazon-ecr-credential-helper#679",
	},
	{
		text: "a policy of the Harbor project lets only signed images be pulled",
		when: says(`(?i)image is not signed`),
		remedies: []string{
			"Sign the image, or have an administrator of the Harbor project lift its policy (Configuration, Deployment security): the account is not the cause.",
		},
		source: "goharbor/harbor#22650",
	},
	{
		text: "a policy of the Harbor project stops images with vulnerabilities",
		when: says(`(?i)current image with .*vulnerabilit|PROJECTPOLICYVIOLATION`),
		remedies: []string{
			"Rebuild the image without them, or have an administrator of the Harbor project change its policy or allowlist: the account is not the cause.",
		},
		source: "goharbor/harbor#15885",
	},
	{
		text: "the registry's firewall refuses the address of this machine, whatever the account",
		when: says(`(?i)aka\.ms/acr/firewall|client with IP .* is not allowed access`),
		remedies: []string{
			"Add the address in the message to the registry's network rules (az acr network-rule add), or scan from a network that they allow.",
			"Ask the team that runs the registry's network, and not the one that issues accounts.",
		},
		source: "Azure/acr#633",
	},
	{
		text: "the port speaks TLS, and the request was plain HTTP",
		when: says(`(?i)plain HTTP request was sent to HTTPS port|sent an HTTP request to an HTTPS server`),
		remedies: []string{
			"Write https:// in url: instead of http://.",
		},
		source: "SUSE/Portus#1508; Go's net/http",
	},
	{
		text: "the server wants a client certificate",
		when: says(`(?i)no required SSL certificate|SSL certificate (was )?required`),
		remedies: []string{
			"Set tls.certFile and tls.keyFile to a client certificate that the registry's proxy trusts.",
		},
		source: "nginx",
	},
	{
		text: "a web page came, from a proxy or a firewall in front of the registry",
		when: func(a *Answer) bool {
			refused := a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError
			return refused && a.Body == BodyHTML && !a.Challenge && a.Status != http.StatusNotFound && a.Status != http.StatusTooManyRequests
		},
		remedies: []string{
			"Ask the team that runs the proxy or web application firewall in front of the registry to let requests below /v2/ pass: the registry itself does not answer with a web page.",
		},
		source: "cloudflare/cloudflared#165",
	},
	{
		text: "a proxy or load balancer answered in the registry's place",
		when: func(a *Answer) bool {
			return a.Status >= http.StatusBadGateway && a.Status <= http.StatusGatewayTimeout && a.Body == BodyHTML
		},
		remedies: []string{
			"Check that the registry behind the proxy is up and that the proxy reaches it: the proxy's error log has the cause.",
		},
		source: "RFC 9110 sections 15.6.3 to 15.6.5",
	},
	tlsCause(PlainHTTP, "the port speaks plain HTTP, and the request was TLS",
		"Write http:// in url: if the registry is meant to be without TLS (https is what url: means without a scheme), or name its TLS port.",
		"regclient/regclient#268"),
	tlsCause(UnknownAuthority, "the authority of the certificate is not trusted here",
		"Give the authority that signed the certificate as tls.caFile, or add it to the trust of this machine (SSL_CERT_FILE).",
		"RFC 5280 section 6"),
	tlsCause(WrongName, "the certificate is for other names",
		"Write a name that the certificate is for in url:, or have a certificate issued for this one.",
		"RFC 9525 section 6"),
	tlsCause(CertificateExpired, "the certificate is out of date",
		"Renew the registry's certificate, and check the clock of this machine.",
		"RFC 5280 section 4.1.2.5"),
	tlsCause(ClientCertificate, "the server wants a client certificate, or refuses the one that was sent",
		"Set tls.certFile and tls.keyFile to a client certificate that the registry trusts and that is not out of date.",
		"RFC 8446 section 6.2"),
	tlsCause(TLSVersion, "the server speaks no version of TLS from 1.2 on",
		"Switch TLS 1.2 or 1.3 on at the registry or at the proxy in front of it: older versions are not safe, and refmatrix does not speak them.",
		"RFC 8996"),
}

// says is the condition that a refusal's message or one of its codes matches pattern.
func says(pattern string) func(*Answer) bool {
	words := regexp.MustCompile(pattern)
	return func(a *Answer) bool {
		refused := a.Status >= http.StatusBadRequest && a.Status != http.StatusNotFound
		return refused && (words.MatchString(a.Message) || slices.ContainsFunc(a.Codes, words.MatchString))
	}
}

var expired = regexp.MustCompile(`(?i)\b(token|credentials?|password)\b.{0,20}\b(expired|invalid)\b|\binvalid (token|credentials?)\b`)

// credentialExpired reports whether a refusal of a request that was signed says that the
// credential is expired or invalid.
func credentialExpired(a *Answer) bool {
	switch a.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return a.Account != AccountUnsent && expired.MatchString(a.Message)
	}
	return false
}

func tlsCause(of TLSCause, text, remedy, source string) cause {
	return cause{
		text:     text,
		when:     func(a *Answer) bool { return a.Fault != nil && a.Fault.TLS == of },
		remedies: []string{remedy},
		source:   source,
	}
}

// causeOf returns what is behind the answer that the verdict rests on, nil if nothing shows
// it.
func causeOf(o *Observation) *cause {
	for i := range causes {
		if causes[i].when(o.decisive()) {
			return &causes[i]
		}
	}
	return nil
}
