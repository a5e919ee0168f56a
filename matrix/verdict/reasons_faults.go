package verdict

import (
	"fmt"

	"refmatrix/matrix"
)

// faultReasons judge a step that got no answer, so that nothing is known of the
// API.
var faultReasons = []reason{
	fault(reason{
		name:     matrix.TokenError,
		observed: "the token endpoint failed or answered no token",
		meaning:  "The token service that the registry names gave no token.",
		remedies: []string{
			"Ask for a token by hand with the curl line of refmatrix explain --curl, and look into the token service's log.",
		},
		source: "distribution token specification",
	}, "No token"),
	fault(reason{
		name:     matrix.DNS,
		observed: "the host name could not be looked up",
		meaning:  "The registry's name leads to no address from here.",
		remedies: []string{
			"Check the url: in the inventory, and that this machine resolves the name.",
		},
		source: "RFC 1035",
	}, "Host name not found"),
	fault(reason{
		name:     matrix.Connect,
		observed: "no connection could be made, or it was cut",
		meaning:  "Nothing answers at the registry's address, or what answered hung up.",
		remedies: []string{
			"Check that the registry is up and that a firewall or proxy lets this machine reach it.",
		},
		source: "RFC 9293",
	}, "No connection"),
	fault(reason{
		name:     matrix.TLS,
		observed: "the TLS handshake or the certificate was refused",
		meaning:  "The connection could not be made safe.",
		remedies: []string{
			"Give the authority that signed the certificate as tls.caFile, or fix the certificate.",
		},
		source: "RFC 8446, RFC 5280",
	}, "TLS failed"),
	fault(reason{
		name:     matrix.Timeout,
		observed: "no complete answer came within the timeout",
		meaning:  "The registry did not answer completely in time.",
		remedies: []string{
			"Scan again; if this registry is known to be slow, raise its timeout: in the inventory (or --timeout), whose value the detail names.",
		},
		source: "the inventory's timeout",
	}, "No answer in time"),
	fault(reason{
		name:     matrix.Protocol,
		observed: "the answer was broken HTTP, in an encoding that does not decode, or over a bound",
		meaning:  "What answers does not speak HTTP as a registry does.",
		remedies: []string{
			"Check that the url: names an OCI registry; something else, or a broken proxy, answers there.",
		},
		source: "RFC 9112, RFC 9113",
	}, "Broken HTTP"),
	fault(reason{
		name:     matrix.Redirect,
		observed: "a redirect loop, from https to http, or to a forbidden address",
		meaning:  "A redirect led where refmatrix does not go.",
		remedies: []string{
			"Fix the registry's or proxy's redirect; refmatrix follows none to http, to itself in a circle, or to loopback, link-local and metadata addresses.",
		},
		source: "RFC 9110 section 15.4; SECURITY.md",
	}, "Redirect not followed"),
	fault(reason{
		name:     matrix.AuthRefused,
		observed: "the challenge named a realm that must not get the credentials",
		meaning:  "The registry asked for the credentials to be sent where they must not go; nothing was sent.",
		remedies: []string{
			"Fix the realm in the registry's configuration: it must be https, on an address that is not loopback, link-local or metadata; name it under auth.realms where a list is given.",
		},
		source: "GHSA-xf85-363p-868w, CVE-2020-15157; SECURITY.md",
	}, "Credentials withheld"),
	fault(reason{
		name:     matrix.Credentials,
		observed: "the credentials could not be had from their helper or file",
		meaning:  "The credentials could not be fetched from the helper or file that holds them.",
		remedies: []string{
			"Run the credential helper by hand, and check that it is on the PATH and knows this registry.",
		},
		source: "docker-credential-helpers protocol",
	}, "No credentials"),
}

// fault completes an entry whose condition is that the deciding step ended in
// that fault. what names it at the beginning of a sentence.
func fault(r reason, what string) reason {
	r.outcome, r.confidence = broken, unmeasured
	r.when = func(o *Observation) bool {
		fault := o.decisive().Fault
		return fault != nil && fault.Kind == r.name
	}
	r.detail = func(s *shown) string {
		return fmt.Sprintf("%s at %s: %s.", what, s.endpoint(), s.decisive().Fault.Text)
	}
	return r
}
